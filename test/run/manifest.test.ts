import {
  formatManifest,
  leastVerified,
  MANIFEST_FORMAT,
  type Manifest,
  type VolumeBackup,
} from '../../agent/run/manifest'
import { parseManifest } from '../../agent/run/parse-manifest'
import type { Archive } from '../../agent/archive/archive'
import { manifestOf, volumeBackupOf } from '../support/manifest'

const sourceOf = (group: string, name: string) => ({ ...volumeBackupOf().source, group, name })
const place = { class: 'daily', host: 'host', run: '20260131T040506Z-abz277' }

test('a manifest reads back as it was written', () => {
  const manifest = manifestOf()
  expect(parseManifest(formatManifest(manifest), place)).toEqual(manifest)
})

test('so does one with a sample, which older agents leave out of account', () => {
  const sampled = { depth: 'source' as const, part: 7, count: 2, parts: 7, entries: 3 }
  const manifest = manifestOf({ volumes: [volumeBackupOf({ sampled })] })
  expect(parseManifest(formatManifest(manifest), place)).toEqual(manifest)
  expect(manifest.verified).toBe('checksum')
})

test.each([
  [['stream', 'checksum', 'source'], 'checksum'],
  [['stream', 'none'], 'none'],
  [['source', 'source'], 'source'],
  [[], 'none'],
] as const)('a run whose archives are verified %j is verified %s', (depths, least) => {
  expect(leastVerified(depths)).toBe(least)
})

test('a manifest of a newer agent is refused with the remedy, not misread', () => {
  const newer = { ...manifestOf(), format: MANIFEST_FORMAT + 1 }
  expect(() => parseManifest(JSON.stringify(newer), place)).toThrow(
    expect.objectContaining({ code: 'FORMAT_UNSUPPORTED', hint: expect.stringContaining('Install') }),
  )
})

test.each([
  [
    'a source of snapshots',
    { source: { kind: 'zfs', dataset: 'tank/home' } },
    "a volume of source 'zfs', this agent knows",
  ],
  ['a level', { level: 'incremental' }, "a volume of level 'incremental', this agent knows full"],
])('%s that only a newer agent knows is no damage', (_, changes, message) => {
  const newer = { ...manifestOf(), volumes: [volumeBackupOf(), { ...volumeBackupOf({ volume: 'vg0-a' }), ...changes }] }
  expect(() => parseManifest(JSON.stringify(newer), place)).toThrow(
    expect.objectContaining({ code: 'FORMAT_UNSUPPORTED', message: expect.stringContaining(message) }),
  )
})

test('a volume that only a newer agent knows is told of, whatever stands behind it', () => {
  const newer = {
    ...manifestOf(),
    volumes: [{ ...volumeBackupOf(), level: 'incremental' }, ...Array<number>(100_000).fill(0)],
  }
  expect(() => parseManifest(JSON.stringify(newer), place)).toThrow(
    expect.objectContaining({ code: 'FORMAT_UNSUPPORTED', message: expect.stringContaining("'incremental'") }),
  )
})

test('a manifest of format 1 is read, in the words of today', () => {
  const { source, level, snapshot, archive, ...volume } = volumeBackupOf()
  const { segments, catalog, ...rest } = archive
  const withoutHash = <T extends Archive['catalog']>(object: T) => ({ ...object, sha256: undefined })
  const { lvm, ...system } = manifestOf().system
  const manifest1 = {
    ...manifestOf(),
    format: 1,
    volumes: [
      {
        ...volume,
        ...{ group: 'vg0', name: 'home' },
        snapshot: { kind: 'thick', sizeBytes: 1 << 28, ...snapshot },
        archive: {
          ...rest,
          segments: segments.map(withoutHash),
          catalog: withoutHash(catalog),
          sha256: 'c'.repeat(64),
        },
      },
    ],
    system: { ...system, ...lvm },
  }
  const read = parseManifest(JSON.stringify(manifest1), place)
  expect(read.volumes[0]).toMatchObject({ source, level, snapshot, archive: { sha256: 'c'.repeat(64) } })
  expect(read.system).toEqual(manifestOf().system)
})

test.each([
  ['half a manifest', formatManifest(manifestOf()).slice(0, -40), /is not JSON/],
  ['an archive without segments', JSON.stringify(withoutSegments()), /volumes\[0\]\.archive\.segments/],
  ['a mount point that leads upwards', formatManifest(at({ mountPoint: '/srv/../../etc' })), /mountPoint/],
  ['a volume of another place', formatManifest(at({ volume: '../sda' })), /volumes\[0\]\.volume/],
  ['another document', '{"hello": 1}', /format/],
  ['a key that is there twice', formatManifest(manifestOf()).replace('{', '{ "host": "db-2",'), /the key "host" twice/],
  [
    'a size that no two readers round alike',
    written('"usedBytes": 300000000', '"usedBytes": 9007199254740993'),
    /large/,
  ],
  ['a key that changes what objects are', written('"lvs": {}', '"lvs": {"__proto__": {}}'), /__proto__/],
  ['a bottomless document', written('"lvs": {}', `"lvs": ${'['.repeat(200_000)}${']'.repeat(200_000)}`), /nested/],
])('%s is refused by the name of what is wrong', (_, json, message) => {
  expect(() => parseManifest(json, place)).toThrow(
    expect.objectContaining({ code: 'ARCHIVE_DAMAGED', message: expect.stringMatching(message) }),
  )
})

describe('a manifest that names what is not its own', () => {
  const other = { ...place, host: 'db-2' }
  const [segment] = volumeBackupOf({}, other).archive.segments
  test.each<[string, Manifest, string]>([
    ['the run of another host', manifestOf(other), "its host is 'db-2'"],
    ['another run', manifestOf({ ...place, run: '20260131T040506Z-other1' }), "its run is '20260131T040506Z-other1'"],
    ['another class', manifestOf({ ...place, class: 'monthly' }), "its class is 'monthly'"],
    ["another host's archive", inArchive({ segments: [segment!] }), 'a segment that lies elsewhere: data/daily/db-2/'],
    [
      "another host's catalog",
      inArchive({ catalog: volumeBackupOf({}, other).archive.catalog }),
      'a catalog that lies elsewhere: catalogs/daily/db-2/',
    ],
    [
      'the archive of another volume',
      manifestOf({ volumes: [volumeBackupOf({ archive: volumeBackupOf({ volume: 'vg0-root' }).archive })] }),
      'a catalog that lies elsewhere',
    ],
    ['an archive under another compression', inArchive({ compression: 'none' }), 'a segment that lies elsewhere'],
    ['another logical volume', at({ source: sourceOf('vg1', 'home') }), "is 'vg1-home' by its source"],
    ['one volume twice', manifestOf({ volumes: [volumeBackupOf(), volumeBackupOf()] }), "two volumes 'vg0-home'"],
    [
      'one mount point twice',
      manifestOf({ volumes: [volumeBackupOf(), volumeBackupOf({ volume: 'vg0-root' })] }),
      "two volumes '/home'",
    ],
  ])('is refused: %s', (_, manifest, message) => expectRefusal(manifest, message))

  test('hyphens in the names of groups and volumes are doubled, as the device mapper does it', () => {
    const volume = { ...volumeBackupOf({ volume: 'my--vg-my--home' }), source: sourceOf('my-vg', 'my-home') }
    expect(parseManifest(formatManifest(manifestOf({ volumes: [volume] })), place).volumes).toEqual([volume])
  })
})

describe('a run that is good whatever is done with it', () => {
  const failure = { volume: 'vg0-a', mountPoint: '/a', code: 'ARCHIVE_FAILED' as const, message: '', hint: '' }
  test('has no volume: it is refused', () => expectRefusal(manifestOf({ volumes: [] }), 'it has no volume'))
  test('is complete, and has failures: it is refused', () =>
    expectRefusal(manifestOf({ failures: [failure] }), 'it says that it is complete'))
  test('is complete, and has warnings: it is refused', () =>
    expectRefusal(at({ warnings: { count: 1, lines: [] } }), 'it says that it is complete'))
})

test.each([
  ['notBackedUp', '"notBackedUp": []', `"notBackedUp": [${Array(100_000).fill('0').join()}]`],
  [
    'groupConfigurations',
    /"groupConfigurations": \{/,
    `"groupConfigurations": {${Array.from({ length: 100_000 }, (_, name) => `"${name}": 0`).join()},`,
  ],
])('of a hundred thousand wrong things in %s, the first one is told of', (field, from, to) => {
  const text = formatManifest(manifestOf()).replace(from, to)
  expect(() => parseManifest(text, place)).toThrow(new RegExp(`${field}.0`))
  try {
    parseManifest(text, place)
  } catch (error) {
    const { message, cause } = error as Error & { cause: { issues: unknown[] } }
    expect([message.length < 1200, cause.issues.length]).toEqual([true, 1])
  }
})

test('a manifest of more values than a host has is not read', () => {
  const text = formatManifest(manifestOf()).replace('"lvs": {}', `"lvs": [${Array(500_000).fill('[]').join()}]`)
  expect(() => parseManifest(text, place)).toThrow('it has more than 400000 values')
})

describe('an archive that cannot be', () => {
  const [segment] = volumeBackupOf().archive.segments
  const second = { ...segment!, key: `${segment!.key}.001` }
  test.each<[string, Partial<VolumeBackup['archive']>, string]>([
    ['frames that take gigabytes of memory', { frameBytes: 3_900_000_000 }, 'has frames of 3900000000 bytes'],
    ['segments that do not add up', { rawBytes: 20481 }, 'has 20481 bytes, and segments of 20480'],
    ['segments stored that do not add up', { storedBytes: 1001 }, 'has 1001 bytes stored, and segments of 1000'],
    ['segments that overlap', { segments: [segment!, second] }, 'has a segment that ends amid a frame'],
    [
      'segments out of order',
      { segments: [{ ...segment!, rawOffset: 4096 }] },
      'has a segment that does not follow the one before it',
    ],
    ['a segment that is empty', { segments: [{ ...segment!, sizeBytes: 0 }] }, 'sizeBytes'],
    ['a segment of negative size', { segments: [{ ...segment!, rawBytes: -1 }] }, 'rawBytes'],
    ['a segment larger than any', { segments: [{ ...segment!, sizeBytes: 2 ** 37 }] }, 'bytes in 137438953472'],
    ['a bomb', { segments: [{ ...segment!, rawBytes: 2 ** 40 }], rawBytes: 2 ** 40, frames: 2 ** 19 }, 'in 1000'],
    ['more frames than it has data for', { frames: 2 }, 'has 2 frames of 20480 bytes'],
    ['more entries than it has headers for', { entries: 41 }, 'has 41 entries in 20480 bytes'],
  ])('is refused: %s', (_, changes, message) => expectRefusal(inArchive(changes), message))
})

describe('text that would speak to a terminal', () => {
  test.each<[string, Partial<VolumeBackup>]>([
    ['mountPoint', { mountPoint: '/srv\u001b[2K' }],
    ['mountPoint', { mountPoint: '/srv\nHINT: run this' }],
    ['label', { label: '\u001b[1A' }],
    ['uuid', { uuid: 'a\rb' }],
    ['mountOptions', { mountOptions: 'rw\n' }],
  ])('is refused where it becomes a word: %s', (field, changes) => expectRefusal(at(changes), field))

  test.each(['//srv', '/srv/', '/srv/./x', 'srv', '/..', `/${'a'.repeat(5000)}`])(
    'so is a mount point as no kernel tells it: %s',
    (mountPoint) => expectRefusal(at({ mountPoint }), 'mountPoint'),
  )

  test('is made harmless where it is only shown', () => {
    const failure = { volume: 'vg0-a', mountPoint: '/a', code: 'INTERNAL' as const, message: 'x\u001b[2J\ny', hint: '' }
    const { system } = manifestOf()
    const lvs = { report: [{ lv_tags: 'a\u009b2K' }] }
    const hostile = { ...system, fstab: '# a\tb\n\u001b[1A\u2028x', lvm: { ...system.lvm!, lvs } }
    const read = parseManifest(
      formatManifest(manifestOf({ status: 'incomplete', failures: [failure], system: hostile })),
      place,
    )
    expect(read.failures).toEqual([{ ...failure, message: 'x?[2J y' }])
    expect(read.system).toMatchObject({ fstab: '# a\tb\n?[1A?x', lvm: { lvs: { report: [{ lv_tags: 'a?2K' }] } } })
  })
})

function expectRefusal(manifest: Manifest, message: string): void {
  expect(() => parseManifest(formatManifest(manifest), place)).toThrow(
    expect.objectContaining({ code: 'ARCHIVE_DAMAGED', message: expect.stringContaining(message) }),
  )
}

function at(changes: Partial<VolumeBackup>) {
  return manifestOf({ volumes: [{ ...volumeBackupOf(), ...changes }] })
}

function inArchive(changes: Partial<VolumeBackup['archive']>) {
  const { archive } = volumeBackupOf()
  return at({ archive: { ...archive, ...changes } })
}

/** A good manifest in which something else is written. */
function written(good: string, instead: string): string {
  return formatManifest(manifestOf()).replace(good, instead)
}

function withoutSegments() {
  const manifest = manifestOf()
  const [volume] = manifest.volumes
  return { ...manifest, volumes: [{ ...volume!, archive: { ...volume!.archive, segments: [] } }] }
}

import {
  DIFFERENTIAL_MANIFEST_FORMAT,
  formatManifest,
  type Manifest,
  type VolumeBackup,
} from '../../agent/run/manifest'
import { parseManifest } from '../../agent/run/parse-manifest'
import { manifestOf, volumeBackupOf } from '../support/manifest'

const place = { class: 'daily', host: 'host', run: '20260131T040506Z-abz277' }

test('a manifest of a newer agent is refused with the remedy, not misread', () => {
  const newer = { ...manifestOf(), format: DIFFERENTIAL_MANIFEST_FORMAT + 1 }
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

test.each([
  ['half a manifest', formatManifest(manifestOf()).slice(0, -40), /is not JSON/],
  ['an archive without segments', JSON.stringify(withoutSegments()), /volumes\[0\]\.archive\.segments/],
  ['a segment that is empty', written('"sizeBytes": 1000,', '"sizeBytes": 0,'), /segments\[0\]\.sizeBytes/],
  ['a segment of negative size', written('"rawBytes": 20480', '"rawBytes": -1'), /segments\[0\]\.rawBytes/],
  ['a mount point that leads upwards', formatManifest(at({ mountPoint: '/srv/../../etc' })), /mountPoint/],
  ['a volume of another place', formatManifest(at({ volume: '../sda' })), /volumes\[0\]\.volume/],
  ["another host's manifest", formatManifest(manifestOf({ host: 'db-2' })), /its host is 'db-2'/],
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

/** A good manifest in which something else is written. */
function written(good: string, instead: string): string {
  return formatManifest(manifestOf()).replace(good, instead)
}

function withoutSegments() {
  const manifest = manifestOf()
  const [volume] = manifest.volumes
  return { ...manifest, volumes: [{ ...volume!, archive: { ...volume!.archive, segments: [] } }] }
}

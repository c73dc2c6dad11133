import { completenessOf, formatManifest } from '../../agent/run/manifest'
import { parseManifest } from '../../agent/run/parse-manifest'
import { formatBackupSummary } from '../../agent/backup/summary'
import { differentialOf, manifestOf, volumeBackupOf } from '../support/manifest'
import { columns, fit, formatSeconds, SUMMARY_CHARACTERS_MAX } from '../../agent/lib/text'

const VAULT = { bucket: 'vault', exclude: [], excludeCaches: false, excludeIfPresent: [] }

test('a good backup says so first, and what to do next last', () => {
  const lines = formatBackupSummary(manifestOf(), VAULT).split('\n')
  expect(lines[0]).toBe('Backup 20260131T040506Z-abz277 of host: OK, checksums confirmed by S3')
  expect(lines.at(-1)).toBe(
    '  next: snapstream verify --bucket vault --class daily --host host --run 20260131T040506Z-abz277',
  )
  expect(lines.join('\n')).toContain('/home  ext4')
})

test('what to do next can be pasted, wherever the bucket is', () => {
  const wish = { ...VAULT, region: 'eu-central-1', endpointUrl: 'http://127.0.0.1:8333' }
  expect(
    formatBackupSummary(manifestOf({ class: 'weekly' }), wish)
      .split('\n')
      .at(-1),
  ).toBe(
    '  next: snapstream verify --bucket vault --region eu-central-1 --endpoint-url http://127.0.0.1:8333 ' +
      '--class weekly --host host --run 20260131T040506Z-abz277',
  )
})

test('a backup that is complete because everything was excluded says what was', () => {
  expect(formatBackupSummary(manifestOf(), { ...VAULT, exclude: ['/*', '*.tmp'] })).toContain(
    '\n  excluded: /* *.tmp\n',
  )
})

test('directories that asked to be left out are named, in characters that are safe to print', () => {
  const first = ['cache', 'b\u001bd', 'c', 'd'].map((path) => ({ path, tag: '.nobackup' }))
  const volumes = [volumeBackupOf({ mountPoint: '/srv', leftOut: { count: 12, first } })]
  const wish = { ...VAULT, excludeCaches: true, excludeIfPresent: ['.nobackup', 'skip'] }
  const summary = formatBackupSummary(manifestOf({ volumes }), wish)
  expect(summary).toContain('\n  excluded: what is in caches, directories with .nobackup, directories with skip\n')
  expect(summary).toMatch(
    /\n {2}left out what is in 12 directories of \/srv: \/srv\/cache \/srv\/b\S+d \/srv\/c … and 9 more\n/,
  )
  expect(summary).not.toContain('\u001b')
})

test('what a differential run saved is told, and that its base is needed', () => {
  const stored = (bytes: number) => ({ ...volumeBackupOf().archive, storedBytes: bytes })
  const night = differentialOf({ archive: stored(3 * 1024 ** 2) })
  const base = { ...night.base!, archive: stored(300 * 1024 ** 2) }
  const volumes = [{ ...night, base }, volumeBackupOf({ mountPoint: '/srv', fullBecause: 'there is no index' })]
  const text = formatBackupSummary(manifestOf({ format: 3, volumes }), VAULT)
  expect(text).toContain('\n  FULL /srv: there is no index\n')
  expect(text).toMatch(/^ {2}\/home +ext4 +differential /m)
  expect(text).toMatch(/^ {2}\/srv +ext4 +full /m)
  expect(text).toContain(
    '\n  stored what has changed since 20260125T040506Z-base77: 3 MiB instead of 300 MiB (1.0 %); keep both\n',
  )
})

test('a run of full archives says nothing of levels', () => {
  expect(formatBackupSummary(manifestOf(), VAULT)).not.toMatch(/full|differential|instead of/i)
})

test('a failed volume is told before the good ones, with its hint', () => {
  const failure = {
    volume: 'vg0-srv',
    mountPoint: '/srv',
    code: 'SNAPSHOT_INVALID' as const,
    message: 'it overflowed',
    hint: 'Make it larger.',
  }
  const lines = formatBackupSummary(manifestOf({ status: 'incomplete', failures: [failure] }), VAULT).split('\n')
  expect(lines.slice(0, 3)).toEqual([
    'Backup 20260131T040506Z-abz277 of host: INCOMPLETE, 1 of 2 volumes failed, checksums confirmed by S3',
    '  FAILED /srv: it overflowed',
    '    HINT: Make it larger.',
  ])
})

test('what tar could not read makes a run incomplete, and is told of with its volume', () => {
  const lost = (name: string) => `tar: ./${name}: Warning: Cannot fgetxattr: Input/output error`
  const warnings = { count: 31, lines: ['a', 'b', 'c\u001b[2J', 'd'].map(lost) }
  const volumes = [volumeBackupOf({ mountPoint: '/srv', warnings }), volumeBackupOf()]
  const status = completenessOf({ volumes, failures: [] })
  expect(status).toBe('incomplete')
  const lines = formatBackupSummary(manifestOf({ status, volumes }), VAULT).split('\n')
  expect(lines[0]).toBe('Backup 20260131T040506Z-abz277 of host: INCOMPLETE, 31 warnings, checksums confirmed by S3')
  expect(lines[1]).toBe(`  WARNING /srv: ${lost('a')}`)
  expect(lines[3]).not.toContain('\u001b')
  expect(lines[4]).toBe('  WARNING /srv: 28 more like these')
  expect(lines[5]).toMatch(/^ {4}HINT: The entries that the warnings name are not in the archive as they were\./)
  expect(completenessOf({ volumes: volumes.slice(1), failures: [] })).toBe('complete')
  const manifest = manifestOf({ status, volumes: [volumeBackupOf({ warnings })] })
  expect(parseManifest(formatManifest(manifest), manifest).volumes[0]).toMatchObject({ warnings })
})

test('a sample that was compared with the source is not taken for more than it is', () => {
  const sampled = { depth: 'source' as const, part: 3, count: 1, parts: 7, entries: 1234 }
  const volumes = [
    volumeBackupOf({ sampled }),
    volumeBackupOf({ mountPoint: '/new', sampled: { ...sampled, part: 1 } }),
  ]
  const lines = formatBackupSummary(manifestOf({ volumes }), VAULT).split('\n')
  expect(lines[0]).toMatch(/: OK, checksums confirmed by S3, source 3\/7, 1\/7 compared$/)
  expect(lines[1]).toMatch(/^ {2}\/home .* 1234 entries of 3\/7 compared with it$/)
})

describe('where the server confirms no checksums', () => {
  const sampled = { depth: 'source' as const, part: 3, count: 1, parts: 7, entries: 1234 }
  test.each([
    ['what was read back counts', 'stream', {}, 'OK, read back and verified', 'the archives were read back'],
    [
      'a sample proves no more than sizes',
      'none',
      { sampled },
      'OK, sizes only, source 3/7 compared',
      'only the sizes',
    ],
    ['what was not to be verified is not', 'none', {}, 'OK, not verified', 'only the sizes of the archives are known'],
  ] as const)('%s, and the summary says why', (_, verified, more, verdict, why) => {
    const volumes = [volumeBackupOf({ unconfirmed: true, ...more }), volumeBackupOf({ mountPoint: '/confirmed' })]
    const text = formatBackupSummary(manifestOf({ verified, volumes }), VAULT)
    expect(text.split('\n')[0]).toBe(`Backup 20260131T040506Z-abz277 of host: ${verdict}`)
    expect(text).toContain(`\n  the server confirms no checksums: ${why}`)
    expect(text).not.toContain('confirmed by S3')
  })
})

test('what was left behind on the host is in the first line', () => {
  const text = formatBackupSummary(manifestOf(), VAULT, ['snapshot vg0/snapstream_x'])
  expect(text.split('\n')[0]).toContain('left behind')
  expect(text).toContain('LEFT BEHIND snapshot vg0/snapstream_x')
})

test('a host with a hundred volumes still fits, and says how much it left out', () => {
  const volumes = Array.from({ length: 100 }, (_, i) => volumeBackupOf({ mountPoint: `/srv/volume-${i}` }))
  const text = fit(formatBackupSummary(manifestOf({ volumes }), VAULT))
  expect(text.length).toBeLessThanOrEqual(SUMMARY_CHARACTERS_MAX)
  expect(text).toMatch(/… and \d+ more lines/)
  expect(text.split('\n').at(-1)).toContain('next: snapstream verify')
})

test('a line that is longer than the limit does not break it', () => {
  expect(fit(`${'x'.repeat(5000)}\n${'y'.repeat(3000)}`).length).toBe(SUMMARY_CHARACTERS_MAX)
})

test.each([
  [0.04, '0.0 s'],
  [9.94, '9.9 s'],
  [12.4, '12 s'],
  [59.6, '1 min 0 s'],
  [200, '3 min 20 s'],
  [7500, '2 h 05 min'],
])('%p seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text))

test('columns line up', () => {
  expect(
    columns([
      ['a', 'long', 'x'],
      ['bbb', 'y', 'z'],
    ]),
  ).toEqual(['  a    long  x', '  bbb  y     z'])
})

const quiet = volumeBackupOf({
  ...{ volume: 'boot', mountPoint: '/boot' },
  source: { kind: 'quiet', consistency: 'frozen' },
})

test('what was read in place is not said to be of the moment for which applications were held', () => {
  const { consistency, volumes } = manifestOf()
  const held = { ...consistency, level: 'application' as const }
  const beside = formatBackupSummary(manifestOf({ volumes: [...volumes, quiet], consistency: held }), VAULT)
  expect(beside).toMatch(/application-consistent: .*; but at moments of their own: \/boot$/m)
  expect(beside).toMatch(/^ {2}\/boot .* read in place, frozen meanwhile$/m)
  const alone = formatBackupSummary(manifestOf({ volumes: [quiet], consistency: held }), VAULT)
  expect(alone).toMatch(/^ {2}each volume read in place, at a moment of its own$/m)
  expect(alone).not.toContain('application-consistent')
})

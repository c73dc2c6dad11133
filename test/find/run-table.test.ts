import { formatRunList, listedRun, unreadableRun } from '../../agent/find/run-table'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { formatAge } from '../../agent/lib/text'
import { parseManifestKey } from '../../agent/contract'
import { parseVerdict } from '../../agent/run/verdict'

const arn = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc'
const place = { class: 'daily', host: arn, run: '20260131T040506Z-abz277' }
const now = new Date('2026-02-02T05:05:06Z')

test.each([
  [`manifests/daily/${arn}/20260131T040506Z-abz277.json`, place],
  ['manifests/monthly/db1/20260131T040506Z-abz277.json', { ...place, class: 'monthly', host: 'db1' }],
  [`manifests/daily/${arn}/notes.txt`, undefined],
  [`data/daily/${arn}/20260131T040506Z-abz277.json`, undefined],
  ['manifests/daily/20260131T040506Z-abz277.json', undefined],
])('the key %s', (key, expected) => {
  const found = parseManifestKey(key)
  expect(found && { ...found }).toEqual(expected)
})

describe('what is proven of a run', () => {
  const at = '2026-02-01T04:00:00Z'
  const verdict = (depth: 'checksum' | 'stream', ok: boolean) => ({
    operator: { depth, ok, at: '2026-02-01T04:00:00Z' },
  })
  test.each([
    ['never verified later', 'checksum', {}, { depth: 'checksum', ok: true }],
    ['verified deeper later', 'checksum', verdict('stream', true), { depth: 'stream', ok: true, at, by: 'operator' }],
    [
      'verified less deep later, which is worth more than what the host says',
      'stream',
      verdict('checksum', true),
      { depth: 'checksum', ok: true, at, by: 'operator', hostSays: { depth: 'stream', ok: true } },
    ],
    ['found damaged later', 'stream', verdict('checksum', false), { depth: 'checksum', ok: false, at, by: 'operator' }],
    [
      'verified deeper by its host, in its own time',
      'checksum',
      { host: { depth: 'stream', ok: true, at } },
      { depth: 'stream', ok: true, at, by: 'host' },
    ],
    [
      'called damaged by its host, which takes nothing from it',
      'stream',
      { host: { depth: 'checksum', ok: false, at } },
      { depth: 'stream', ok: true, hostSays: { depth: 'checksum', ok: false, at } },
    ],
    [
      'called damaged by its host, and found good by an operator since',
      'stream',
      { ...verdict('stream', true), host: { depth: 'checksum', ok: false, at: '2026-01-31T05:00:00Z' } },
      { depth: 'stream', ok: true, at, by: 'operator' },
    ],
    [
      'found damaged by an operator, and called good by its host',
      'none',
      { ...verdict('stream', false), host: { depth: 'stream', ok: true, at: '2026-02-01T05:00:00Z' } },
      { depth: 'stream', ok: false, at, by: 'operator' },
    ],
  ] as const)('%s', (_, verified, later, expected) => {
    expect(listedRun(place, manifestOf({ verified }), later).verified).toEqual(expected)
  })

  test.each([
    ['shown beside what all of it passed', {}, 'checksum, source 3/7'],
    ['shown beside what was read back later', verdict('stream', true), 'stream 25 h ago, source 3/7'],
    ['of no account where the archives are damaged', verdict('stream', false), 'FAILED stream 25 h ago'],
  ])('a sample compared with the source is %s', (_, later, text) => {
    const sampled = { depth: 'source' as const, part: 3, count: 1, parts: 7, entries: 12 }
    const run = listedRun(place, manifestOf({ volumes: [volumeBackupOf({ sampled })] }), later)
    expect(run.sampled).toEqual([{ volume: 'vg0-home', ...sampled }])
    expect(formatRunList('host', [run], 1, now)).toContain(`  ${text}  /home`)
  })

  const sizes = { ...verdict('checksum', true).operator, sizesOnly: true as const }
  test.each([
    ['nothing', 'none', sizes, 'sizes only 25 h ago'],
    ['more than sizes', 'stream', sizes, 'sizes only 25 h ago, host says stream'],
    ['checksums', 'checksum', sizes, 'sizes only 25 h ago, host says checksum'],
    ['nothing, which failed', 'none', { ...sizes, ok: false }, 'FAILED sizes only 25 h ago'],
  ] as const)('sizes that were compared later, after a backup that had proved %s, are not checksums', (...given) => {
    const [, verified, later, text] = given
    const run = listedRun(place, manifestOf({ verified }), {
      operator: parseVerdict(JSON.stringify(later), new Date(later.at), [])!,
    })
    expect(formatRunList('host', [run], 1, now)).toMatch(new RegExp(` {2}${text} +/home`))
  })

  test('a sample of a run whose checksums nobody confirmed stands beside its sizes', () => {
    const sampled = { depth: 'source' as const, part: 3, count: 1, parts: 7, entries: 12 }
    const volumes = [volumeBackupOf({ sampled, unconfirmed: true })]
    const run = listedRun(place, manifestOf({ verified: 'none', volumes }), {})
    expect(formatRunList('host', [run], 1, now)).toContain('  sizes only, source 3/7  /home')
  })
})

test('the list shows the newest runs and says that there are more', () => {
  const home = volumeBackupOf()
  const root = volumeBackupOf({
    mountPoint: '/',
    archive: { ...home.archive, rawBytes: 5_000_000_000, storedBytes: 2_000_000_000 },
  })
  const runs = [
    listedRun(
      { ...place, run: '20260202T040506Z-aaaaaa' },
      manifestOf({ startedAt: '2026-02-02T04:05:06Z', volumes: [root, home] }),
      { operator: { depth: 'stream', ok: true, at: '2026-02-02T05:00:06Z' } },
    ),
    listedRun(place, manifestOf({ status: 'incomplete', verified: 'none' }), {}),
    unreadableRun({ ...place, run: '20260130T040506Z-cccccc' }, 'format 2 is newer than this agent'),
  ]
  expect(formatRunList(arn, runs, 31, now)).toBe(
    `31 runs of ${arn}, the newest 3; --limit shows more
  RUN                      AGE     CLASS  STATUS      RAW      STORED   VERIFIED          VOLUMES
  20260202T040506Z-aaaaaa  60 min  daily  complete    4.7 GiB  1.9 GiB  stream 5 min ago  / /home
  20260131T040506Z-abz277  2 d     daily  incomplete  20 KiB   1000 B   no                /home
  20260130T040506Z-cccccc  3 d     daily  unreadable
  20260130T040506Z-cccccc: format 2 is newer than this agent`,
  )
})

describe('a terminal that is too narrow for all columns', () => {
  const sampled = { depth: 'source' as const, part: 3, count: 1, parts: 7, entries: 12 }
  const run = listedRun(place, manifestOf({ volumes: [volumeBackupOf({ sampled })] }), {})

  test('80 characters are enough for what a restore is chosen by', () => {
    expect(formatRunList('db1', [run], 1, now, 80)).toBe(
      `1 run of db1
  RUN                      AGE  CLASS  STATUS    STORED  VERIFIED
  20260131T040506Z-abz277  2 d  daily  complete  1000 B  checksum, source 3/7
  A wider terminal or --json also shows VOLUMES, RAW.`,
    )
  })

  test.each([
    [120, undefined],
    [88, 'VOLUMES.'],
    [75, 'VOLUMES, RAW, CLASS.'],
    [65, 'VOLUMES, RAW, CLASS, STORED.'],
  ])('of %i characters shows all that it has room for', (width, hidden) => {
    const list = formatRunList('db1', [run], 1, now, width)
    expect(/also shows (.*)/.exec(list)?.[1]).toBe(hidden)
  })

  test('cuts lines off where not even the indispensable fits', () => {
    const lines = formatRunList('db1', [run], 1, now, 50).split('\n')
    expect(lines[2]).toBe('  20260131T040506Z-abz277  2 d  complete  checksu…')
  })
})

test('no runs: what to look at', () => {
  expect(formatRunList('db1', [], 0, now)).toBe(
    'No runs of db1.\n  Check --host and --class. A run counts once its manifest is written, at its very end.',
  )
})

test.each([
  ['2026-02-02T05:05:00Z', '6 s'],
  ['2026-02-02T04:05:06Z', '60 min'],
  ['2026-02-01T05:05:06Z', '24 h'],
  ['2025-02-02T05:05:06Z', '365 d'],
  ['2026-02-02T05:06:06Z', '0 s'], // clocks differ
])('what happened at %s was %s ago', (time, age) => {
  expect(formatAge(time, now)).toBe(age)
})

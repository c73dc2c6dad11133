import { collectProblems, nameVolumes, restoreProblems } from '../../agent/drill/problems'
import { DRILL_BYTES_MAX, DRILL_PROBLEMS_MAX, parseDrill } from '../../agent/run/drill-record'

test('the first problems are kept, and how many more there are', () => {
  const problems = collectProblems()
  for (let n = 1; n <= 25; n++) problems.add(`problem ${n} ${'x'.repeat(100_000)}`)
  expect(problems.count()).toBe(25)
  expect(problems.list()).toHaveLength(DRILL_PROBLEMS_MAX + 1)
  expect(problems.list().at(-1)).toBe('and 5 more problems')
})

test('whatever a host calls its files and volumes, the record of a failure stays one that is read', () => {
  const problems = collectProblems()
  for (const letter of ['\u0000', '\ud83d\ude00', '\u202e', '€', '"', '\\', '\n']) {
    for (let n = 0; n < 10; n++) problems.add(letter.repeat(70_000))
  }
  const volumes = nameVolumes(Array.from({ length: 4000 }, (_, n) => `/${n}${'\ud83d\ude00'.repeat(2000)}`))
  const runKey = { class: 'daily', host: 'db1', run: '20260131T020000Z-k3xw7a' }
  const record = { drill: 1, ...runKey, ok: false, restoreSeconds: 1, restoredBytes: 1, entries: 1, volumes }
  const json = JSON.stringify({ ...record, problems: problems.list() }, null, 2)
  expect(Buffer.byteLength(json)).toBeLessThan(DRILL_BYTES_MAX)
  expect(parseDrill(json, new Date(), runKey)).toMatchObject({ ok: false })
  expect([volumes.length, volumes.at(-1)]).toEqual([21, 'and 3980 more'])
})

const volume = {
  ...{ mountPoint: '/srv', directory: '/t/srv', entries: 9, kept: 0, failed: [], failedEntries: 0, complaint: '' },
  ...{ lost: [], lostEntries: 0, tooLong: [], tooLongEntries: 0, impossible: [], impossibleEntries: 0 },
  ...{ byHand: [], byHandEntries: 0, fetch: { requests: 1, bytes: 1, segments: [0] } },
}

test('a whole restore has none; what was never backed up is no problem of the restore', () => {
  const absent = [{ mountPoint: '/boot', why: 'was not backed up: x', failed: false }]
  expect(restoreProblems({ volumes: [volume], failures: [], absent, warned: [] })).toEqual([])
})

test('whatever is missing is one, with the reason', () => {
  const warnings = { count: 2, lines: ['tar: ./x: lost'] }
  expect(
    restoreProblems({
      volumes: [
        { ...volume, failed: ['a', 'b'], failedEntries: 2, complaint: 'tar: ./a: No space' },
        { ...volume, mountPoint: '/db', byHand: ['odd'], byHandEntries: 1 },
      ],
      failures: [{ mountPoint: '/home', directory: '/t', code: 'ARCHIVE_DAMAGED', message: 'torn', hint: 'Look.' }],
      absent: [{ mountPoint: '/var', why: 'failed to be backed up: x', failed: true }],
      warned: [{ mountPoint: '/opt', warnings, isWhole: true }],
    }),
  ).toEqual([
    '/home was not restored: torn. Look.',
    '/var is not in the run: it failed to be backed up: x',
    '/opt was backed up with 2 warnings: tar: ./x: lost',
    'of /srv, 2 entries were not restored: a, b',
    '/srv: tar: ./a: No space',
    'of /db, 1 entry can only be restored by hand: odd',
  ])
})

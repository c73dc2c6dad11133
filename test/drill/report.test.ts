import { formatDrill, type DrillReport } from '../../agent/drill/report'

const report: DrillReport = {
  ...{ drill: 1, class: 'daily', host: 'db1', run: '20260131T020000Z-k3xw7a', drilledOn: 'rescue' },
  ...{ startedAt: '2026-02-01T03:00:00.000Z', finishedAt: '2026-02-01T03:10:00.000Z', ok: true },
  ...{ restoreSeconds: 83.5, restoredBytes: 5 * 1024 ** 3, entries: 12_000, volumes: ['/', '/srv'], problems: [] },
}
const ending = { bucket: 'vault', recorded: 'drills/daily/db1/x.json', leftBehind: [] }

test('a good drill says how long it took, and where that is on record', () => {
  expect(formatDrill(report, ending).split('\n')).toEqual([
    'Drill of db1, run 20260131T020000Z-k3xw7a: OK',
    '  restored 12000 entries, 5 GiB, of /, /srv in 1 min 24 s',
    '  compared with its catalog, its archive',
    '  recorded: s3://vault/drills/daily/db1/x.json',
  ])
})

test('a bad one says first what is wrong, and what to do', () => {
  const bad = { ...report, ok: false, share: '3/7', problems: ['/srv: ./a: Contents differ\u001b[2J'] }
  expect(formatDrill(bad, { ...ending, recorded: undefined, leftBehind: ['/x is busy'] }).split('\n')).toEqual([
    'Drill of db1, run 20260131T020000Z-k3xw7a (part 3/7): FAILED',
    '  PROBLEM /srv: ./a: Contents differ?[2J',
    '    HINT: See "A restore drill failed" in "snapstream help runbook".',
    '  LEFT BEHIND /x is busy',
    '  restored 12000 entries, 5 GiB, of /, /srv in 1 min 24 s',
    '  NOT RECORDED: these credentials may not write below drills/',
  ])
})

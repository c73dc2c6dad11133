import { formatCsv } from '../../../fleet/report/csv'
import { AT, classView, fleetView, hostView } from '../../support/fleet-view'

/** Cells of a row, as a spreadsheet reads them. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)]
    .slice(0, -1)
    .map(([, cell]) => (cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!))
}

function table(csv: string): Record<string, string>[] {
  const [head, ...rows] = csv.split('\r\n').slice(0, -1).map(cellsOf)
  return rows.map((row) => Object.fromEntries(head!.map((name, at) => [name, row[at]!])))
}

test('a host has a row for each of its classes', () => {
  const host = hostView({
    classes: [classView(), classView({ class: 'monthly', state: 'stale', reason: 'none for 40 d', overdue: true })],
  })
  expect(table(formatCsv(fleetView([host])))).toMatchObject([
    { name: 'web-01', class: 'daily', state: 'protected', overdue: 'false', lastGoodAt: '2026-11-28T01:05:00Z' },
    { name: 'web-01', class: 'monthly', state: 'stale', overdue: 'true', maxAgeHours: '36' },
  ])
})

test('a host that never wrote anything is in it all the same', () => {
  const host = hostView({ classes: [], state: 'never', reason: 'no backup ever', overdue: true })
  expect(table(formatCsv(fleetView([host])))).toMatchObject([
    { host: host.host, state: 'never', class: '', lastGoodAt: '', overdue: 'true' },
  ])
})

test('drills and filesystems that nobody backs up are told', () => {
  const drill = {
    class: 'daily',
    run: 'r',
    at: AT,
    ok: true,
    restoreSeconds: 61,
    restoredBytes: 1,
    entries: 1,
    problem: '',
  }
  const host = hostView({ drill, leftOut: [{ mountPoint: '/scratch', reason: 'tmpfs' }] })
  expect(table(formatCsv(fleetView([host])))).toMatchObject([
    { leftOut: '/scratch', lastDrillAt: '2026-11-28T02:05:00Z', lastDrillOk: 'true', lastDrillSeconds: '61' },
  ])
})

test.each(['=cmd|"/C calc"!A0', '+1+1', '-2+3', '@SUM(1)', ' =1+1', '\t=1+1', '＝1+1', '"=1+1', "'=1+1"])(
  'a spreadsheet calculates nothing of %j',
  (hostile) => {
    const [row] = table(formatCsv(fleetView([hostView({ name: hostile, reason: hostile, classes: [] })])))
    expect(row!['name']).toMatch(/^'/)
    expect(row!['reason']).toMatch(/^'/)
  },
)

test('what would be cut off before a formula is shown instead', () => {
  const [row] = table(formatCsv(fleetView([hostView({ name: '\r=1+1' })])))
  expect(row!['name']).toBe('?=1+1')
})

test('nothing that a host says begins a row, a cell or another direction of text', () => {
  const hostile = 'a","b\r\nnew,row\n\u202Egnp.exe\u2028'
  const csv = formatCsv(fleetView([hostView({ name: hostile })]))
  expect(csv.split(/\r\n|\n|\r/)).toHaveLength(3)
  expect(csv).not.toMatch(/[\u202E\u2028]/)
  expect(table(csv)[0]!['name']).toBe('a","b | new,row | ?gnp.exe?')
})

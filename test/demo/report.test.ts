import { reportComparison, type Comparison } from '../../demo/report'
import type { Screen } from '../../demo/screen'

const same: Comparison = {
  volume: { name: 'srv', filesystem: 'ext4', mountPoint: '/srv/host', sizeMiB: 100, live: true },
  command: 'tar',
  expected: [{ path: 'f', kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: '1', links: 1, sizeBytes: 0 }],
  differences: [],
  changedSince: 3,
}

function report(comparison: Comparison, leftovers: readonly string[] = []) {
  const shown: string[] = []
  const show = (text = '') => void shown.push(text)
  const screen: Screen = { step: (_, work) => work(), heading: show, line: show, good: show, bad: show }
  return { well: reportComparison(screen, [comparison], leftovers, 100), shown: shown.join('\n') }
}

test('all is well where nothing differs, nothing is left, and there was something to see', () => {
  const { well, shown } = report(same)
  expect(well).toBe(true)
  expect(shown).toContain('NOTHING DIFFERS in 1 files')
})

test.each<[string, Comparison, string[], RegExp]>([
  [
    'a difference',
    { ...same, differences: [{ path: 'f', what: 'mode', expected: '420', actual: '384' }] },
    [],
    /\/srv\/host: "f": mode: 420 became 384/,
  ],
  ['something left behind', same, ['snapshot vg0/x'], /left behind: snapshot vg0\/x/],
  ['a volume that nobody wrote to', { ...same, changedSince: 0 }, [], /was not written to/],
])('%s fails the demo', (_, comparison, leftovers, complaint) => {
  const { well, shown } = report(comparison, leftovers)
  expect(well).toBe(false)
  expect(shown).toMatch(complaint)
})

test('a volume that nobody writes to, such as that of the boot loader, need not have changed', () => {
  expect(report({ ...same, volume: { ...same.volume, live: false }, changedSince: 0 }).well).toBe(true)
})

import { progressOf } from '../../../fleet/command/progress'

test.each([
  ['2026-01-31T02:00:00.000Z info  /srv: archiving\n', '/srv: archiving'],
  ['something else', 'something else'],
  [`\u001b[2J${'x'.repeat(500)}`, `?[2J${'x'.repeat(56)}…`],
])('%j', (line, shown) => {
  expect(progressOf(line)).toBe(shown)
})

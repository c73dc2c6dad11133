import { steadyClock } from '../../agent/lib/steady-clock.io'

test('a clock that is set in mid-run, back or forward, does not change how long it took', () => {
  let machine = Date.parse('2026-01-31T02:00:00Z')
  const clock = steadyClock(() => new Date(machine))
  const started = clock().getTime()
  expect(Math.abs(started - machine)).toBeLessThan(60_000)
  machine -= 86_400_000
  const afterwards = clock().getTime()
  expect(afterwards).toBeGreaterThanOrEqual(started)
  machine += 10 * 86_400_000
  expect(clock().getTime() - afterwards).toBeLessThan(86_400_000)
})

import { limitBandwidth } from '../../agent/bucket/bandwidth.io'
import { SYSTEM_CLOCK } from '../../agent/bucket/retries.io'
import { fakeClock } from '../support/fake-clock'

const { signal } = new AbortController()

test('parts of several archives, sent through one limit, take as long together as the rate allows', async () => {
  const clock = fakeClock()
  const limit = limitBandwidth(1000, clock)
  for (let part = 0; part < 20; part++) await limit.take(500, signal)
  // A second's worth goes at once, and what is sent last is not waited for.
  expect(clock.nowSeconds()).toBeCloseTo((20 * 500 - 1000 - 500) / 1000)
})

test('who has waited long enough already does not wait again', async () => {
  const clock = fakeClock()
  const limit = limitBandwidth(1000, clock)
  await limit.take(2000, signal)
  await clock.sleep(1)
  await limit.take(10, signal)
  expect(clock.nowSeconds()).toBe(1)
})

test('an interrupted run does not wait for its turn', async () => {
  const limit = limitBandwidth(1, SYSTEM_CLOCK)
  await limit.take(1000, signal) // the next one would wait for 999 s
  const interruption = new AbortController()
  const waiting = limit.take(1, interruption.signal)
  interruption.abort()
  await expect(waiting).rejects.toThrow('aborted')
})

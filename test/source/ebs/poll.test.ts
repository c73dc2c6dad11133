import { poll } from '../../../agent/source/ebs/poll.io'
import { fakeClock } from '../../support/fake-clock'

const { signal } = new AbortController()

test('asks at once, then less and less often, and gives up in time', async () => {
  const clock = fakeClock()
  const askedAt: number[] = []
  const answer = await poll({ clock, signal, secondsMax: 3600 }, async () => void askedAt.push(clock.nowSeconds()))
  expect(answer).toBeUndefined()
  expect(askedAt.slice(0, 3)).toEqual([0, 0.5, 1.25])
  const pauses = askedAt.slice(1).map((at, index) => at - askedAt[index]!)
  expect(Math.max(...pauses)).toBe(30)
  expect(askedAt.at(-1)).toBe(3600)
})

test('gives the first answer, and what goes wrong in asking', async () => {
  const clock = fakeClock()
  let count = 0
  expect(await poll({ clock, signal }, async () => (++count === 4 ? 'there' : undefined))).toBe('there')
  await expect(poll({ clock, signal }, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
})

test('ends where the run does', async () => {
  const stop = new AbortController()
  const asking = poll({ clock: fakeClock(), signal: stop.signal }, async () => {
    stop.abort(new Error('stopped'))
    return undefined
  })
  await expect(asking).rejects.toThrow('stopped')
})

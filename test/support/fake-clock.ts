import type { Clock } from '../../agent/bucket/retries.io'

/** Time that passes by being slept through, and not otherwise. */
export function fakeClock(): Clock {
  let now = 0
  return {
    nowSeconds: () => now,
    sleep(seconds, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason as Error)
      now += seconds
      return Promise.resolve()
    },
  }
}

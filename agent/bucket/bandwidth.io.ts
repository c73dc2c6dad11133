import { setTimeout as sleep } from 'node:timers/promises'
import { fullBucket, takeFromBucket } from './token-bucket'

/** A limit that everything that sends shares. */
export interface Bandwidth {
  /** Waits until these bytes may be sent. Rejects where the signal is aborted meanwhile. */
  take(bytes: number, signal: AbortSignal): Promise<void>
}

/**
 * Limits the average rate: a part is sent as fast as the network takes it, and the next one waits.
 *
 * @param nowMs - a clock that never goes back
 */
export function limitBandwidth(bytesPerSecond: number, nowMs: () => number = () => performance.now()): Bandwidth {
  let bucket = fullBucket(bytesPerSecond, nowMs())
  return {
    async take(bytes, signal) {
      const taken = takeFromBucket(bucket, bytesPerSecond, bytes, nowMs())
      bucket = taken.bucket
      if (taken.waitMs > 0) await sleep(taken.waitMs, undefined, { signal })
    },
  }
}

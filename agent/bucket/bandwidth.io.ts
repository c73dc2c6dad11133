import { SYSTEM_CLOCK, type Clock } from './retries.io'
import { fullBucket, takeFromBucket } from './token-bucket'

/** A limit that everything that sends shares. */
export interface Bandwidth {
  /** Waits until these bytes may be sent. Rejects where the signal is aborted meanwhile. */
  take(bytes: number, signal: AbortSignal): Promise<void>
}

/** Limits the average rate: a part is sent as fast as the network takes it, and the next one waits. */
export function limitBandwidth(bytesPerSecond: number, clock: Clock = SYSTEM_CLOCK): Bandwidth {
  const nowMs = () => clock.nowSeconds() * 1000
  let bucket = fullBucket(bytesPerSecond, nowMs())
  return {
    async take(bytes, signal) {
      const taken = takeFromBucket(bucket, bytesPerSecond, bytes, nowMs())
      bucket = taken.bucket
      if (taken.waitMs > 0) await clock.sleep(taken.waitMs / 1000, signal)
    },
  }
}

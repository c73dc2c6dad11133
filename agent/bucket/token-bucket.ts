/** A token bucket: how long a sender must wait so that, over time, it sends no more than a rate. */

export interface Bucket {
  /** What may be sent at once. Negative after more was sent than there was: the next sender waits. */
  readonly allowanceBytes: number
  readonly filledAtMs: number
}

export function fullBucket(bytesPerSecond: number, nowMs: number): Bucket {
  return { allowanceBytes: bytesPerSecond, filledAtMs: nowMs }
}

/**
 * Takes bytes out of the bucket, which holds at most one second's worth. More than there is may be taken: a part larger
 * than the bucket would otherwise never be sent.
 *
 * @returns the bucket afterwards, and how long to wait before sending
 */
export function takeFromBucket(
  bucket: Bucket,
  bytesPerSecond: number,
  bytes: number,
  nowMs: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const earned = ((nowMs - bucket.filledAtMs) / 1000) * bytesPerSecond
  const before = Math.min(bucket.allowanceBytes + earned, bytesPerSecond)
  return {
    bucket: { allowanceBytes: before - bytes, filledAtMs: nowMs },
    waitMs: Math.max(0, (-before / bytesPerSecond) * 1000),
  }
}

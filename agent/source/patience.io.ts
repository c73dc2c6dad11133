/** Giving things back that are busy: again and again for a while, never for ever. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '../errors'
import type { CommandResult } from '../context'

/** A reader that was just killed, or udev looking at a device, keeps it busy for moments only. */
const BUSY_SECONDS_MAX = 10
const BETWEEN_ATTEMPTS_MS = 500

export interface FailedAttempt {
  readonly text: string
  /** Another attempt would hang as this one did. */
  readonly hangs: boolean
}

export function failedAttempt({ stderr, hangs }: CommandResult): FailedAttempt {
  return hangs ? { text: 'the command does not end', hangs } : { text: stderr.trim(), hangs: false }
}

/** @returns undefined once an attempt returns that, otherwise what the last one complained of */
export async function attemptUntil(
  attempt: () => Promise<FailedAttempt | undefined>,
): Promise<FailedAttempt | undefined> {
  const startedAt = performance.now()
  for (;;) {
    const failed = await attempt().catch((error: unknown) => ({
      text: describeError(error).join(' '),
      hangs: false,
    }))
    if (!failed || failed.hangs || performance.now() - startedAt > BUSY_SECONDS_MAX * 1000) return failed
    await sleep(BETWEEN_ATTEMPTS_MS)
  }
}

/** @returns false if it was stopped meanwhile */
export async function waited(intervalMs: number, stopped: AbortSignal): Promise<boolean> {
  await sleep(intervalMs, undefined, { signal: stopped }).catch(() => undefined)
  return !stopped.aborted
}

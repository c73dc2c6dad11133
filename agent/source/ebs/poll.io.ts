/** Waiting for EC2: it tells nobody when something is done, and must be asked. */
import { RUN_SECONDS_MAX } from '../../contract'
import type { Clock } from '../../bucket/retries.io'

const FIRST_DELAY_SECONDS = 0.5
/** All requests of an account share 20 a second (EC2 API throttling), and a first snapshot takes hours. */
const DELAY_SECONDS_MAX = 30

export interface PollOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** After that it is given up; as long as any run takes where left out. */
  readonly secondsMax?: number
}

/**
 * Asks at first twice a second, then less and less often.
 *
 * @param ask - its answer, or undefined where there is none yet
 * @returns undefined where it is given up
 * @throws unknown what `ask` throws, and the signal's reason
 */
export async function poll<T>(
  { clock, signal, secondsMax = RUN_SECONDS_MAX }: PollOptions,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const startedAt = clock.nowSeconds()
  for (let delay = FIRST_DELAY_SECONDS; ; delay = Math.min(delay * 1.5, DELAY_SECONDS_MAX)) {
    signal.throwIfAborted()
    const answer = await ask()
    if (answer !== undefined) return answer
    const leftSeconds = startedAt + secondsMax - clock.nowSeconds()
    if (leftSeconds <= 0) return undefined
    await clock.sleep(Math.min(delay, leftSeconds), signal).catch((error: unknown) => {
      signal.throwIfAborted()
      throw error
    })
  }
}

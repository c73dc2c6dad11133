/** When a failed request is worth another attempt, and when it is enough. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { S3ClientConfig } from '@aws-sdk/client-s3'

/** Until the first request has succeeded, something is likely to be misconfigured, and an operator waits to hear of it. */
export const FIRST_ATTEMPTS_MAX = 5
/**
 * Later, hours of work depend on each request. Long enough for a router that restarts, a failover of a NAT gateway or a
 * proxy, a tunnel that is renegotiated; short next to the 48 h that Systems Manager lets a command run at most.
 */
const OUTAGE_SECONDS_MAX = 15 * 60
/** A server that says it is too busy is there: it is given longer, and asked less often. */
const THROTTLED_SECONDS_MAX = 30 * 60
const RETRY_DELAY_SECONDS = 0.1
const THROTTLED_DELAY_SECONDS = 1
const RETRY_DELAY_MAX_SECONDS = 20

/** Time, as far as retries need it. */
export interface Clock {
  /** From any moment on, without jumps. */
  nowSeconds(): number
  /** Rejects where the signal is aborted. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>
}

export const SYSTEM_CLOCK: Clock = {
  nowSeconds: () => performance.now() / 1000,
  sleep: (seconds, signal) => sleep(seconds * 1000, undefined, { ...(signal && { signal }) }),
}

/** Why an attempt failed, as the SDK sorts errors. */
export type FailureKind = 'THROTTLING' | 'TRANSIENT' | 'SERVER_ERROR' | 'CLIENT_ERROR'

/** A request, or what goes on in its place, that has failed so often since then. */
export interface Failing {
  readonly retries: number
  /** Since when the network or the server has failed it, with no sign of life in between. */
  readonly outageSince?: number
  readonly throttledSince?: number
}

export interface Retries {
  /**
   * Waits until another attempt makes sense.
   *
   * @returns what to hand over should that fail too; undefined where it is enough
   */
  afterFailure(failing: Failing, kind: FailureKind, signal?: AbortSignal): Promise<Failing | undefined>
  /** Some request came through. */
  recordSuccess(): void
}

/**
 * One policy for all requests to one server. The SDK's own has one budget for all requests of a client: with many parts
 * in flight, a second without network would use it up and fail the run.
 */
export function patientRetries(clock: Clock): Retries {
  let everSucceeded = false
  /** Since when no request at all has come through: after that long, none has to find out for itself. */
  let silentSince: number | undefined
  return {
    async afterFailure(failing, kind, signal) {
      if (kind === 'CLIENT_ERROR') return undefined
      const next = { ...recordFailure(failing, kind, clock.nowSeconds()), retries: failing.retries + 1 }
      silentSince = kind === 'THROTTLING' ? undefined : (silentSince ?? clock.nowSeconds())
      if (next.retries >= FIRST_ATTEMPTS_MAX && (!everSucceeded || isEnough(next, silentSince, clock.nowSeconds()))) {
        return undefined
      }
      await clock.sleep(delaySeconds(next.retries, kind), signal)
      return next
    },
    recordSuccess() {
      everSucceeded = true
      silentSince = undefined
    },
  }
}

function recordFailure(failing: Failing, kind: FailureKind, now: number): Omit<Failing, 'retries'> {
  const throttledSince = failing.throttledSince ?? (kind === 'THROTTLING' ? now : undefined)
  // Who says that it is too busy is there: no outage, or not any more.
  const outageSince = kind === 'THROTTLING' ? undefined : (failing.outageSince ?? now)
  return { ...(throttledSince !== undefined && { throttledSince }), ...(outageSince !== undefined && { outageSince }) }
}

function isEnough({ outageSince = Infinity, throttledSince = Infinity }: Failing, silentSince = Infinity, now: number) {
  return now - Math.min(outageSince, silentSince) >= OUTAGE_SECONDS_MAX || now - throttledSince >= THROTTLED_SECONDS_MAX
}

function delaySeconds(retries: number, kind: FailureKind): number {
  const first = kind === 'THROTTLING' ? THROTTLED_DELAY_SECONDS : RETRY_DELAY_SECONDS
  // Half of it at random, so that requests which failed together do not come back together.
  return Math.min(first * 2 ** (retries - 1), RETRY_DELAY_MAX_SECONDS) * (0.5 + Math.random() / 2)
}

/** The same for the SDK's client, which retries what it sends by itself. */
export function sdkStrategy(retries: Retries): RetryStrategy {
  const token = (failing: Failing): FailingToken => ({
    failing,
    getRetryCount: () => failing.retries,
    getRetryDelay: () => 0, // it was waited for already
  })
  return {
    acquireInitialRetryToken: () => Promise.resolve(token({ retries: 0 })),
    async refreshRetryTokenForRetry(failed, { error, errorType }) {
      const kind = isGarbled(error) ? 'TRANSIENT' : errorType
      const next = await retries.afterFailure((failed as FailingToken).failing, kind)
      if (!next) throw new Error('not worth another attempt')
      return token(next)
    },
    recordSuccess: () => retries.recordSuccess(),
  }
}

/** S3 said that it is done, and how cannot be read: a byte of it changed on its way, or the rest of it was lost. */
function isGarbled(error: unknown): boolean {
  const { message, $response } = error as { readonly message?: string; readonly $response?: { statusCode: number } }
  return $response?.statusCode === 200 && message?.includes('Deserialization error') === true
}

type RetryStrategy = Extract<S3ClientConfig['retryStrategy'], { acquireInitialRetryToken: unknown }>
type RetryToken = Awaited<ReturnType<RetryStrategy['acquireInitialRetryToken']>>
type FailingToken = RetryToken & { readonly failing: Failing }

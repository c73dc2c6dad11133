/** Sending requests to EC2: how long, how often, and what an error means. */
import type { EC2ClientConfig } from '@aws-sdk/client-ec2'
import { httpHandler } from '../../bucket/http-handler.io'
import { patientRetries, SYSTEM_CLOCK, type Clock, type Failing } from '../../bucket/retries.io'
import { DIRECT, type Route } from '../../bucket/proxy'
import type { CredentialProvider } from '../../bucket/credentials.io'
import type { Log } from '../../context'
import type { InstanceIdentity } from '../../ec2'
import { ec2Error, failureKindOf } from './ec2-errors'

export interface Ec2Options {
  readonly instance: InstanceIdentity
  readonly credentials: CredentialProvider
  /** EC2's own where left out, or what AWS's variables say. */
  readonly endpointUrl?: string | undefined
  readonly route?: Route
  readonly log: Log
  /** Paces retries: the system's, unless a test has one of its own. */
  readonly clock?: Clock
}

const CONNECT_TIMEOUT_SECONDS = 10
/** EC2 answers within seconds, or not at all. */
const REQUEST_SECONDS_MAX = 60
const CONNECTIONS_MAX = 8

/** The SDK's own: it sends each request once. How often makes sense depends on what is asked for. */
const NO_RETRIES: Extract<EC2ClientConfig['retryStrategy'], { readonly retry: unknown }> = {
  retry: (next, request) => next(request),
}

/** What the SDK's client is made of. */
export function clientConfig({ instance, credentials, endpointUrl, route = DIRECT }: Ec2Options) {
  return {
    ...{ region: instance.region, credentials, retryStrategy: NO_RETRIES },
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
    requestHandler: httpHandler({
      route,
      connectionsMax: CONNECTIONS_MAX,
      connectSeconds: CONNECT_TIMEOUT_SECONDS,
      silenceSeconds: REQUEST_SECONDS_MAX,
    }),
  }
}

type Send<Output> = (how: { readonly abortSignal: AbortSignal }) => Promise<Output>

export interface Requests {
  /** Until EC2 does it or refuses it. For what may be done twice. */
  readonly patiently: <Output>(action: string, signal: AbortSignal, send: Send<Output>) => Promise<Output>
  readonly once: <Output>(action: string, signal: AbortSignal, send: Send<Output>, seconds?: number) => Promise<Output>
}

export function ec2Requests({ log, clock = SYSTEM_CLOCK }: Pick<Ec2Options, 'log' | 'clock'>): Requests {
  const retries = patientRetries(clock)
  return {
    async patiently(action, signal, send) {
      let failing: Failing = { retries: 0 }
      for (;;) {
        try {
          const output = await sendOnce(action, signal, send)
          retries.recordSuccess()
          return output
        } catch (error) {
          const kind = failureKindOf((error as Error).cause)
          if (kind === 'CLIENT_ERROR') retries.recordSuccess() // it is there
          const next = signal.aborted ? undefined : await retries.afterFailure(failing, kind, signal)
          if (!next) throw error
          log.debug(`${(error as Error).message}: trying again`)
          failing = next
        }
      }
    },
    once: sendOnce,
  }
}

async function sendOnce<Output>(
  action: string,
  signal: AbortSignal,
  send: Send<Output>,
  seconds = REQUEST_SECONDS_MAX,
): Promise<Output> {
  const limit = AbortSignal.timeout(seconds * 1000)
  try {
    return await send({ abortSignal: AbortSignal.any([signal, limit]) })
  } catch (error) {
    const isLate = limit.aborted && !signal.aborted
    throw ec2Error(isLate ? new DOMException(`no answer within ${seconds} s`, 'TimeoutError') : error, action)
  }
}

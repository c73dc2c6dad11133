/** Sends pings. None fails a command, and none takes long. */
import { setTimeout as sleep } from 'node:timers/promises'
import { HttpRequest } from '@smithy/core/protocols'
import type { Log } from '../context'
import { httpHandler } from '../bucket/http-handler.io'
import { planRoute } from '../bucket/proxy'
import { trustBundle } from '../bucket/trust.io'
import type { Environment } from '../options/resolve'
import { describePingError, pingAddress, type PingKind } from './ping'

export interface PingDeps {
  readonly log: Log
  /** Says which proxy is on the way, and which certificates are trusted. */
  readonly environment: Environment
}

/** Design limits: a service that hangs must not hold a host's timer, nor a shutdown, for longer than all of these together. */
const ATTEMPTS = 3
const ATTEMPT_SECONDS = 5
const PAUSE_SECONDS = 1

/**
 * Delivers one ping, or warns that it could not be delivered. Never throws.
 *
 * @param url - a secret: it is in no message
 * @param signal - gives up: what this ping says is no longer true
 */
export async function sendPing(
  { log, environment }: PingDeps,
  url: string,
  kind: PingKind,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  const address = pingAddress(url, kind)
  try {
    await trustBundle(environment)
    const post = poster(environment, address, body)
    for (let attempt = 1; ; attempt++) {
      const problem = await post(AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_SECONDS * 1000)]))
      if (problem === undefined || signal.aborted) return
      if (!problem.mayPass || attempt === ATTEMPTS) {
        log.warn(`the ping of ${kind} was not delivered: ${problem.what}`)
        return
      }
      await sleep(PAUSE_SECONDS * 1000, undefined, { signal })
    }
  } catch (error) {
    if (!signal.aborted) log.warn(`the ping of ${kind} was not sent: ${describePingError(error, address)}`)
  }
}

interface Problem {
  readonly what: string
  readonly mayPass: boolean
}

function poster(environment: Environment, address: URL, body: string) {
  const route = planRoute(environment)
  const handler = httpHandler({
    ...{ route, connectionsMax: 1, connectSeconds: ATTEMPT_SECONDS, silenceSeconds: ATTEMPT_SECONDS },
  })
  const { protocol, hostname, port, pathname, searchParams } = address
  const bytes = Buffer.from(body)
  const headers = {
    ...{ host: address.host, 'user-agent': 'snapstream', 'content-type': 'text/plain; charset=utf-8' },
    'content-length': String(bytes.length),
  }
  return async (signal: AbortSignal): Promise<Problem | undefined> => {
    const request = new HttpRequest({
      ...{ method: 'POST', protocol, hostname, path: pathname, headers, body: bytes },
      query: Object.fromEntries(searchParams),
      ...(port !== '' && { port: Number(port) }),
    })
    try {
      const { response } = await handler.handle(request, { abortSignal: signal })
      const { statusCode } = response
      ;(response.body as { resume?: () => void } | undefined)?.resume?.()
      if (statusCode >= 200 && statusCode < 300) return undefined
      return { what: `the answer is ${statusCode}`, mayPass: statusCode === 429 || statusCode >= 500 }
    } catch (error) {
      return { what: describePingError(error, address), mayPass: true }
    }
  }
}

/** Reads bodies again that break off on their way. */
import { AgentError } from '../errors'
import type { Failing } from './retries.io'
import type { S3Connection } from './client.io'
import { interrupted, storeError } from './errors'

/** How often a body is read that does not have the checksum it came with. */
const MISREAD_MAX = 5
/** Codes of errors by which a body breaks off. */
const BREAKS = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ERR_STREAM_PREMATURE_CLOSE']

/**
 * Repeats a read for as long as an outage may last. The SDK retries requests, but not their bodies.
 *
 * @param filledBytes - how far it came: what gets on at all is no outage
 * @throws AgentError
 */
export async function retryBody<T>(
  s3: S3Connection,
  key: string,
  signal: AbortSignal,
  read: () => Promise<T>,
  filledBytes = () => 0,
): Promise<T> {
  const operation = { name: 'GetObject', key, bucket: s3.bucket, region: s3.region }
  const startedAt = s3.clock.nowSeconds()
  let failing: Failing = { retries: 0 }
  for (let attempts = 1; ; attempts++) {
    const filledBefore = filledBytes()
    try {
      return await read()
    } catch (error) {
      if (error instanceof AgentError) throw error // the request itself failed, after all its retries
      if (signal.aborted) throw interrupted(operation, error)
      s3.log.debug(`the body of ${key} broke off, attempt ${attempts}: ${String(error)}`)
      if (filledBytes() > filledBefore) failing = { retries: 0 }
      const next = isBreak(error)
        ? await s3.retries.afterFailure(failing, 'TRANSIENT', signal).catch((cause: unknown) => {
            throw interrupted(operation, cause)
          })
        : attempts < MISREAD_MAX && failing
      if (!next) throw storeError(error, { ...operation, attempts, seconds: s3.clock.nowSeconds() - startedAt })
      failing = next
    }
  }
}

function isBreak(error: unknown): boolean {
  const { code, name } = error as NodeJS.ErrnoException
  return name === 'TimeoutError' || BREAKS.includes(code ?? '')
}

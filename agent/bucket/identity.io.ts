import { AgentError, hasCode } from '../errors'
import type { Environment } from '../options/resolve'
import { readInstance } from './instance-metadata.io'
import type { Clock } from './retries.io'

/** Where S3-compatible servers are said to be when nobody says anything. */
const ELSEWHERE = 'us-east-1'

export interface Identity {
  /** First component of all keys of this host after the class: the instance's ARN, or the name that was given. */
  readonly host: string
  /** Of the bucket. */
  readonly region: string
}

/** What is already known of the identity, from options. */
export interface KnownIdentity {
  readonly host: string | undefined
  readonly region: string | undefined
  readonly endpointUrl: string | undefined
}

/**
 * Finds out which host this is, and which region the bucket is in: from what was given, then AWS_REGION, then the
 * instance metadata service. The service is asked only where something is missing.
 *
 * @throws AgentError USAGE or ENDPOINT_UNREACHABLE where something is missing and this is no EC2 instance
 */
export async function readIdentity(
  known: KnownIdentity,
  environment: Environment,
  signal: AbortSignal,
  clock?: Clock,
): Promise<Identity> {
  if (known.host !== undefined) return { host: known.host, region: await readRegion(known, environment, signal, clock) }
  const instance = await readInstance(environment, signal, clock)
  return { host: instance.arn, region: givenRegion(known, environment) ?? instance.region }
}

function givenRegion({ region }: Pick<KnownIdentity, 'region'>, environment: Environment): string | undefined {
  return region ?? environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION']
}

/** Which region the bucket is in, whatever host this is. Throws as `readIdentity`. */
export async function readRegion(
  known: Omit<KnownIdentity, 'host'>,
  environment: Environment,
  signal: AbortSignal,
  clock?: Clock,
): Promise<string> {
  const region = givenRegion(known, environment) ?? (known.endpointUrl === undefined ? undefined : ELSEWHERE)
  if (region !== undefined) return region
  try {
    return (await readInstance(environment, signal, clock)).region
  } catch (cause) {
    signal.throwIfAborted()
    const isForbidden = hasCode(cause, 'USAGE')
    const why = isForbidden ? '' : `: ${(cause as Error).message}`
    throw new AgentError(
      isForbidden ? 'USAGE' : 'ENDPOINT_UNREACHABLE',
      `it is not known which region is meant${why}`,
      {
        hint: 'Give --region, or set AWS_REGION.',
        cause,
      },
    )
  }
}

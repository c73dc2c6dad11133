/** The instance metadata service (IMDSv2) as far as the agent asks it: which instance is this? */

import { REGION_PATTERN } from '../contract'
import { AgentError } from '../errors'
import type { Environment } from '../options/resolve'
import { SYSTEM_CLOCK, type Clock } from './retries.io'

/** Link-local, so there at once; but not yet in the first moments after booting, nor while the hypervisor is updated. */
const REQUEST_SECONDS_MAX = 2
/** How long it is asked again. An operator elsewhere, who has forgotten --host, waits for that long too. */
const PATIENCE_SECONDS = 10
const RETRY_DELAY_SECONDS = 0.5
const TOKEN_TTL_SECONDS = 60

export interface Instance {
  readonly arn: string
  readonly region: string
  readonly instanceId: string
  /** Availability zone and type: empty where the document has none that looks like one. */
  readonly zone: string
  readonly instanceType: string
}

/**
 * Asks the metadata service, with a session token only, which instance this is.
 *
 * @throws AgentError USAGE where the environment says that it must not be asked, ENDPOINT_UNREACHABLE where no such
 * service answers: the name of this host and its region must then be given
 */
export async function readInstance(
  environment: Environment,
  signal: AbortSignal,
  clock: Clock = SYSTEM_CLOCK,
): Promise<Instance> {
  const endpoint = endpointOf(environment)
  const startedAt = clock.nowSeconds()
  for (let delaySeconds = RETRY_DELAY_SECONDS; ; delaySeconds *= 2) {
    try {
      return await askOnce(endpoint, signal)
    } catch (cause) {
      signal.throwIfAborted()
      const isEnough = clock.nowSeconds() + delaySeconds - startedAt > PATIENCE_SECONDS
      if (isEnough || isFinal(cause)) throw noInstance(endpoint, cause)
      await clock.sleep(delaySeconds, signal)
    }
  }
}

/** @throws AgentError USAGE where the environment says that it must not be asked */
export function endpointOf(environment: Environment): string {
  if (environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') {
    throw new AgentError('USAGE', 'AWS_EC2_METADATA_DISABLED keeps the agent from asking which instance this is', {
      hint: HINT,
    })
  }
  const ipv6 = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE']?.toLowerCase() === 'ipv6'
  const standard = ipv6 ? 'http://[fd00:ec2::254]' : 'http://169.254.169.254'
  return (environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? standard).replace(/\/$/, '')
}

async function askOnce(endpoint: string, signal: AbortSignal): Promise<Instance> {
  const ask = await openSession(endpoint, signal)
  const { accountId, ...document } = parseDocument(await ask('dynamic/instance-identity/document'))
  const partition = parsePartition(await ask('meta-data/services/partition'))
  const { region, instanceId } = document
  return { ...document, arn: `arn:${partition}:ec2:${region}:${accountId}:instance/${instanceId}` }
}

/** Asks for one thing, by its path. */
export type Ask = (path: string, encoding?: 'utf8' | 'latin1') => Promise<string>

export async function openSession(endpoint: string, signal: AbortSignal): Promise<Ask> {
  const request = async (path: string, init: RequestInit, encoding: BufferEncoding = 'utf8'): Promise<string> => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_SECONDS_MAX * 1000)])
    const response = await fetch(`${endpoint}/latest/${path}`, { ...init, signal: limit, redirect: 'error' })
    const body = Buffer.from(await response.arrayBuffer()).toString(encoding)
    if (response.ok) return body
    const message = `${path}: HTTP status ${response.status}`
    throw response.status >= 500 || response.status === 429 ? new Error(message) : answeredWrongly(message)
  }
  const token = await request('api/token', {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS) },
  })
  return (path, encoding) => request(path, { headers: { 'x-aws-ec2-metadata-token': token } }, encoding)
}

/** What goes into keys and signatures is taken from the document only where it looks as it should. */
function parseDocument(json: string): Omit<Instance, 'arn'> & { readonly accountId: string } {
  const { region, accountId, instanceId, availabilityZone, instanceType } = parseJson(json)
  const asExpected = (value: unknown, pattern: RegExp): value is string =>
    typeof value === 'string' && pattern.test(value)
  if (
    asExpected(region, new RegExp(REGION_PATTERN)) &&
    asExpected(accountId, /^\d{12}$/) &&
    asExpected(instanceId, /^i-[0-9a-f]+$/)
  ) {
    const plain = (value: unknown) => (asExpected(value, /^[a-z0-9][a-z0-9.-]{1,63}$/) ? value : '')
    return { region, accountId, instanceId, zone: plain(availabilityZone), instanceType: plain(instanceType) }
  }
  throw answeredWrongly(`the instance identity document is not understood: ${json.slice(0, 200)}`)
}

function parseJson(json: string): Record<string, unknown> {
  try {
    return (JSON.parse(json) ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}

function parsePartition(text: string): string {
  const partition = text.trim()
  if (/^aws(-[a-z]+)*$/.test(partition)) return partition
  throw answeredWrongly(`the partition is not understood: ${text.slice(0, 200)}`)
}

/** The service is there and means what it says: asking again would change nothing. */
function answeredWrongly(message: string): Error {
  return Object.assign(new Error(message), { isFinal: true })
}

function isFinal(error: unknown): boolean {
  return error instanceof Error && 'isFinal' in error
}

const HINT =
  'Outside EC2 give the name of the host with --host, and the region with --region. ' +
  'In a container on EC2, allow the metadata response two hops.'

function noInstance(endpoint: string, cause: unknown): AgentError {
  const message = `the instance metadata service at ${endpoint} gave no answer: ${reasonOf(cause)}`
  return new AgentError('ENDPOINT_UNREACHABLE', message, { hint: HINT, cause })
}

/** `fetch` hides why it failed in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

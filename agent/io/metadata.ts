/** The instance metadata service (IMDSv2) as far as the agent asks it: which instance is this? */

import { AgentError } from '../errors'
import type { Environment } from '../plan/config'

/** Link-local, so either there at once or not at all. */
const REQUEST_SECONDS_MAX = 2
const TOKEN_TTL_SECONDS = 60

export interface Instance {
  readonly arn: string
  readonly region: string
}

/**
 * Asks the metadata service, with a session token only, which instance this is.
 *
 * @throws AgentError USAGE where no such service answers: this host's name and region must then be given
 */
export async function readInstance(environment: Environment, signal: AbortSignal): Promise<Instance> {
  const endpoint = endpointOf(environment)
  try {
    const ask = await openSession(endpoint, signal)
    const { region, accountId, instanceId } = parseDocument(await ask('dynamic/instance-identity/document'))
    const partition = (await ask('meta-data/services/partition')).trim()
    return { arn: `arn:${partition}:ec2:${region}:${accountId}:instance/${instanceId}`, region }
  } catch (cause) {
    signal.throwIfAborted()
    throw notAnInstance(`the instance metadata service at ${endpoint} gave no answer: ${reasonOf(cause)}`, cause)
  }
}

function endpointOf(environment: Environment): string {
  if (environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') {
    throw notAnInstance('AWS_EC2_METADATA_DISABLED keeps the agent from asking which instance this is', undefined)
  }
  const ipv6 = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE']?.toLowerCase() === 'ipv6'
  const standard = ipv6 ? 'http://[fd00:ec2::254]' : 'http://169.254.169.254'
  return (environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? standard).replace(/\/$/, '')
}

type Ask = (path: string) => Promise<string>

async function openSession(endpoint: string, signal: AbortSignal): Promise<Ask> {
  const request = async (path: string, init: RequestInit): Promise<string> => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_SECONDS_MAX * 1000)])
    const response = await fetch(`${endpoint}/latest/${path}`, { ...init, signal: limit, redirect: 'error' })
    const body = await response.text()
    if (!response.ok) throw new Error(`${path}: HTTP status ${response.status}`)
    return body
  }
  const token = await request('api/token', {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS) },
  })
  return (path) => request(path, { headers: { 'x-aws-ec2-metadata-token': token } })
}

/** What goes into keys and signatures is taken from the document only where it looks as it should. */
function parseDocument(json: string): { region: string; accountId: string; instanceId: string } {
  const { region, accountId, instanceId } = JSON.parse(json) as Record<string, unknown>
  const asExpected = (value: unknown, pattern: RegExp): value is string =>
    typeof value === 'string' && pattern.test(value)
  if (
    asExpected(region, /^[a-z]{2,}(-[a-z]+)+-\d+$/) &&
    asExpected(accountId, /^\d{12}$/) &&
    asExpected(instanceId, /^i-[0-9a-f]+$/)
  ) {
    return { region, accountId, instanceId }
  }
  throw new Error(`the instance identity document is not understood: ${json.slice(0, 200)}`)
}

function notAnInstance(message: string, cause: unknown): AgentError {
  return new AgentError('USAGE', message, {
    hint:
      'Outside EC2 give the name of the host with --host, and the region with --region. ' +
      'In a container on EC2, allow the metadata response two hops.',
    cause,
  })
}

/** `fetch` hides why it failed in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

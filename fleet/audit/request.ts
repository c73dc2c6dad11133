/** What a pass is asked for: by the deployment, in the function's environment, and by whoever invokes it. */
import { AgentError } from '../../agent/errors'
import { AuditorVariable, type AuditorEvent } from '../model/auditor'
import { fleetConfigSchema, type FleetConfig } from '../model/config'
import type { AuditRequest } from './audit.io'

export interface Invocation {
  readonly event: AuditorEvent | null
  /** Of the function. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Of the fleet, as JSON; undefined where the bundle has none. */
  readonly fleet: string | undefined
  /** ARN of the function. */
  readonly arn: string
  readonly version: string
}

export interface PassRequest extends AuditRequest {
  readonly topicArn: string
}

/** @throws AgentError CONFIG_INVALID where the function was not deployed by the stack */
export function parseInvocation({ event, environment, fleet, arn, version }: Invocation): PassRequest {
  const place = parsePlace(arn)
  const need = (name: string) => environment[name] ?? refuse(`the variable ${name} is not set`)
  const config = parseConfig(fleet)
  return {
    bucket: need(AuditorVariable.bucket),
    topicArn: need(AuditorVariable.topic),
    stack: need(AuditorVariable.stack),
    perHostMetrics: environment[AuditorVariable.perHostMetrics] === 'yes',
    // Where the auditor runs, it needs no role.
    config: { ...config, accounts: [place, ...config.accounts] },
    digest: event?.digest === true,
    place,
    version,
  }
}

function parsePlace(arn: string) {
  const [, , , region = '', account = ''] = arn.split(':')
  return /^\d{12}$/.test(account) && region !== '' ? { account, region } : refuse(`${arn} is no ARN of a function`)
}

function parseConfig(json: string | undefined): FleetConfig {
  if (json === undefined) return refuse('the bundle has no configuration of a fleet')
  const parsed = fleetConfigSchema.safeParse(JSON.parse(json))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return refuse(`the configuration of the fleet is wrong: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

function refuse(what: string): never {
  throw new AgentError('CONFIG_INVALID', `the auditor cannot begin: ${what}`, {
    hint: 'Deploy the stack again: it makes the function with all that it needs.',
  })
}

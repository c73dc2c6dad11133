/** Which S3 is talked to: that of AWS, in one of its partitions, or a server elsewhere. */
import { AgentError } from '../errors'
import type { Environment } from '../options/resolve'
import { OPTIONS } from '../options/table'

/** In this order, as the SDK has it. */
const VARIABLES = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL']

/**
 * The endpoint that was given, or else that of the variables which all of AWS's tools know.
 *
 * @throws AgentError USAGE where a variable holds no URL of an endpoint
 */
export function chooseEndpoint(given: string | undefined, environment: Environment): string | undefined {
  if (given !== undefined || environment['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true') return given
  const variable = VARIABLES.find((name) => environment[name])
  if (variable === undefined) return undefined
  const { type } = OPTIONS.endpointUrl
  const parsed = type.schema.safeParse(environment[variable])
  if (parsed.success) return parsed.data as string
  // What is there is not shown: it may hold a password, which is one of the things that do not belong there.
  throw new AgentError('USAGE', `${variable} must be ${type.expected}`, {
    hint: 'Correct the variable, or give --endpoint-url, which takes precedence.',
  })
}

/**
 * Suffixes of all hosts of AWS, by partition: `dnsSuffix` and `dualStackDnsSuffix` in the SDK's partitions.json, which
 * FIPS, dual-stack and VPC endpoints have as well.
 */
const AWS_SUFFIXES = [
  ...['amazonaws.com', 'api.aws', 'on.aws'],
  ...['amazonaws.com.cn', 'api.amazonwebservices.com.cn', 'on.amazonwebservices.com.cn'],
  ...['amazonaws.eu', 'api.amazonwebservices.eu', 'on.amazonwebservices.eu'],
  ...['c2s.ic.gov', 'api.aws.ic.gov'],
  ...['sc2s.sgov.gov', 'api.aws.scloud'],
  ...['cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
  ...['csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
]

/** Whether it is S3 itself that answers there, which is known to refuse what would overwrite an object. */
export function isAws(hostname: string): boolean {
  return AWS_SUFFIXES.some((suffix) => hostname.toLowerCase().endsWith(`.${suffix}`))
}

/** Of these, the SDK takes whatever else they hold for nothing: a host would leave FIPS without a word. */
const SWITCHES = ['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']

/** @throws AgentError USAGE where a variable that is on or off is neither */
export function assertSwitches(environment: Environment): void {
  for (const name of SWITCHES) {
    const value = environment[name]
    if (!value || value === 'true' || value === 'false') continue
    throw new AgentError('USAGE', `${name} must be true or false, not '${value.slice(0, 80)}'`, {
      hint: 'Correct the variable, in lower case, or unset it.',
    })
  }
}

/** What the environment asks of AWS's endpoints, for people. */
export function describeEndpointSettings(environment: Environment): string[] {
  const isOn = (name: string) => environment[name] === 'true'
  return [
    ...(isOn('AWS_USE_FIPS_ENDPOINT') ? ['FIPS'] : []),
    ...(isOn('AWS_USE_DUALSTACK_ENDPOINT') ? ['dual-stack'] : []),
  ]
}

/** Accounts by the SDK's clients, which are loaded when the first account is asked: few commands need them. */
import type { Filter } from '@aws-sdk/client-ec2'
import type { CommandFilter } from '@aws-sdk/client-ssm'
import { chooseCredentials, type CredentialProvider } from '../../agent/bucket/credentials.io'
import { httpHandler } from '../../agent/bucket/http-handler.io'
import { DIRECT, planRoute, type Route } from '../../agent/bucket/proxy'
import type { Environment } from '../../agent/options/resolve'
import type { Account, OpenAccount, Place } from './account'
import { batchesOf, tagFilters, toInstances, toInvocation, toNode } from './account-shapes'
import { asked, pagesOf } from './pages.io'
import { windowExecutions } from './windows.io'

export interface AccountOptions {
  /** Name of the vault's bucket: roles of other accounts ask for it, so that nobody else's auditor can be made to use them. */
  readonly bucket: string
  readonly credentials: CredentialProvider
  readonly signal: AbortSignal
  /** Of all services, in tests; else what AWS's variables say. */
  readonly endpointUrl?: string
  readonly route?: Route
}

const CONNECT_TIMEOUT_SECONDS = 10
/** These services answer within seconds, or not at all. */
const REQUEST_SECONDS_MAX = 60
const CONNECTIONS_MAX = 8
/** To the services that credentials come from. */
const FEW_REQUESTS = { connectionsMax: 4, connectSeconds: 10, silenceSeconds: 30 }
/** The services refuse what comes too fast: it is sent again, later each time. */
const ATTEMPTS = 8
const SESSION = 'snapstream-auditor'
/** The most that one answer of each has (API references). */
const PAGE = { instances: 1000, nodes: 50, invocations: 50 }
/** Filters may have so many values (EC2 API reference, DescribeInstances). */
const FILTER_VALUES_MAX = 200
/** What did not succeed in the last days: of more, the newest are enough to see why. */
const FAILED_PAGES_MAX = 20
const FAILED = ['Failed', 'TimedOut', 'Cancelled'] as const

/** For programs: with the credentials and the proxy that the environment names. */
export function openAccounts(bucket: string, environment: Environment, signal: AbortSignal): OpenAccount {
  const route = planRoute(environment)
  const credentials = chooseCredentials(environment, httpHandler({ route, ...FEW_REQUESTS }))
  return accountOpener({ bucket, credentials, route, signal })
}

export function accountOpener(options: AccountOptions): OpenAccount {
  const { signal, endpointUrl, route = DIRECT, bucket } = options
  const requestHandler = httpHandler({
    ...{ route, connectionsMax: CONNECTIONS_MAX },
    ...{ connectSeconds: CONNECT_TIMEOUT_SECONDS, silenceSeconds: REQUEST_SECONDS_MAX },
  })
  const configOf = (region: string, credentials: CredentialProvider) => ({
    ...{ region, credentials, requestHandler, maxAttempts: ATTEMPTS, retryMode: 'adaptive' },
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
  })
  return async (place) => {
    const { region, roleArn } = place
    const credentials =
      roleArn === undefined
        ? options.credentials
        : await assume(configOf(region, options.credentials), roleArn, bucket, signal)
    return openOne(place, configOf(region, credentials), signal)
  }
}

type Config = Readonly<{ region: string; credentials: CredentialProvider; maxAttempts: number; retryMode: string }>

async function assume(
  config: Config,
  RoleArn: string,
  ExternalId: string,
  signal: AbortSignal,
): Promise<CredentialProvider> {
  const { STSClient, AssumeRoleCommand } = await import('@aws-sdk/client-sts')
  const command = new AssumeRoleCommand({ RoleArn, ExternalId, RoleSessionName: SESSION })
  const { Credentials } = await asked(`sts:AssumeRole of ${RoleArn}`, () =>
    new STSClient(config).send(command, { abortSignal: signal }),
  )
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '', Expiration } = Credentials ?? {}
  return () =>
    Promise.resolve({
      ...{ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
      ...(Expiration && { expiration: Expiration }),
    })
}

async function openOne(place: Place, config: Config, signal: AbortSignal): Promise<Account> {
  const { EC2Client, DescribeInstancesCommand } = await import('@aws-sdk/client-ec2')
  const sdk = await import('@aws-sdk/client-ssm')
  const ec2 = new EC2Client(config)
  const ssm = new sdk.SSMClient(config)
  const how = { abortSignal: signal }

  const describeInstances = (filter: Filter) =>
    pagesOf('ec2:DescribeInstances', async (NextToken) => {
      const command = new DescribeInstancesCommand({ Filters: [filter], MaxResults: PAGE.instances, NextToken })
      const page = await ec2.send(command, how)
      return { items: toInstances(page), next: page.NextToken }
    })
  const listInvocations = (
    which: { readonly CommandId?: string; readonly Filters?: CommandFilter[] },
    pagesMax?: number,
  ) =>
    pagesOf(
      'ssm:ListCommandInvocations',
      async (NextToken) => {
        const command = new sdk.ListCommandInvocationsCommand({ ...which, MaxResults: PAGE.invocations, NextToken })
        const page = await ssm.send(command, how)
        return { items: (page.CommandInvocations ?? []).map(toInvocation), next: page.NextToken }
      },
      pagesMax,
    )

  return {
    async findTagged(tags) {
      const found = await Promise.all(tagFilters(tags).map(describeInstances))
      return [...new Map(found.flat().map((instance) => [instance.instanceId, instance])).values()]
    },
    async findInstances(instanceIds) {
      // By a filter, and not by the ids: EC2 refuses all of those where it does not know one.
      const batches = batchesOf(instanceIds, FILTER_VALUES_MAX).map((Values) => ({ Name: 'instance-id', Values }))
      return (await Promise.all(batches.map(describeInstances))).flat()
    },
    listManagedNodes: () =>
      pagesOf('ssm:DescribeInstanceInformation', async (NextToken) => {
        const Filters = [{ Key: 'PlatformTypes', Values: ['Linux'] }]
        const command = new sdk.DescribeInstanceInformationCommand({ Filters, MaxResults: PAGE.nodes, NextToken })
        const page = await ssm.send(command, how)
        return { items: (page.InstanceInformationList ?? []).map(toNode), next: page.NextToken }
      }),
    async listFailedInvocations(since) {
      const after = {
        key: 'InvokedAfter',
        value: new Date(since * 1000).toISOString().replace(/\.\d+Z$/, 'Z'),
      } as const
      const found = await Promise.all(
        FAILED.map((value) => listInvocations({ Filters: [after, { key: 'Status', value }] }, FAILED_PAGES_MAX)),
      )
      return found.flat()
    },
    listInvocations: (commandId) => listInvocations({ CommandId: commandId }),
    listWindowExecutions: (schedules, since) => windowExecutions({ sdk, ssm, how, schedules, since, place }),
  }
}

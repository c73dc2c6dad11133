/** What EC2 and Systems Manager answer, in our words. */
import type { DescribeInstancesCommandOutput, Filter, Instance as Ec2Instance } from '@aws-sdk/client-ec2'
import type { CommandInvocation, InstanceInformation } from '@aws-sdk/client-ssm'
import type { Instance, Invocation, ManagedNode } from './account'

/** Filters of one request have all to hold, values of one filter need not: a filter, and a request, for each key. */
export function tagFilters(tags: readonly { readonly key: string; readonly value: string }[]): readonly Filter[] {
  const byKey = Map.groupBy(tags, ({ key }) => key)
  return [...byKey].map(([key, given]) => ({
    Name: `tag:${key}`,
    Values: [...new Set(given.map(({ value }) => value))],
  }))
}

export function batchesOf<T>(items: readonly T[], most: number): T[][] {
  const batches = Math.ceil(items.length / most)
  return Array.from({ length: batches }, (_, index) => items.slice(index * most, (index + 1) * most))
}

export function toInstances({ Reservations = [] }: Pick<DescribeInstancesCommandOutput, 'Reservations'>): Instance[] {
  return Reservations.flatMap(({ Instances = [] }) => Instances).flatMap((instance) => toInstance(instance) ?? [])
}

function toInstance({ InstanceId, State, Tags = [] }: Ec2Instance): Instance | undefined {
  if (InstanceId === undefined) return undefined
  const tags = new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value]))
  const name = tags.get('Name')
  return { instanceId: InstanceId, ...(name ? { name } : {}), power: powerOf(State?.Name), tags }
}

function powerOf(state: string | undefined): Instance['power'] {
  if (state === 'terminated' || state === 'shutting-down') return 'terminated'
  return state === 'stopped' || state === 'stopping' ? 'stopped' : 'running'
}

const PINGS: Readonly<Record<string, ManagedNode['ping']>> = { Online: 'online', Inactive: 'inactive' }

export function toNode(node: InstanceInformation): ManagedNode {
  const { InstanceId = '', Name, ComputerName, PingStatus = '', LastPingDateTime } = node
  return {
    nodeId: InstanceId,
    ...(Name ? { name: Name } : {}),
    ...(ComputerName ? { computerName: ComputerName } : {}),
    ping: PINGS[PingStatus] ?? 'lost',
    ...(LastPingDateTime && { lastPingAt: toSeconds(LastPingDateTime) }),
  }
}

export function toInvocation(invocation: CommandInvocation): Invocation {
  const { CommandId = '', InstanceId = '', DocumentName = '', Comment = '', Status = '', StatusDetails } = invocation
  return {
    ...{ commandId: CommandId, nodeId: InstanceId, document: DocumentName, comment: Comment },
    ...{ requestedAt: toSeconds(invocation.RequestedDateTime ?? new Date(0)), status: Status },
    statusDetails: StatusDetails ?? Status,
  }
}

export function toSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}

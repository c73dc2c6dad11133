/** Every host that ought to have backups: whoever says so, each once. */
import { without } from '../evidence/without'
import type { FleetConfig } from '../model/config'
import type { AccountView, Expectation, ExpectedHost, Inventory } from '../model/records'
import type { Instance, ManagedNode, Place } from './account'

/** What an account answered, or why it did not. */
export interface AccountAnswer {
  readonly place: Place
  readonly instances: readonly Instance[]
  readonly nodes: readonly ManagedNode[]
  readonly problem?: string
}

/** @param written - hosts that have runs in the bucket */
export function joinInventory(
  config: FleetConfig,
  answers: readonly AccountAnswer[],
  written: Iterable<string>,
): Inventory {
  const hosts = new Map<string, ExpectedHost>()
  const add = (host: ExpectedHost): void => {
    const known = hosts.get(host.host)
    hosts.set(host.host, known ? merge(known, host) : host)
  }
  const names = new Set(written)
  for (const answer of answers) {
    for (const instance of answer.instances) {
      const host = fromInstance(config, answer.place, instance)
      // Of one that bears no tag any more and never had a run, nobody expects anything.
      if (host.classes.length > 0 || names.has(host.host)) add(host)
    }
    for (const node of answer.nodes) add(fromNode(answer.place, node, names))
  }
  for (const { host, classes } of config.expectedHosts) add({ host, expectedBy: ['list'], classes })
  for (const host of names) add({ host, expectedBy: ['manifest'], classes: [] })
  return { hosts: [...hosts.values()], accounts: answers.map(viewOf) }
}

/**
 * With the hosts that an account had when it was last read, where it could not be read now: whether they are still there is not known,
 * nor whether they run, but they are not missing, and it is not forgotten since when their backups are expected.
 */
export function withRemembered(inventory: Inventory, remembered: readonly ExpectedHost[]): Inventory {
  const unread = inventory.accounts.filter(({ problem }) => problem !== undefined)
  const hosts = new Map(inventory.hosts.map((each) => [each.host, each]))
  for (const each of remembered) {
    if (!unread.some(({ account, region }) => each.account === account && each.region === region)) continue
    const host = without(each, 'power', 'managed')
    const known = hosts.get(host.host)
    hosts.set(host.host, known ? merge(known, host) : host)
  }
  return { ...inventory, hosts: [...hosts.values()] }
}

export function instanceArn({ account, region }: Place, instanceId: string): string {
  return `arn:${partitionOf(region)}:ec2:${region}:${account}:instance/${instanceId}`
}

/** As AWS names the parts of itself. */
function partitionOf(region: string): string {
  const [prefix = ''] = /^(cn|us-gov|us-iso|us-isob|eu-isoe|us-isof|eusc)(?=-)/.exec(region) ?? []
  const partitions: Readonly<Record<string, string>> = {
    cn: 'aws-cn',
    'us-gov': 'aws-us-gov',
    'us-iso': 'aws-iso',
    'us-isob': 'aws-iso-b',
    'eu-isoe': 'aws-iso-e',
    'us-isof': 'aws-iso-f',
    eusc: 'aws-eusc',
  }
  return partitions[prefix] ?? 'aws'
}

function fromInstance(config: FleetConfig, place: Place, instance: Instance): ExpectedHost {
  const { instanceId, name, power, tags } = instance
  const classes = config.schedules.filter(({ tag }) => tags.get(tag.key) === tag.value).map((each) => each.class)
  return {
    host: instanceArn(place, instanceId),
    ...(name !== undefined && { name }),
    ...{ account: place.account, region: place.region, power },
    expectedBy: classes.length > 0 ? ['tag'] : [],
    classes: [...new Set(classes)],
  }
}

/** A machine that is no instance has its backups under a name that it was given: its own, if any that the bucket knows. */
function fromNode(place: Place, node: ManagedNode, written: ReadonlySet<string>): ExpectedHost {
  const { nodeId, name, computerName, ping, lastPingAt } = node
  const isInstance = nodeId.startsWith('i-')
  const host = isInstance
    ? instanceArn(place, nodeId)
    : ([name, computerName].find((each) => each !== undefined && written.has(each)) ?? nodeId)
  const shown = name ?? computerName
  return {
    host,
    ...(shown !== undefined && { name: shown }),
    ...{ account: place.account, region: place.region },
    expectedBy: ['managed'],
    classes: [],
    managed: { ping, ...(lastPingAt !== undefined && { lastPingAt }) },
  }
}

function merge(a: ExpectedHost, b: ExpectedHost): ExpectedHost {
  const expectedBy: readonly Expectation[] = [...new Set([...a.expectedBy, ...b.expectedBy])]
  return { ...b, ...a, expectedBy, classes: [...new Set([...a.classes, ...b.classes])] }
}

function viewOf({ place: { account, region }, problem }: AccountAnswer): AccountView {
  return { account, region, ...(problem !== undefined && { problem }) }
}

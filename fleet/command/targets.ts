/** Which hosts a command goes to, as operators name them. */
import { AgentError } from '../../agent/errors'
import type { CommandTargets, TargetTag } from './systems-manager'

/** Hosts that one command may name, tags it may give, and values of each (API reference of SendCommand). */
const NAMED_HOSTS_MAX = 50
const TAGS_MAX = 5
const TAG_VALUES_MAX = 50
/** What tags of EC2 are made of (EC2 user guide, "Tag restrictions"). */
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/u
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u
const INSTANCE_ID = /^(i-[0-9a-f]{8}|i-[0-9a-f]{17}|mi-[0-9a-f]{17})$/
const INSTANCE_ARN = /^arn:[a-z-]+:(?:ec2|ssm):([a-z0-9-]+):[0-9]{12}:(?:instance|managed-instance)\/(m?i-[0-9a-f]+)$/

export interface TargetRequest {
  readonly tag: readonly string[]
  readonly hosts: readonly string[]
}

/**
 * @param region - where the command is sent: no host of another one can get it
 * @throws AgentError USAGE
 */
export function chooseTargets({ tag, hosts }: TargetRequest, region: string): CommandTargets {
  if (tag.length > 0 && hosts.length > 0) {
    throw usage('--tag and --hosts are both given', 'Name hosts by a tag that they bear, or one by one.')
  }
  if (hosts.length > 0) return { kind: 'hosts', instanceIds: chooseHosts(hosts, region) }
  if (tag.length > 0) return { kind: 'tags', tags: chooseTags(tag) }
  throw usage('it is not said which hosts the command is for', 'Give --tag KEY=VALUE or --hosts HOST,HOST.')
}

function chooseHosts(hosts: readonly string[], region: string): string[] {
  const ids = [...new Set(hosts.map((host) => instanceIdOf(host, region)))]
  if (ids.length <= NAMED_HOSTS_MAX) return ids
  throw usage(
    `${ids.length} hosts are named, and one command takes ${NAMED_HOSTS_MAX}`,
    'Name them by a tag with --tag, or send several commands.',
  )
}

function instanceIdOf(host: string, region: string): string {
  const [, itsRegion, idOfArn] = INSTANCE_ARN.exec(host) ?? []
  const id = idOfArn ?? host
  if (!INSTANCE_ID.test(id)) {
    throw usage(
      `--hosts names '${host.slice(0, 100)}', to which Systems Manager can send nothing`,
      'Name hosts by the ID of an instance such as i-0123456789abcdef0, by that of a managed node (mi-…), or by the ARN of an instance, as "snapstream-fleet status" shows it.',
    )
  }
  if (itsRegion === undefined || itsRegion === region) return id
  throw usage(
    `${host} is in ${itsRegion}, and the command goes to ${region}`,
    `Send a command of its own there: --region ${itsRegion}.`,
  )
}

function chooseTags(texts: readonly string[]): TargetTag[] {
  const byKey = new Map<string, string[]>()
  for (const text of texts) {
    const { key, value } = parseTag(text)
    const values = byKey.get(key) ?? []
    if (!values.includes(value)) byKey.set(key, [...values, value])
  }
  if (byKey.size > TAGS_MAX) throw usage(`${byKey.size} tags are given`, `One command takes ${TAGS_MAX}.`)
  return Array.from(byKey, ([key, values]) => {
    if (values.length <= TAG_VALUES_MAX) return { key, values }
    throw usage(`${values.length} values of the tag ${key} are given`, `One command takes ${TAG_VALUES_MAX}.`)
  })
}

function parseTag(text: string): { readonly key: string; readonly value: string } {
  const at = text.indexOf('=')
  const [key, value] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)]
  if (at > 0 && TAG_KEY.test(key) && TAG_VALUE.test(value)) return { key, value }
  throw usage(`--tag is '${text.slice(0, 100)}'`, 'Write it KEY=VALUE, for example --tag Backup=true.')
}

function usage(what: string, hint: string): AgentError {
  return new AgentError('USAGE', what, { hint })
}

/** For people. */
export function describeTargets(targets: CommandTargets): string {
  if (targets.kind === 'hosts') return targets.instanceIds.join(', ')
  return targets.tags.map(({ key, values }) => `${key}=${values.join('|')}`).join(' and ')
}

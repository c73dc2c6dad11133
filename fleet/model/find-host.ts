/** Which host of a fleet somebody means. */
import { AgentError } from '../../agent/errors'
import { findNearest } from '../../agent/lib/nearest'
import { printableLine } from '../../agent/lib/printable'
import { shortName } from './wording'
import type { AccountView, HostView } from './records'

/** Of hosts that share a name, so many are named. */
const NAMED_MAX = 5

type Named = Pick<HostView, 'host' | 'name'>

/**
 * @param wanted - an ARN, an instance's id, or a name: of its tag, or in the bucket
 * @param accounts - where hosts were looked for: one that could not be read may have it
 * @throws AgentError UNKNOWN_HOST where there is none, with the one that comes nearest, or where there are several
 */
export function findHost<Host extends Named>(
  hosts: readonly Host[],
  wanted: string,
  accounts: readonly AccountView[] = [],
): Host {
  const exact = hosts.find(({ host }) => host === wanted) ?? hosts.find(({ host }) => shortName(host) === wanted)
  if (exact) return exact
  const named = hosts.filter(({ name }) => name?.toLowerCase() === wanted.toLowerCase())
  const [first, second] = named
  if (first && !second) return first
  if (first) {
    const ids = named.map(({ host }) => host).slice(0, NAMED_MAX)
    throw new AgentError('UNKNOWN_HOST', `${named.length} hosts are called '${printableLine(wanted)}'`, {
      hint: `Name one of them: ${ids.join(', ')}${named.length > NAMED_MAX ? ', …' : ''}.`,
    })
  }
  const names = hosts.flatMap(({ host, name }) => [host, shortName(host), ...(name === undefined ? [] : [name])])
  const near = findNearest(wanted, names)
  const unread = accounts.filter(({ problem }) => problem !== undefined)
  throw new AgentError('UNKNOWN_HOST', `no host of the fleet is called '${printableLine(wanted)}'`, {
    hint:
      `${near === undefined ? '' : `Did you mean ${printableLine(near)}? `}"snapstream-fleet status" shows the hosts there are: ` +
      'those with a tag of a schedule, managed nodes, those in the configuration, and those that ever had a run.' +
      unread.map(({ account, region }) => ` Those of account ${account} in ${region} are not known.`).join(''),
  })
}

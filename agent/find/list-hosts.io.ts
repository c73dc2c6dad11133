import { ExitStatus } from '../contract'
import { withDeleted } from '../bucket/deleted-objects'
import type { StoreDeps } from '../context'
import { mapInOrder } from '../lib/in-order.io'
import { columns, counted, formatAge, joinLines } from '../lib/text'
import type { ListRequest } from '../options/commands'
import type { Outcome, Told } from '../outcome'
import type { hostsOutput } from './output-schema'
import { findHosts } from '../run/hosts'
import { parseRunTime } from '../run/run-id'
import { findRuns, isWhatItSays } from '../run/runs'

type HostsOutput = Told<typeof hostsOutput>
/** What is told of a host. */
export type ListedHost = HostsOutput['hosts'][number]

/** Hosts looked at at a time. */
const HOSTS_IN_FLIGHT = 8

/**
 * Lists the hosts that have runs, and the newest run of each. Needs to know of no host.
 *
 * @throws AgentError ACCESS_DENIED where these credentials may not list the bucket, as those of hosts may not
 */
export async function listHosts(
  given: StoreDeps,
  request: Pick<ListRequest, 'class' | 'limit' | 'trustTimes' | 'includeDeleted'>,
): Promise<Outcome<HostsOutput>> {
  const deps = request.includeDeleted ? { ...given, store: withDeleted(given).store } : given
  const classes = new Map<string, string[]>()
  for await (const { host, class: className } of findHosts(deps, request.class)) {
    classes.set(host, [...(classes.get(host) ?? []), className])
  }
  const names = [...classes.keys()].sort()
  const shown = names.slice(0, request.limit)
  const look = async (host: string): Promise<ListedHost> => {
    const runs = await findRuns(deps, { host, class: request.class })
    const newest = runs.find((found) => isWhatItSays(found, request.trustTimes))
    return {
      host,
      classes: classes.get(host) ?? [],
      runs: runs.length,
      ...(newest && { newest: { run: newest.run, startedAt: parseRunTime(newest.run)?.toISOString() ?? '' } }),
    }
  }
  const hosts: ListedHost[] = []
  for await (const host of mapInOrder(shown, HOSTS_IN_FLIGHT, deps.signal, look)) hosts.push(host)
  return {
    status: ExitStatus.ok,
    summary: formatHosts(hosts, names.length, deps.now()),
    json: { total: names.length, hosts },
  }
}

function formatHosts(hosts: readonly ListedHost[], total: number, now: Date): string {
  if (total === 0) return 'No host has a run here.'
  const rows = hosts.map(({ host, classes, runs, newest }) => [
    host,
    newest ? formatAge(newest.startedAt, now) : 'MISDATED',
    counted(runs, 'run'),
    classes.join(','),
  ])
  const more = total > hosts.length ? [`  … and ${counted(total - hosts.length, 'more host')}: --limit shows more`] : []
  return joinLines([`${counted(total, 'host')} with runs; when the newest began:`, ...columns(rows), ...more])
}

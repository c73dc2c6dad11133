import { ExitStatus, Prefix } from '../../agent/contract'
import type { ListedUpload, StoreDeps } from '../../agent/context'
import { hasCode } from '../../agent/errors'
import { exonerateRuns } from '../../agent/find/bases'
import { collectDebris, listUnfinished } from '../../agent/find/debris-report'
import { mapInOrder } from '../../agent/lib/in-order.io'
import type { Outcome } from '../../agent/outcome'
import { findHosts } from '../../agent/run/hosts'
import type { Request } from './commands'
import type { CommandDeps } from './context'
import { explainLooking } from './denied'
import { formatDebris, secondsOf, summarizeDebris, type DebrisOutput, type HostDebris } from './debris'

/** Where runs put what their manifests name. */
const PLACES = [Prefix.data, Prefix.catalogs] as const
/** Hosts looked at at a time: each is a list or more for each of its classes. */
const HOSTS_IN_FLIGHT = 16

/**
 * Sums up what lies in the bucket and is of no run that has a manifest, of all hosts, and the uploads that nobody finished.
 *
 * @throws AgentError ACCESS_DENIED where these credentials may not list the bucket
 */
export async function debris(deps: CommandDeps, request: Request<'debris'>): Promise<Outcome<DebrisOutput>> {
  const reader = { ...deps, store: (await deps.openVault()).vault.store }
  try {
    const uploads = await findUploads(reader, request)
    const { clockSkewSeconds } = await reader.store.readFacts(deps.signal) // the times are the server's
    const now = new Date(deps.now().getTime() + clockSkewSeconds * 1000)
    const hosts: HostDebris[] = []
    const look = (host: string, signal: AbortSignal) => collect({ ...reader, signal }, host, request, now)
    const names = await namesOf(reader, request)
    for await (const found of mapInOrder(names, HOSTS_IN_FLIGHT, deps.signal, look)) {
      if (found.runs > 0) hosts.push(found)
    }
    const unfinished = uploads && listUnfinished(uploads, now.getTime())
    const output = summarizeDebris(hosts, names.length, unfinished)
    return {
      status: ExitStatus.ok,
      summary: formatDebris(output, {
        bucket: request.bucket,
        now: now.getTime() / 1000,
        columns: deps.screen.columns,
      }),
      json: output,
    }
  } catch (error) {
    throw explainLooking(error)
  }
}

async function namesOf(deps: StoreDeps, { class: wanted }: Request<'debris'>): Promise<readonly string[]> {
  const names = new Set<string>()
  for (const place of PLACES) for await (const { host } of findHosts(deps, wanted, place)) names.add(host)
  return [...names].sort()
}

async function collect(
  deps: StoreDeps,
  host: string,
  { class: wanted }: Request<'debris'>,
  now: Date,
): Promise<HostDebris> {
  const { store, signal } = deps
  const collector = collectDebris(host)
  const classes = new Set<string>()
  for (const place of PLACES) {
    for await (const className of wanted === undefined ? store.listFolders(`${place}/`, signal) : [wanted]) {
      classes.add(className)
      for await (const object of store.list(`${place}/${className}/${host}/`, signal)) collector.add(object)
    }
  }
  // Last: a run may have ended meanwhile.
  for (const className of classes) await exonerateRuns(deps, collector, className, host)
  const { runs, totalRuns, objects, bytes } = collector.list(now.getTime())
  const running = runs.filter(({ mayBeRunning }) => mayBeRunning).length
  return { host, runs: totalRuns, mayBeRunning: running, objects, bytes, newestAt: secondsOf(runs[0]?.newestAt ?? '') }
}

/** Undefined where these credentials may not list them. */
async function findUploads(
  { store, signal }: StoreDeps,
  { class: wanted }: Request<'debris'>,
): Promise<ListedUpload[] | undefined> {
  const uploads: ListedUpload[] = []
  try {
    for (const place of PLACES) {
      const below = wanted === undefined ? `${place}/` : `${place}/${wanted}/`
      for await (const upload of store.listUploads(below, signal)) uploads.push(upload)
    }
    return uploads
  } catch (error) {
    if (hasCode(error, 'ACCESS_DENIED')) return undefined
    throw error
  }
}

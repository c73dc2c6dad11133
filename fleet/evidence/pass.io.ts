/** One look at all that the bucket shows of a fleet. */
import { agentVersion } from '../../agent/backup/system-record.io'
import { Prefix } from '../../agent/contract'
import { hasCode } from '../../agent/errors'
import { counted } from '../../agent/lib/text'
import { mapUnordered } from '../../agent/lib/unordered'
import { findHosts } from '../../agent/run/hosts'
import { mayNotList } from '../../agent/run/runs'
import { isWithinRun } from '../../agent/run/run-time'
import type { FleetConfig } from '../model/config'
import type { ClassHistory, HostHistory } from '../model/records'
import type { FleetDeps } from '../vault'
import { readDrill, type RunRecords } from './hear.io'
import { updateClass, type ClassWork } from './host-class.io'
import { listAll } from './list-all.io'
import { compareRuns, manifestCollector, type ListedClass } from './listed'
import { openReader } from './read-manifests.io'
import { drillCollector, idOf, verdictCollector, type ListedRecords } from './records-listed.io'
import type { FleetState } from './state'

export interface PassOptions {
  readonly config: FleetConfig
  /** By S3's clock, in seconds. */
  readonly now: number
}

/** Hosts and classes at a time: each waits for S3 most of its time. */
const CLASSES_IN_FLIGHT = 48

/**
 * What every host's runs are. Only what is new since the last pass is read; what has gone from the bucket is dropped.
 *
 * @param before - as the last pass left it; undefined: everything is read
 * @throws AgentError where the bucket cannot be listed: what is not known then is not taken for missing
 */
export async function readEvidence(
  deps: FleetDeps,
  before: FleetState | undefined,
  { config, now }: PassOptions,
): Promise<ReadonlyMap<string, HostHistory>> {
  const listings = await listEverything(deps, before)
  const work = [...listings.manifests.values()].map((listed) => planWork(listed, before))
  const fresh = work.reduce((sum, { comparison }) => sum + comparison.fresh.length, 0)
  warnOfLeftOut(deps, work)
  await using reader = await openReader(deps, fresh)
  const recordsOf = (runKey: Parameters<typeof idOf>[0]): RunRecords => {
    const id = idOf(runKey)
    return { operator: listings.operators.get(id), host: listings.hosts.get(id) }
  }
  const tools = { reader, recordsOf, config, now }
  const updated = await mapUnordered(work, CLASSES_IN_FLIGHT, async (each) => ({
    host: each.listed.host,
    history: await updateClass(deps, each, tools),
  }))
  return await gatherHosts(deps, updated, listings.drills, before)
}

interface Listings {
  readonly manifests: ReadonlyMap<string, ListedClass>
  /** By run. */
  readonly operators: ReadonlyMap<string, ListedRecords>
  readonly hosts: ReadonlyMap<string, ListedRecords>
  /** By host. */
  readonly drills: ReadonlyMap<string, ListedRecords>
}

async function listEverything(deps: FleetDeps, before: FleetState | undefined): Promise<Listings> {
  const { signal, vault } = deps
  const { store } = vault
  const places = knownPlaces(deps, before)
  const list = (prefix: string, begin: Parameters<typeof listAll>[3]) =>
    listAll({ store, signal }, `${prefix}/`, async () => (await places()).map((place) => `${prefix}/${place}/`), begin)
  const manifests = manifestCollector()
  const operators = verdictCollector(Prefix.verdicts)
  const hosts = verdictCollector(Prefix.verifications, (run, { lastModified }) => isWithinRun(run, lastModified))
  const drills = drillCollector()
  try {
    await Promise.all([
      list(Prefix.manifests, manifests.begin),
      list(Prefix.verdicts, operators.begin),
      list(Prefix.verifications, hosts.begin),
      list(Prefix.drills, drills.begin),
    ])
  } catch (error) {
    throw hasCode(error, 'ACCESS_DENIED') ? mayNotList(error) : error
  }
  return { manifests: manifests.found, operators: operators.found, hosts: hosts.found, drills: drills.found }
}

/** `class/host` of those that are known, to cut long listings by: looked up only where one is long. */
function knownPlaces(deps: FleetDeps, before: FleetState | undefined): () => Promise<readonly string[]> {
  const find = async () => {
    if (before && before.histories.size > 0) {
      return [...before.histories.values()].flatMap(({ host, classes }) =>
        classes.map((each) => `${each.class}/${host}`),
      )
    }
    const found: string[] = []
    for await (const each of findHosts({ store: deps.vault.store, signal: deps.signal })) {
      found.push(`${each.class}/${each.host}`)
    }
    return found
  }
  let places: Promise<readonly string[]> | undefined
  return () => (places ??= find())
}

function planWork(listed: ListedClass, before: FleetState | undefined): ClassWork {
  const known = before?.histories.get(listed.host)?.classes.find((each) => each.class === listed.class)
  const comparison = compareRuns(known?.runs ?? [], listed.runs, before?.version !== agentVersion)
  return { listed, known, comparison }
}

function warnOfLeftOut({ log }: FleetDeps, work: readonly ClassWork[]): void {
  for (const { listed, comparison } of work) {
    if (comparison.leftOut === 0) continue
    const what = `${counted(comparison.leftOut, 'manifest')} of ${listed.host} in class ${listed.class}`
    log.warn(`${what} are too many or too large to be read now: find out who wrote them`)
  }
}

interface ClassUpdate {
  readonly host: string
  readonly history: ClassHistory
}

async function gatherHosts(
  deps: FleetDeps,
  updated: readonly ClassUpdate[],
  drills: ReadonlyMap<string, ListedRecords>,
  before: FleetState | undefined,
): Promise<ReadonlyMap<string, HostHistory>> {
  const gather = async ([host, classes]: readonly [string, readonly ClassUpdate[]]): Promise<HostHistory> => {
    const records = drills.get(host)
    const drill = records && (await readDrill(deps, host, records, before?.histories.get(host)?.drill))
    return { host, classes: classes.map(({ history }) => history), ...(drill && { drill }) }
  }
  const filled = updated.filter(({ history }) => history.runs.length > 0)
  const gathered = await mapUnordered(
    Map.groupBy(filled, ({ host }) => host),
    CLASSES_IN_FLIGHT,
    gather,
  )
  return new Map(gathered.map((history) => [history.host, history]))
}

/** One host in one class: what is new of it is read, heard and looked for. */
import type { RunKey } from '../../agent/contract'
import { KEEP_AT_LEAST, type FleetConfig } from '../model/config'
import type { ClassHistory, RunDetail, RunRecord } from '../model/records'
import type { FleetDeps } from '../vault'
import { hear, isHeard, type RunRecords } from './hear.io'
import { isMisdated, type Comparison, type ListedClass, type ListedRun } from './listed'
import { lookForObjects } from './look.io'
import { judgeBases } from '../model/bases'
import { isWorthLooking } from './present'
import type { ManifestReader, ReadRun } from './read-manifests.io'
import type { StoredVolume } from './summarize'

export interface ClassWork {
  readonly listed: ListedClass
  readonly known: ClassHistory | undefined
  readonly comparison: Comparison
}

export interface ClassTools {
  readonly reader: ManifestReader
  readonly recordsOf: (runKey: RunKey) => RunRecords
  readonly config: FleetConfig
  readonly now: number
}

/** The newest may be incomplete, or unreadable: then the next ones are looked at, and are read only once. */
const SPARE = 2
/** No volume is called so. */
const NO_VOLUME = ''

/** The history as it is now: the known one itself where nothing has changed. */
export async function updateClass(deps: FleetDeps, work: ClassWork, tools: ClassTools): Promise<ClassHistory> {
  const { listed, known, comparison } = work
  const { class: className, host } = listed
  const { reader, recordsOf, now } = tools
  const keepAtLeast = tools.config.classes.find(({ name }) => name === className)?.keepAtLeast ?? KEEP_AT_LEAST
  const runKeyOf = (run: string) => ({ class: className, host, run })

  const newest = findNewest(listed.runs, keepAtLeast + SPARE)
  const wantedOf = ({ run }: ListedRun) => {
    const { operator, host: byHost } = recordsOf(runKeyOf(run))
    const isNew = newest.includes(run)
    return { detail: isNew, stored: isNew || operator !== undefined || byHost !== undefined }
  }
  const read = new Map<string, ReadRun>()
  await Promise.all(
    comparison.fresh.map(async (run) => {
      const found = await reader.read(listed, run, wantedOf(run))
      if (found) read.set(run.run, found)
    }),
  )
  const readAgain = async ({ run }: RunRecord): Promise<ReadRun | undefined> => {
    const listedRun = listed.runs.find((each) => each.run === run)
    return listedRun && reader.read(listed, listedRun, { detail: true, stored: true })
  }
  const storedOf = async (run: RunRecord): Promise<readonly StoredVolume[] | undefined> =>
    (read.get(run.run) ?? (await readAgain(run)))?.stored

  const merged = mergeRuns(comparison.kept, read)
  const heard = await Promise.all(
    merged.map(async (run) => {
      const records = recordsOf(runKeyOf(run.run))
      if (isHeard(run, records)) return run
      const volumes = records.operator || records.host ? await storedOf(run) : []
      if (volumes || !isWorthLooking(run)) return hear(deps, run, records, volumes?.map(({ volume }) => volume) ?? [])
      // Of which volumes it is, is not known now: what has found some of them good must not pass for all. It is heard again.
      const { verdict } = await hear(deps, run, records, [NO_VOLUME])
      return verdict?.ok === false ? { ...run, verdict } : run
    }),
  )
  const runs = judgeBases(await lookForObjects(deps, listed, heard, { keepAtLeast, now, storedOf }))
  const isSame = known && runs.length === known.runs.length && runs.every((run, index) => run === known.runs[index])
  if (isSame && (known.newest || runs.length === 0)) return known
  const detail = await findDetail(
    runs,
    newest,
    known?.newest,
    async (run) => (read.get(run.run) ?? (await readAgain(run)))?.detail,
  )
  return { class: className, runs, ...(detail && { newest: detail }) }
}

/** Names of the newest ones that are what their names say. */
function findNewest(listed: readonly ListedRun[], count: number): readonly string[] {
  const newest: string[] = []
  for (const run of listed.toSorted((a, b) => b.writtenAt - a.writtenAt)) {
    if (newest.length === count) break
    if (!isMisdated(run)) newest.push(run.run)
  }
  return newest
}

/** Newest first by S3's clock. */
function mergeRuns(kept: readonly RunRecord[], read: ReadonlyMap<string, ReadRun>): readonly RunRecord[] {
  if (read.size === 0) return kept
  const records = [...kept, ...[...read.values()].map(({ record }) => record)]
  return records.sort((a, b) => b.writtenAt - a.writtenAt || (a.run < b.run ? 1 : -1))
}

/** What the newest run says that is what its name says and can be read. */
async function findDetail(
  runs: readonly RunRecord[],
  newest: readonly string[],
  known: RunDetail | undefined,
  detailOf: (run: RunRecord) => Promise<RunDetail | undefined>,
): Promise<RunDetail | undefined> {
  for (const run of runs) {
    if (!newest.includes(run.run) || run.state === 'unreadable' || run.state === 'unsupported') continue
    return known?.run === run.run ? known : await detailOf(run)
  }
  return undefined
}

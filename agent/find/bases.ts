/** Whether what differential runs are to be read with is there: a run whose base is gone is worth nothing. */
import { manifestKey, parseManifestKey, Prefix, type RunKey } from '../contract'
import type { StoreDeps } from '../context'
import { asLoss, hasCode, isDataLoss } from '../errors'
import { mapUnordered } from '../lib/unordered'
import type { Archive } from '../archive/archive'
import type { Manifest } from '../run/manifest'
import { readManifest } from '../run/runs'
import { readVerdicts } from '../run/verdicts'
import type { DebrisCollector } from './debris-report'
import type { ListedRun } from './run-table'

/** A run that has bases of another, and what speaks against reading them. */
export type ListedBase = ListedRun['bases'][number]

/** Many times those of the largest run: what is not among them is not taken to be there. */
const LISTED_MAX = 100_000

/** Manifests read at a time. */
const READS_IN_FLIGHT = 8

/** Sizes by key; and whether an operator found the run damaged. */
interface BaseRun {
  readonly sizes: ReadonlyMap<string, number>
  readonly isDamaged: boolean
}

/**
 * Looks at the bases of runs, at those of several runs once. Their objects are listed, and held against what the manifest of the
 * differential run names: a base needs no manifest of its own to be read.
 */
export function baseFinder(
  deps: StoreDeps,
): (runKey: RunKey, manifest: Pick<Manifest, 'volumes'>) => Promise<readonly ListedBase[]> {
  const looked = new Map<string, Promise<BaseRun>>()
  const look = (runKey: RunKey, volumes: readonly string[]): Promise<BaseRun> => {
    const place = `${runKey.class}/${runKey.host}/${runKey.run}`
    const found = looked.get(place) ?? lookAt(deps, runKey, volumes)
    looked.set(place, found)
    return found
  }
  return async (runKey, { volumes }) => {
    const bases = Map.groupBy(
      volumes.flatMap(({ volume, base }) => (base ? [{ volume, base }] : [])),
      ({ base }) => base.run,
    )
    return Promise.all(
      [...bases].sort().map(async ([run, named]): Promise<ListedBase> => {
        const archives = named.map(({ base }) => base.archive)
        try {
          const volumesOfIt = named.map(({ volume }) => volume)
          return { run, ...judge(archives, await look({ ...runKey, run }, volumesOfIt)) }
        } catch (error) {
          return { run, state: 'unknown', problem: `could not be looked for: ${asLoss(error).message}` }
        }
      }),
    )
  }
}

async function lookAt(deps: StoreDeps, runKey: RunKey, volumes: readonly string[]): Promise<BaseRun> {
  const { store, signal } = deps
  const sizes = new Map<string, number>()
  const list = async (prefix: string) => {
    for await (const { key, sizeBytes } of store.list(
      `${prefix}/${runKey.class}/${runKey.host}/${runKey.run}/`,
      signal,
    )) {
      sizes.set(key, sizeBytes)
      if (sizes.size >= LISTED_MAX) return
    }
  }
  const [{ operator }] = await Promise.all([
    readVerdicts(deps, runKey, volumes),
    list(Prefix.data),
    list(Prefix.catalogs),
  ])
  return { sizes, isDamaged: operator?.ok === false }
}

function judge(archives: readonly Archive[], { sizes, isDamaged }: BaseRun): Omit<ListedBase, 'run'> {
  for (const { segments, catalog } of archives) {
    for (const { key, sizeBytes } of [...segments, catalog]) {
      const size = sizes.get(key)
      if (size === sizeBytes) continue
      const what = size === undefined ? 'is not there' : `has ${size} bytes instead of ${sizeBytes}`
      return { state: 'gone', problem: `is gone: ${key} ${what}` }
    }
  }
  if (!isDamaged) return { state: 'there' }
  return { state: 'damaged', problem: 'did not read back when an operator verified it' }
}

/**
 * Exonerates what belongs to runs that have a manifest, and to bases that these name, whatever became of the bases' own manifests:
 * of these, only the manifests are read that are younger than the oldest debris. To be called when all objects were listed, so that
 * no run that ends meanwhile is missed.
 */
export async function exonerateRuns(
  deps: StoreDeps,
  collector: DebrisCollector,
  className: string,
  host: string,
): Promise<void> {
  const runKeys: RunKey[] = []
  for await (const { key } of deps.store.list(`${Prefix.manifests}/${className}/${host}/`, deps.signal)) {
    collector.exonerate(key)
    const runKey = parseManifestKey(key)
    if (runKey) runKeys.push(runKey)
  }
  const oldest = collector.oldestRun()
  if (oldest === undefined) return
  const younger = runKeys.filter(({ run }) => run > oldest)
  await mapUnordered(younger, READS_IN_FLIGHT, async (runKey) => {
    for (const run of await basesOf(deps, runKey)) collector.exonerate(manifestKey({ ...runKey, run }))
  })
}

/** A manifest that cannot be read names none. */
async function basesOf(deps: StoreDeps, runKey: RunKey): Promise<readonly string[]> {
  try {
    const { manifest } = await readManifest(deps, runKey)
    return manifest.volumes.flatMap(({ base }) => base?.run ?? [])
  } catch (error) {
    if (isDataLoss(error) || hasCode(error, 'UNKNOWN_RUN') || hasCode(error, 'FORMAT_UNSUPPORTED')) return []
    throw error
  }
}

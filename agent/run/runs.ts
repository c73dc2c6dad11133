/** Runs as the bucket has them: a run is its manifest. */
import { manifestKey, Prefix, type RunKey, parseManifestKey } from '../contract'
import { AgentError, hasCode } from '../errors'
import type { Manifest } from './manifest'
import { parseManifest } from './parse-manifest'
import { findNearest } from '../lib/nearest'
import { parseRunTime } from './run-id'
import { findMisdating, misdated, type FoundRun } from './run-time'
import type { Store, StoreDeps } from '../context'
import { readTwice } from '../bucket/read-again'
import type { ReaderDeps } from '../archive/read.io'
import { withoutYounger } from './dated-objects'

/** That of a host with thousands of volumes has a third of this; eight are read at a time. */
const MANIFEST_BYTES_MAX = 16 * 1024 ** 2

/** A run that can be read. */
export interface OpenRun {
  readonly manifest: Manifest
  /** Refuses what was written after the manifest. */
  readonly store: Store
}

/**
 * Finds a run and reads its manifest, if it is what its name says.
 *
 * @throws AgentError as `findRun` and `openRunAt`
 */
export async function openRun(deps: StoreDeps, wanted: RunSelector): Promise<OpenRun> {
  return openRunAt(deps, await findRun(deps, wanted), wanted.trustTimes)
}

/**
 * Reads the manifest of a run that is what its name says.
 *
 * @param trustTimes - takes the name's word for it: in a copied bucket everything has the time of the copy
 * @throws AgentError MISDATED where S3 has the manifest from another time; as `readManifest`
 */
export async function openRunAt(deps: ReaderDeps, runKey: RunKey, trustTimes = false): Promise<OpenRun> {
  const { manifest, writtenAt } = await readManifest(deps, runKey)
  if (trustTimes) return { manifest, store: deps.store }
  const misdating = findMisdating(runKey.run, writtenAt)
  if (misdating) throw misdated(runKey.run, misdating)
  return { manifest, store: withoutYounger(deps.store, writtenAt) }
}

export interface ReadManifest {
  readonly manifest: Manifest
  /** By S3's clock. */
  readonly writtenAt: Date
}

/**
 * Reads a manifest, whatever its time, which is S3's.
 *
 * @throws AgentError UNKNOWN_RUN, with the name that was probably meant; as `parseManifest`
 */
export async function readManifest(deps: ReaderDeps, runKey: RunKey): Promise<ReadManifest> {
  try {
    // Not every server sends a checksum with it that would show a byte that changed on its way.
    return await readTwice(async () => {
      const { body, lastModified } = await deps.store.get(manifestKey(runKey), MANIFEST_BYTES_MAX, deps.signal)
      return { manifest: parseManifest(body.toString(), runKey), writtenAt: lastModified }
    })
  } catch (error) {
    if (!hasCode(error, 'OBJECT_MISSING')) throw error
    // The list only makes the hint better, and a host may be forbidden to list.
    throw unknownRun(runKey, await findRuns(deps, { host: runKey.host }).catch(() => []))
  }
}

/**
 * The runs of a host that have a manifest, newest first by name; each with what speaks against its name.
 *
 * @param host - with `class`, or without: of every class
 * @throws AgentError ACCESS_DENIED where these credentials may not list the bucket, as those of hosts may not
 */
export async function findRuns(
  { store, signal }: ReaderDeps,
  { host, class: wanted }: { readonly host: string; readonly class?: string | undefined },
): Promise<FoundRun[]> {
  const runs: FoundRun[] = []
  try {
    // Class by class: all hosts' manifests together would be many.
    const classes = wanted === undefined ? store.listFolders(`${Prefix.manifests}/`, signal) : [wanted]
    for await (const className of classes) {
      for await (const object of store.list(`${Prefix.manifests}/${className}/${host}/`, signal)) {
        const runKey = parseManifestKey(object.key)
        if (runKey?.host !== host) continue
        const misdating = findMisdating(runKey.run, object.lastModified)
        runs.push({
          ...runKey,
          ...(object.deletedVersion !== undefined && { deleted: true }),
          ...(misdating && { misdating }),
        })
      }
    }
  } catch (error) {
    throw hasCode(error, 'ACCESS_DENIED') ? mayNotList(error) : error
  }
  return runs.sort((a, b) => (a.run < b.run ? 1 : -1))
}

/** Which run somebody means: by name, or the newest one at a time, or the newest. */
export interface RunSelector {
  readonly host: string
  readonly class?: string | undefined
  readonly run?: string | undefined
  readonly at?: Date | undefined
  readonly trustTimes?: boolean
}

/**
 * A run that is named is found whatever its time; `openRunAt` looks at that. No other is chosen that is not what its name
 * says: whoever looks for a backup from before an intrusion must not be given the intruder's.
 *
 * @throws AgentError UNKNOWN_RUN where there is none, with the one that comes nearest; MISDATED where there are only such;
 * as `findRuns`
 */
export async function findRun(deps: StoreDeps, wanted: RunSelector): Promise<FoundRun> {
  const { host, run, at } = wanted
  // A host may read its own runs without being allowed to list them.
  if (run !== undefined && wanted.class !== undefined) return { host, run, class: wanted.class }
  const runs = await findRuns(deps, wanted)
  if (run !== undefined) {
    const named = runs.filter((runKey) => runKey.run === run)
    // One name in two classes: the one of which the time is right.
    const found = named.find(({ misdating }) => !misdating) ?? named[0]
    if (!found) throw unknownRun({ ...wanted, run }, wanted.class === undefined ? runs : await findRuns(deps, { host }))
    return found
  }
  const candidates = runs.filter((runKey) => isBy(runKey, at))
  const found = candidates.find((runKey) => isWhatItSays(runKey, wanted.trustTimes))
  const [first] = candidates
  if (first?.misdating && first !== found) {
    if (!found) throw misdated(first.run, first.misdating)
    deps.log.warn(`run ${first.run} was passed over: ${first.misdating.what}`)
  }
  if (found) return found
  const oldest = runs.at(-1)
  if (!oldest || !at) throw noRun(wanted)
  throw new AgentError('UNKNOWN_RUN', `${host} has no run by ${at.toISOString()}`, {
    hint: `Its first run is ${oldest.run}.`,
  })
}

/** A name of the future is nobody's even where the times of a copy are trusted. */
export function isWhatItSays({ misdating }: FoundRun, trustTimes = false): boolean {
  return !misdating || (trustTimes && !misdating.isFuture)
}

/** As it is where a host or a class is misspelt. */
export function noRun({ host, class: className }: Pick<RunSelector, 'host' | 'class'>): AgentError {
  const ofClass = className === undefined ? '' : ` of class '${className}'`
  return new AgentError('UNKNOWN_RUN', `${host} has no run${ofClass} at all`, {
    hint: 'Check --host and --class; "snapstream list" shows the runs there are.',
  })
}

function isBy({ run }: RunKey, at: Date | undefined): boolean {
  const started = parseRunTime(run)
  return at === undefined || (started !== undefined && started <= at)
}

/** @param runs - those of every class: the run may be in another one */
function unknownRun(
  runKey: { run: string; host: string; class?: string | undefined },
  runs: readonly RunKey[],
): AgentError {
  const ofClass = runKey.class === undefined ? '' : ` of class '${runKey.class}'`
  const elsewhere = runs.find(({ run }) => run === runKey.run)
  const near =
    findNearest(
      runKey.run,
      runs.map(({ run }) => run),
    ) ?? runs[0]?.run
  const advice = elsewhere
    ? `It is of class '${elsewhere.class}': give that with --class. `
    : near === undefined
      ? ''
      : `Did you mean ${near}? `
  return new AgentError('UNKNOWN_RUN', `${runKey.host} has no run '${runKey.run}'${ofClass}`, {
    hint:
      advice +
      '"snapstream list" shows the runs there are. A run without a manifest did not finish and does not count.',
  })
}

/** Where listing was denied: who may. */
export function mayNotList(cause: unknown): AgentError {
  return new AgentError('ACCESS_DENIED', 'these credentials may not list the bucket', {
    hint:
      'Hosts may not, by design: an intruder must not learn what there is. Use the restorer role of the backup stack, ' +
      'for example with AWS_PROFILE, and name the host with --host. A run that is named with --run and --class needs no list.',
    cause,
  })
}

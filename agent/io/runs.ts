/** Runs as the bucket has them: a run is its manifest. */
import { manifestKey, Prefix, type RunPlace } from '../contract'
import { AgentError, hasCode } from '../errors'
import { parseManifest, type Manifest } from '../plan/manifest'
import { findNearest } from '../plan/nearest'
import { parseRunTime } from '../plan/run'
import { parseManifestKey, type FoundRun } from '../plan/run-list'
import { readTwice } from './read-again'
import type { ReaderDeps } from './reader'

/** That of a host with thousands of volumes has a tenth of this; beyond it, reading takes gigabytes of memory. */
const MANIFEST_BYTES_MAX = 64 * 1024 ** 2

/** @throws AgentError UNKNOWN_RUN, with the name that was probably meant; as `parseManifest` */
export async function readManifest(deps: ReaderDeps, place: RunPlace): Promise<Manifest> {
  const key = manifestKey(place)
  try {
    // Not every server sends a checksum with it that would show a byte that changed on its way.
    return await readTwice(async () => {
      const { body } = await deps.store.get(key, MANIFEST_BYTES_MAX, deps.signal)
      return parseManifest(body.toString(), place)
    })
  } catch (error) {
    if (!hasCode(error, 'OBJECT_MISSING')) throw error
    // The list only makes the hint better, and a host may be forbidden to list.
    throw unknownRun(place, await findRuns(deps, place).catch(() => []))
  }
}

/**
 * The runs of a host that have a manifest, newest first.
 *
 * @param host - with `class`, or without: of every class
 * @throws AgentError ACCESS_DENIED where these credentials may not list the bucket, as those of hosts may not
 */
export async function findRuns(
  { store, signal }: ReaderDeps,
  { host, class: wanted }: { readonly host: string; readonly class?: string | undefined },
): Promise<FoundRun[]> {
  const places: FoundRun[] = []
  try {
    // Class by class: all hosts' manifests together would be many.
    const classes = wanted === undefined ? store.listFolders(`${Prefix.manifests}/`, signal) : [wanted]
    for await (const className of classes) {
      for await (const { key, deletedVersion } of store.list(`${Prefix.manifests}/${className}/${host}/`, signal)) {
        const place = parseManifestKey(key)
        if (place?.host === host) places.push(deletedVersion === undefined ? place : { ...place, deleted: true })
      }
    }
  } catch (error) {
    throw hasCode(error, 'ACCESS_DENIED') ? mayNotList(error) : error
  }
  return places.sort((a, b) => (a.run < b.run ? 1 : -1))
}

/** Which run somebody means: by name, or the newest one at a time, or the newest. */
export interface RunWanted {
  readonly host: string
  readonly class?: string | undefined
  readonly run?: string | undefined
  readonly at?: Date | undefined
}

/** @throws AgentError UNKNOWN_RUN where there is none, with the one that comes nearest; as `findRuns` */
export async function findRun(deps: ReaderDeps, wanted: RunWanted): Promise<FoundRun> {
  const { host, run, at } = wanted
  // A host may read its own runs without being allowed to list them.
  if (run !== undefined && wanted.class !== undefined) return { host, run, class: wanted.class }
  const runs = await findRuns(deps, wanted)
  const found = runs.find((place) => (run === undefined ? isBy(place, at) : place.run === run))
  if (found) return found
  if (run !== undefined) throw unknownRun({ ...wanted, run }, runs)
  const oldest = runs.at(-1)
  if (!oldest || !at) throw noRun(wanted)
  throw new AgentError('UNKNOWN_RUN', `${host} has no run by ${at.toISOString()}`, {
    hint: `The first one is ${oldest.run}.`,
  })
}

/** As it is where a host or a class is misspelt. */
export function noRun({ host, class: className }: Pick<RunWanted, 'host' | 'class'>): AgentError {
  const ofClass = className === undefined ? '' : ` of class '${className}'`
  return new AgentError('UNKNOWN_RUN', `${host} has no run${ofClass} at all`, {
    hint: 'Check --host and --class; "snapstream list" shows the runs there are.',
  })
}

function isBy({ run }: RunPlace, at: Date | undefined): boolean {
  const started = parseRunTime(run)
  return at === undefined || (started !== undefined && started <= at)
}

function unknownRun(
  place: { run: string; host: string; class?: string | undefined },
  runs: readonly RunPlace[],
): AgentError {
  const near =
    findNearest(
      place.run,
      runs.map(({ run }) => run),
    ) ?? runs[0]?.run
  const ofClass = place.class === undefined ? '' : ` of class '${place.class}'`
  return new AgentError('UNKNOWN_RUN', `${place.host} has no run '${place.run}'${ofClass}`, {
    hint:
      (near === undefined ? '' : `Did you mean ${near}? `) +
      'Run "snapstream list" for the runs there are. A run without a manifest did not finish, and does not count.',
  })
}

function mayNotList(cause: unknown): AgentError {
  return new AgentError('ACCESS_DENIED', 'these credentials may not list the bucket', {
    hint:
      'Hosts may not, by design: an intruder must not learn what there is. Use the restorer role of the backup stack, ' +
      'for example with AWS_PROFILE, and name the host with --host. A run that is named with --run and --class needs no list.',
    cause,
  })
}

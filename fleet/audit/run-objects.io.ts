/** Which objects a run has in the bucket, and which a host has that belong to no run any more. */
import { manifestKey, Prefix, RUN_PATTERN, type RunKey } from '../../agent/contract'
import type { ObjectInfo } from '../../agent/context'
import { asLoss } from '../../agent/errors'
import { mapUnordered } from '../../agent/lib/unordered'
import { parseManifest } from '../../agent/run/parse-manifest'
import { MANIFEST_BYTES_MAX } from '../evidence/listed'
import { findMissing, findMissingBase } from '../evidence/present'
import { summarize } from '../evidence/summarize'
import { TAGGED_PREFIXES } from '../model/storage-rules'
import type { RunRecord } from '../model/records'
import type { FleetDeps } from '../vault'

/** All but the manifest lies below folders of the run's name. */
const FOLDERS = TAGGED_PREFIXES.filter((prefix) => prefix !== Prefix.manifests)
const RUN = new RegExp(RUN_PATTERN)

/** Runs whose objects are listed at a time. */
const RUNS_IN_FLIGHT = 4

/** Many times those of the largest run: what is not among them is not taken to be there. */
const LISTED_MAX = 100_000

function folderOf(prefix: string, runKey: RunKey): string {
  return `${prefix}/${runKey.class}/${runKey.host}/${runKey.run}/`
}

/**
 * Keys of all objects of a run but its manifest: archives, catalogs, and what was found out about it.
 *
 * @param most - of each kind; a host may put any number of objects there
 */
export async function listRun(
  { vault, signal }: FleetDeps,
  runKey: RunKey,
  most = Infinity,
): Promise<readonly string[]> {
  const listed = await mapUnordered(FOLDERS, FOLDERS.length, async (prefix) => {
    const keys: string[] = []
    for await (const { key } of vault.store.list(folderOf(prefix, runKey), signal)) {
      keys.push(key)
      if (keys.length >= most) break
    }
    return keys
  })
  return listed.flat()
}

/**
 * Whether the objects of a run, and of its bases, are there as its manifest says, which is read once more: of all but the newest runs only numbers are
 * kept, and sums can be made up by whoever may put objects beside them.
 *
 * @throws AgentError what concerns all objects; what keeps this run from being read makes it one that is not there
 */
export async function isPresent(deps: FleetDeps, runKey: RunKey, { writtenAt }: RunRecord): Promise<boolean> {
  const missing = await findMissingOf(deps, runKey, writtenAt).catch((error: unknown) => asLoss(error).message)
  if (missing !== undefined) deps.log.debug(`run ${runKey.run} of ${runKey.host} stands in for none: ${missing}`)
  return missing === undefined
}

async function findMissingOf(
  { vault, signal }: FleetDeps,
  runKey: RunKey,
  writtenAt: number,
): Promise<string | undefined> {
  const { body, lastModified } = await vault.store.get(manifestKey(runKey), MANIFEST_BYTES_MAX, signal)
  if (Math.floor(lastModified.getTime() / 1000) !== writtenAt) return 'its manifest is another one'
  const { record, stored = [] } = summarize(parseManifest(body.toString(), runKey), { stored: true })
  const listed = new Map<string, ObjectInfo>()
  const list = async (prefix: string, run: string) => {
    let count = 0
    for await (const object of vault.store.list(folderOf(prefix, { ...runKey, run }), signal)) {
      listed.set(object.key, object)
      if (++count === LISTED_MAX) return
    }
  }
  const needed = [runKey.run, ...(record.bases ?? [])]
  await mapUnordered(needed, RUNS_IN_FLIGHT, (run) => Promise.all([list(Prefix.data, run), list(Prefix.catalogs, run)]))
  const given = [runKey, stored, listed, lastModified] as const
  return findMissing(...given) ?? findMissingBase(...given)?.what
}

export interface Swept {
  readonly class: string
  readonly host: string
  /** Runs that have a manifest: nothing of them is looked at. */
  readonly runs: ReadonlySet<string>
  /** What S3 has from this second on is left alone. */
  readonly before: number
  /** Of each kind; the rest is found the next time. */
  readonly most: number
}

/**
 * Keys of what belongs to no run that has a manifest: what killed runs left, what was found out about a run after it was tagged, and
 * what else somebody put there.
 */
export async function listLeftovers({ vault, signal }: FleetDeps, swept: Swept): Promise<readonly string[]> {
  const listed = await mapUnordered(TAGGED_PREFIXES, TAGGED_PREFIXES.length, async (prefix) => {
    const place = `${prefix}/${swept.class}/${swept.host}/`
    const keys: string[] = []
    for await (const { key, lastModified } of vault.store.list(place, signal)) {
      const [folder = '', ...below] = key.slice(place.length).split('/')
      const name = below.length === 0 ? folder.replace(/\.json$/, '') : folder
      if (isElsewhere(swept.host, name) || swept.runs.has(name)) continue
      if (lastModified.getTime() / 1000 < swept.before) keys.push(key)
      if (keys.length >= swept.most) break
    }
    return keys
  })
  return listed.flat()
}

/** A host's name has one slash at most: below one that has none, another host may have its place. */
function isElsewhere(host: string, name: string): boolean {
  return !host.includes('/') && !RUN.test(name)
}

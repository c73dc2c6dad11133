/** Which objects a run has in the bucket, and which a host has that belong to no run any more. */
import { Prefix, RUN_PATTERN, type RunKey } from '../../agent/contract'
import { mapUnordered } from '../../agent/lib/unordered'
import { TAGGED_PREFIXES } from '../model/storage-rules'
import type { RunRecord } from '../model/records'
import type { FleetDeps } from '../vault'

/** All but the manifest lies below folders of the run's name. */
const FOLDERS = TAGGED_PREFIXES.filter((prefix) => prefix !== Prefix.manifests)
const RUN = new RegExp(RUN_PATTERN)

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

/** Whether there are as many archives and catalogs of a run, and as large, as its manifest says at least. */
export async function isPresent({ vault, signal }: FleetDeps, runKey: RunKey, run: RunRecord): Promise<boolean> {
  const measure = async (prefix: string) => {
    const found = { objects: 0, bytes: 0 }
    for await (const { sizeBytes } of vault.store.list(folderOf(prefix, runKey), signal)) {
      found.objects += 1
      found.bytes += sizeBytes
      if (found.objects === LISTED_MAX) break
    }
    return found
  }
  const [data, catalogs] = await Promise.all([measure(Prefix.data), measure(Prefix.catalogs)])
  return (
    data.objects + catalogs.objects >= run.objects &&
    data.bytes >= run.storedBytes &&
    catalogs.bytes >= run.catalogBytes
  )
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

/** A bucket with runs of hosts, for what the auditor does to it. */
import { catalogKey, dataKey, manifestKey, verificationKey, type RunKey } from '../../agent/contract'
import { formatManifest } from '../../agent/run/manifest'
import type { HostHistory, RunRecord } from '../../fleet/model/records'
import { runName } from './fleet'
import type { MemoryVault } from './memory-vault'
import type { FleetDeps } from '../../fleet/vault'
import { silentLog } from './log'
import { manifestOf, volumeBackupOf } from './manifest'

const VOLUME = 'vg0-root'
const CATALOG_BYTES = 10
const ARCHIVE_BYTES = 100

export function depsOf(vault: MemoryVault, signal = new AbortController().signal): FleetDeps {
  return { vault, log: silentLog, signal, now: () => new Date() }
}

/** All objects of a run with one volume: its manifest first. */
export function objectsOf(runKey: RunKey): readonly [manifest: string, ...others: string[]] {
  return [
    manifestKey(runKey),
    dataKey(runKey, VOLUME, 'zstd', 0),
    catalogKey(runKey, VOLUME),
    verificationKey('verifications', runKey, '20260301T040000Z'),
    verificationKey('verdicts', runKey, '20260301T050000Z'),
  ]
}

/** What an object of a run holds: its manifest names all others, with their sizes. */
export function contentOf(runKey: RunKey, key: string): Buffer {
  if (key.startsWith('data/')) return Buffer.alloc(ARCHIVE_BYTES)
  if (!key.startsWith('manifests/')) return Buffer.alloc(CATALOG_BYTES)
  const { archive, ...volume } = volumeBackupOf({ volume: VOLUME }, runKey)
  const segments = archive.segments.map((segment) => ({ ...segment, sizeBytes: ARCHIVE_BYTES }))
  const catalog = { ...archive.catalog, sizeBytes: CATALOG_BYTES }
  const stored = { ...archive, segments, catalog, storedBytes: ARCHIVE_BYTES }
  return Buffer.from(formatManifest(manifestOf({ ...runKey, volumes: [{ ...volume, archive: stored }] })))
}

/** Puts an object where it was written at a time, in seconds. */
export function putAt(vault: MemoryVault, key: string, at: number, body: Buffer = Buffer.alloc(1)): void {
  const lastModified = new Date(at * 1000)
  vault.store.objects.set(key, { body, storageClass: 'STANDARD', lastModified })
}

/** A good run whose manifest is from then, with all of its objects but those of the kinds named. */
export function putRun(
  vault: MemoryVault,
  place: Omit<RunKey, 'run'>,
  writtenAt: number,
  { without = [] }: { readonly without?: readonly string[] } = {},
): RunRecord {
  const run = runName(writtenAt - 3600)
  for (const key of objectsOf({ ...place, run })) {
    if (without.some((prefix) => key.startsWith(`${prefix}/`))) continue
    putAt(vault, key, writtenAt - (key.startsWith('manifests/') ? 0 : 60), contentOf({ ...place, run }, key))
  }
  return {
    ...{ run, writtenAt, state: 'complete', verified: 'checksum', volumes: 1, objects: 2, entries: 7, rawBytes: 300 },
    ...{ storedBytes: ARCHIVE_BYTES, catalogBytes: CATALOG_BYTES, seconds: 3600 },
  }
}

export function asHistories(...histories: readonly HostHistory[]): ReadonlyMap<string, HostHistory> {
  return new Map(histories.map((history) => [history.host, history]))
}

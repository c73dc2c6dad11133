/** A bucket with runs of hosts, for what the auditor does to it. */
import { catalogKey, dataKey, manifestKey, removedKey, verificationKey, type RunKey } from '../../agent/contract'
import { formatManifest, type VolumeBackup } from '../../agent/run/manifest'
import type { HostHistory, RunRecord } from '../../fleet/model/records'
import { runName } from './fleet'
import type { MemoryVault } from './memory-vault'
import type { FleetDeps } from '../../fleet/vault'
import { silentLog } from './log'
import { differentialOf, manifestOf, volumeBackupOf } from './manifest'

const VOLUME = 'vg0-root'
const CATALOG_BYTES = 10
const ARCHIVE_BYTES = 100

export function depsOf(vault: MemoryVault, signal = new AbortController().signal): FleetDeps {
  return { vault, log: silentLog, signal, now: () => new Date() }
}

/** All objects of a run with one volume: its manifest first. */
export function objectsOf(
  runKey: RunKey,
  { isDifferential = false } = {},
): readonly [manifest: string, ...others: string[]] {
  return [
    manifestKey(runKey),
    dataKey(runKey, VOLUME, 'zstd', 0),
    catalogKey(runKey, VOLUME),
    verificationKey('verifications', runKey, '20260301T040000Z'),
    verificationKey('verdicts', runKey, '20260301T050000Z'),
    ...(isDifferential ? [removedKey(runKey, VOLUME)] : []),
  ]
}

/** What an object of a run holds: its manifest names all others, with their sizes. */
export function contentOf(runKey: RunKey, key: string, base?: string): Buffer {
  if (key.startsWith('data/')) return Buffer.alloc(ARCHIVE_BYTES)
  if (!key.startsWith('manifests/')) return Buffer.alloc(CATALOG_BYTES)
  const archive = archiveOf(runKey)
  const volume = { ...volumeBackupOf({ volume: VOLUME }, runKey), archive }
  if (base === undefined) return Buffer.from(formatManifest(manifestOf({ ...runKey, volumes: [volume] })))
  const { removed } = differentialOf({ volume: VOLUME }, runKey)
  const differential: VolumeBackup = {
    ...volume,
    level: 'differential',
    base: { run: base, takenAt: '2026-01-01T00:00:00.000Z', archive: archiveOf({ ...runKey, run: base }) },
    removed: removed && { ...removed, sizeBytes: CATALOG_BYTES },
  }
  return Buffer.from(formatManifest(manifestOf({ ...runKey, format: 3, volumes: [differential] })))
}

function archiveOf(runKey: RunKey) {
  const { archive } = volumeBackupOf({ volume: VOLUME }, runKey)
  const segments = archive.segments.map((segment) => ({ ...segment, sizeBytes: ARCHIVE_BYTES }))
  const catalog = { ...archive.catalog, sizeBytes: CATALOG_BYTES }
  return { ...archive, segments, catalog, storedBytes: ARCHIVE_BYTES }
}

/** Puts an object where it was written at a time, in seconds. */
export function putAt(vault: MemoryVault, key: string, at: number, body: Buffer = Buffer.alloc(1)): void {
  const lastModified = new Date(at * 1000)
  vault.store.objects.set(key, { body, storageClass: 'STANDARD', lastModified })
}

/**
 * A good run whose manifest is from then, with all of its objects but those of the kinds named; a differential one where a run is given
 * that has its base.
 */
export function putRun(
  vault: MemoryVault,
  place: Omit<RunKey, 'run'>,
  writtenAt: number,
  { without = [], base }: { readonly without?: readonly string[]; readonly base?: string | undefined } = {},
): RunRecord {
  const run = runName(writtenAt - 3600)
  for (const key of objectsOf({ ...place, run }, { isDifferential: base !== undefined })) {
    if (without.some((prefix) => key.startsWith(`${prefix}/`))) continue
    putAt(vault, key, writtenAt - (key.startsWith('manifests/') ? 0 : 60), contentOf({ ...place, run }, key, base))
  }
  return {
    ...{ run, writtenAt, state: 'complete', verified: 'checksum', volumes: 1, objects: 2, entries: 7, rawBytes: 300 },
    ...{ storedBytes: ARCHIVE_BYTES, catalogBytes: CATALOG_BYTES, seconds: 3600 },
    ...(base !== undefined && { bases: [base] }),
  }
}

export function asHistories(...histories: readonly HostHistory[]): ReadonlyMap<string, HostHistory> {
  return new Map(histories.map((history) => [history.host, history]))
}

/** A bucket with runs of hosts, for what the auditor does to it. */
import { catalogKey, dataKey, manifestKey, verificationKey, type RunKey } from '../../agent/contract'
import type { HostHistory, RunRecord } from '../../fleet/model/records'
import { runName } from './fleet'
import type { MemoryVault } from './memory-vault'
import type { FleetDeps } from '../../fleet/vault'
import { silentLog } from './log'

export const CATALOG_BYTES = 10
export const ARCHIVE_BYTES = 100

export function depsOf(vault: MemoryVault, signal = new AbortController().signal): FleetDeps {
  return { vault, log: silentLog, signal, now: () => new Date() }
}

/** All objects of a run with one volume: its manifest first. */
export function objectsOf(runKey: RunKey): readonly [manifest: string, ...others: string[]] {
  return [
    manifestKey(runKey),
    dataKey(runKey, 'vg0-root', 'zstd', 0),
    catalogKey(runKey, 'vg0-root'),
    verificationKey('verifications', runKey, '20260301T040000Z'),
    verificationKey('verdicts', runKey, '20260301T050000Z'),
  ]
}

/** Puts an object where it was written at a time, in seconds. */
export function putAt(vault: MemoryVault, key: string, at: number, bytes = 1): void {
  const lastModified = new Date(at * 1000)
  vault.store.objects.set(key, { body: Buffer.alloc(bytes), storageClass: 'STANDARD', lastModified })
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
    const bytes = key.startsWith('data/') ? ARCHIVE_BYTES : CATALOG_BYTES
    putAt(vault, key, writtenAt - (key.startsWith('manifests/') ? 0 : 60), bytes)
  }
  return {
    ...{ run, writtenAt, state: 'complete', verified: 'checksum', volumes: 1, objects: 2, entries: 7, rawBytes: 300 },
    ...{ storedBytes: ARCHIVE_BYTES, catalogBytes: CATALOG_BYTES, seconds: 3600 },
  }
}

export function asHistories(...histories: readonly HostHistory[]): ReadonlyMap<string, HostHistory> {
  return new Map(histories.map((history) => [history.host, history]))
}

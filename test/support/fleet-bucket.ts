/** A vault in memory with the runs of a fleet, and how often it was asked for what. */
import { catalogKey, dataKey, manifestKey, type RunKey } from '../../agent/contract'
import { neverAborted } from '../../agent/lib/never-aborted'
import { formatManifest, type Manifest } from '../../agent/run/manifest'
import type { FleetDeps } from '../../fleet/vault'
import { logWarnings } from './log'
import { manifestOf, volumeBackupOf } from './manifest'
import { memoryStore, timeOf } from './memory-store'
import { memoryVault } from './memory-vault'

/** As `volumeBackupOf` has it. */
const STORED = { data: 1000, catalog: 300 }

export function fleetBucket() {
  const store = memoryStore()
  const vault = memoryVault({ store })
  const warnings: string[] = []
  /** `read KEY` and `list PREFIX`, since it was emptied last. */
  const asked: string[] = []
  const deps: FleetDeps = {
    vault: {
      ...vault,
      store: {
        ...store,
        get: (key, ...rest) => (asked.push(`read ${key}`), store.get(key, ...rest)),
        getRange: (key, ...rest) => (asked.push(`read ${key}`), store.getRange(key, ...rest)),
        list: (prefix, ...rest) => (asked.push(`list ${prefix}`), store.list(prefix, ...rest)),
      },
    },
    log: logWarnings(warnings),
    now: () => new Date(),
    signal: neverAborted(),
  }

  const put = (key: string, body: string | Buffer, lastModified = timeOf(key)): void =>
    void store.objects.set(key, { body: Buffer.from(body), storageClass: 'STANDARD', lastModified })

  return {
    ...{ deps, vault, store, warnings, asked, put },
    /** What was read of those with the prefix, and forgets it. */
    readOf: (prefix: string): string[] => {
      const read = asked.filter((each) => each.startsWith(`read ${prefix}`)).map((each) => each.slice('read '.length))
      asked.length = 0
      return read
    },
    /** A run with all its objects, each volume as the tests' manifests have it. */
    putRun: (runKey: RunKey, changes: Partial<Manifest> = {}, volumes: readonly string[] = ['vg0-home']): void => {
      const backups = volumes.map((volume) => volumeBackupOf({ volume, mountPoint: `/${volume}` }, runKey))
      for (const volume of volumes) {
        put(dataKey(runKey, volume, 'zstd', 0), Buffer.alloc(STORED.data))
        put(catalogKey(runKey, volume), Buffer.alloc(STORED.catalog))
      }
      put(manifestKey(runKey), formatManifest(manifestOf({ ...runKey, volumes: backups, ...changes })))
    },
  }
}

/** Of a host that runs at two in the morning: the name of its run of that day. */
export function nightly(host: string, day: number, className = 'daily'): RunKey {
  const date = new Date(Date.UTC(2026, 0, day)).toISOString().slice(0, 10).replaceAll('-', '')
  return { class: className, host, run: `${date}T020000Z-aaaaaa` }
}

/** Nights of one volume: full and differential archives of a directory, as the agent makes them of a snapshot. */
import { execFileSync } from 'node:child_process'
import { catalogKey, dataKey, manifestKey, removedKey, type Compression, type RunKey } from '../../agent/contract'
import { FRAME_BYTES, type WrittenArchive } from '../../agent/archive/archive'
import { archiveVolume } from '../../agent/archive/write.io'
import { draftIndex, openIndex, type IndexHeader, type IndexPlace } from '../../agent/changes/index.io'
import { planDifferential, type BetterFull, type ChangeCounts } from '../../agent/changes/plan.io'
import { walkTree } from '../../agent/changes/walk.io'
import { localHost } from '../../agent/host/run-command.io'
import { formatManifest, formatOf, type VolumeBackup } from '../../agent/run/manifest'
import { tarCreate, tarCreateListed, tarExtract } from '../../agent/tar/commands'
import { NO_TAGS } from '../../agent/tar/tags'
import { restore } from './commands'
import { requestOf } from './request'
import { manifestOf, volumeBackupOf } from './manifest'
import { memoryStore, type MemoryStore } from './memory-store'

export const VOLUME = 'vg0-srv'
const signal = new AbortController().signal
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

export interface Nights {
  readonly store: MemoryStore
  /** Archives all of it, and keeps the index. */
  full(): Promise<VolumeBackup>
  /** Archives what has changed since the last full one. @throws Error where it would be a full one, with the reason */
  differential(): Promise<VolumeBackup & { readonly counts: ChangeCounts }>
  /** As `differential`, or why it would be a full one. */
  plan(): Promise<ChangeCounts | BetterFull>
}

/**
 * Each is a day after the one before it, by the names of the runs; so that nothing is in doubt, snapshots are dated ahead of
 * all that happens here.
 *
 * @param directory - of the indexes: nobody else may be able to change it
 */
export function nightsOf(
  root: string,
  directory: string,
  compression: Compression = 'zstd',
  store = memoryStore(),
  tags = NO_TAGS,
): Nights {
  const tree = { directory: root, excludes: [], tags }
  const place: IndexPlace = { class: 'daily', volume: VOLUME, directory }
  const began = Date.now() + 60_000
  let night = 0
  const deps = { host: localHost, store, log, now: () => new Date(), signal }

  const next = (): { readonly at: RunKey; readonly takenAt: Date } => {
    const day = String(++night).padStart(2, '0')
    return {
      at: { class: 'daily', host: 'db-1', run: `202601${day}T020000Z-k3xw7a` },
      takenAt: new Date(began + night * 60_000),
    }
  }
  const archiveRequestOf = (at: RunKey) => ({
    dataKey: (segment: number) => dataKey(at, VOLUME, compression, segment),
    catalogKey: catalogKey(at, VOLUME),
    compression,
    compressionLevel: 3,
    onUpload: () => Promise.resolve(),
    beforeComplete: () => Promise.resolve(),
  })
  const headerOf = ({ run, host }: RunKey) => ({
    run,
    host,
    volume: VOLUME,
    mountPoint: '/srv',
    frameBytes: FRAME_BYTES,
  })
  const backupOf = (at: RunKey, takenAt: Date, written: WrittenArchive, base?: VolumeBackup['base']): VolumeBackup => {
    const { notes, removed, ...archive } = written
    expect(notes.warnings).toEqual({ count: 0, lines: [] })
    return volumeBackupOf(
      {
        ...{ volume: VOLUME, mountPoint: '/srv', level: base ? 'differential' : 'full', archive, base, removed },
        snapshot: { takenAt: takenAt.toISOString(), livedSeconds: 1 },
      },
      at,
    )
  }
  const publish = async (at: RunKey, backup: VolumeBackup): Promise<void> => {
    const manifest = manifestOf({ ...at, format: formatOf([backup]), volumes: [backup] })
    await store.put(manifestKey(at), formatManifest(manifest), signal)
  }
  const planned = async () => {
    const index = await openIndex(place)
    if ('unusable' in index) return { full: index.unusable }
    await using opened = index
    return await planDifferential(opened, tree, signal)
  }

  return {
    store,
    async full() {
      const { at, takenAt } = next()
      await using draft = await draftIndex(place)
      const written = await archiveVolume(deps, {
        ...archiveRequestOf(at),
        tar: tarCreate(root, [], tags),
        header: { catalog: 2, ...headerOf(at) },
        onCatalog: draft.takeCatalog,
      })
      const backup = backupOf(at, takenAt, written)
      const header: IndexHeader = {
        ...{ ...at, volume: VOLUME, uuid: 'uuid', filesystem: 'ext4', mountPoint: '/srv', excludes: [], tags },
        ...{ takenAt: takenAt.toISOString(), archive: backup.archive },
      }
      await using walk = walkTree(tree, signal)
      await draft.complete(header, walk)
      await draft.keep()
      await publish(at, backup)
      return backup
    },
    async differential() {
      const { at, takenAt } = next()
      const plan = await planned()
      if ('full' in plan) throw new Error(plan.full)
      await using source = plan
      const written = await archiveVolume(deps, {
        ...archiveRequestOf(at),
        tar: tarCreateListed(root),
        header: { catalog: 3, ...headerOf(at), base: source.base.run },
        differential: { source, removedKey: removedKey(at, VOLUME) },
      })
      const backup = backupOf(at, takenAt, written, source.base)
      await publish(at, backup)
      return { ...backup, counts: source.counts }
    },
    async plan() {
      const plan = await planned()
      if ('full' in plan) return plan
      await plan[Symbol.asyncDispose]()
      return plan.counts
    },
  }
}

/** The run that a night is of. */
export function runOf({ archive }: VolumeBackup): string {
  return archive.catalog.key.split('/').at(-2)!
}

export function placeOf(night: VolumeBackup): RunKey {
  return { class: 'daily', host: 'db-1', run: runOf(night) }
}

/** The agent's own restore. */
export async function restoreNight(
  store: MemoryStore,
  night: VolumeBackup,
  target: string,
  ...options: readonly string[]
) {
  const there = ['--class', 'daily', '--run', runOf(night), '--target', target]
  return restore(
    { host: localHost, store, log, now: () => new Date(), signal },
    requestOf('restore', 'db-1', ...there, ...options),
  )
}

/** Extracts the base, removes what the list names, extracts the differential archive over it: plain zstd, tar and rm. */
export function restoreByHand(store: MemoryStore, { archive, base, removed }: VolumeBackup, target: string): void {
  const extract = ({ segments, compression }: VolumeBackup['archive']): void => {
    const stored = Buffer.concat(segments.map(({ key }) => store.objects.get(key)!.body))
    const [program, ...options] = tarExtract(target)
    execFileSync(program, options, {
      input: compression === 'none' ? stored : decompress(stored),
      stdio: ['pipe', 'ignore', 'pipe'],
    })
  }
  if (base) extract(base.archive)
  if (removed) {
    const names = decompress(store.objects.get(removed.key)!.body)
    execFileSync('xargs', ['-0', '-r', 'rm', '-rf', '--'], { input: names, cwd: target })
  }
  extract(archive)
}

function decompress(stored: Buffer): Buffer {
  return execFileSync('zstd', ['--decompress', '--stdout', '--quiet'], { input: stored, maxBuffer: 2 ** 30 })
}

/**
 * A run of one volume by the agent's own parts, with everything but its snapshot, in its own process:
 * `node agent-night.cjs full|differential DIRECTORY INDEXES RUN ENDPOINT_URL BUCKET`. Credentials are in the environment.
 */
import { catalogKey, dataKey, manifestKey, removedKey, type RunKey } from '../agent/contract'
import { FRAME_BYTES, type WrittenArchive } from '../agent/archive/archive'
import { runCatalogWorkerIfAsked } from '../agent/archive/catalog-worker-thread.io'
import { runWalkIfAsked } from '../agent/changes/walk-thread.io'
import { localHost } from '../agent/host/run-command.io'
import { tuneGarbageCollection } from '../agent/lib/buffers.io'
import { formatManifest, formatOf, type VolumeBackup } from '../agent/run/manifest'
import { tarCreate, tarCreateListed } from '../agent/tar/commands'
import { manifestOf, volumeBackupOf } from '../test/support/manifest'
import type { Deps } from '../agent/context'

const VOLUME = 'vg0-srv'
const log = { debug: () => undefined, info: () => undefined, warn: (message: string) => console.error(message) }

/** What the last line says. */
export interface NightFigures {
  /** Stored, of the archive, of its catalog, and of the list of what is gone. */
  readonly archiveBytes: number
  readonly catalogBytes: number
  readonly removedBytes: number
}

interface Night {
  readonly directory: string
  readonly indexes: string
  readonly runKey: RunKey
}

type Store = Deps['store']

async function archive(level: string, night: Night, store: Store): Promise<VolumeBackup> {
  // Imported as the agent does it: its threads do not load these.
  const [{ archiveVolume }, { draftIndex, openIndex }, { planDifferential }, { walkTree }] = await Promise.all([
    import('../agent/archive/write.io'),
    import('../agent/changes/index.io'),
    import('../agent/changes/plan.io'),
    import('../agent/changes/walk.io'),
  ])
  const { directory, indexes, runKey } = night
  const { signal } = new AbortController()
  const deps = { host: localHost, store, log, now: () => new Date(), signal }
  const place = { class: runKey.class, volume: VOLUME, directory: indexes }
  const tree = { directory, excludes: [] }
  const takenAt = new Date()
  const snapshot = { takenAt: takenAt.toISOString(), livedSeconds: 1 }
  const names = { volume: VOLUME, mountPoint: '/srv' }
  const header = { run: runKey.run, host: runKey.host, ...names, frameBytes: FRAME_BYTES }
  const request = {
    dataKey: (segment: number) => dataKey(runKey, VOLUME, 'zstd', segment),
    catalogKey: catalogKey(runKey, VOLUME),
    ...({ compression: 'zstd', compressionLevel: 3 } as const),
    onUpload: () => Promise.resolve(),
    beforeComplete: () => Promise.resolve(),
  }

  if (level === 'differential') {
    const index = await openIndex(place)
    if ('unusable' in index) throw new Error(index.unusable)
    await using base = index
    const plan = await planDifferential(base, tree, signal)
    if ('full' in plan) throw new Error(plan.full)
    await using source = plan
    const differential = { source, removedKey: removedKey(runKey, VOLUME) }
    const tar = tarCreateListed(directory)
    const own = { catalog: 3, ...header, base: source.base.run } as const
    const { notes, removed, ...written } = await archiveVolume(deps, { ...request, tar, header: own, differential })
    assertUnwarned(notes)
    const level = { level: 'differential', base: source.base, removed } as const
    return volumeBackupOf({ ...names, ...level, archive: written, snapshot }, runKey)
  }
  await using draft = await draftIndex(place)
  const { notes, ...written } = await archiveVolume(deps, {
    ...request,
    tar: tarCreate(directory),
    header: { catalog: 2, ...header },
    onCatalog: draft.takeCatalog,
  })
  assertUnwarned(notes)
  const backup = volumeBackupOf({ ...names, level: 'full', archive: written, snapshot }, runKey)
  await using walk = walkTree(tree, signal)
  const origin = { ...names, uuid: 'bench', filesystem: 'tmpfs', excludes: [], tags: { caches: false, names: [] } }
  await draft.complete({ ...runKey, ...origin, takenAt: snapshot.takenAt, archive: backup.archive }, walk)
  await draft.keep()
  return backup
}

function assertUnwarned({ warnings }: WrittenArchive['notes']): void {
  if (warnings.count > 0) throw new Error(`the archive is not complete: ${warnings.lines[0] ?? ''}`)
}

async function main(): Promise<void> {
  const [level, directory, indexes, run, endpointUrl, bucket] = process.argv.slice(2) as [
    ...[string, string, string, string, string, string],
  ]
  tuneGarbageCollection() // as the agent's command line does
  const { s3Store } = await import('../agent/bucket/store.io')
  const credentials = async () => ({
    accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? '',
  })
  const store = s3Store({ bucket, region: 'us-east-1', credentials, endpointUrl, log })
  const runKey: RunKey = { class: 'bench', host: 'bench', run }
  const backup = await archive(level, { directory, indexes, runKey }, store)
  const manifest = manifestOf({ ...runKey, format: formatOf([backup]), volumes: [backup] })
  await store.put(manifestKey(runKey), formatManifest(manifest), new AbortController().signal)
  const figures: NightFigures = {
    archiveBytes: backup.archive.storedBytes,
    catalogBytes: backup.archive.catalog.sizeBytes,
    removedBytes: backup.removed?.sizeBytes ?? 0,
  }
  console.log(JSON.stringify(figures))
  process.exit(0)
}

if (!runCatalogWorkerIfAsked() && !runWalkIfAsked()) void main()

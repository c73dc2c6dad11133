/** Makes what the restore benchmark restores: `node make-archive.cjs DIRECTORY none|zstd OBJECTS_DIRECTORY`. */
import { catalogKey, dataKey, manifestKey, type Compression } from '../agent/contract'
import { localHost } from '../agent/host/run-command.io'
import { runCatalogWorkerIfAsked } from '../agent/archive/catalog-worker-thread.io'
import { FRAME_BYTES } from '../agent/archive/archive'
import { formatManifest } from '../agent/run/manifest'
import { tarCreate } from '../agent/tar/commands'
import { manifestOf, volumeBackupOf } from '../test/support/manifest'
import { fileStore } from './file-store'
import { runKeyOf } from './run-key'
import type { Store } from '../agent/context'

async function make(directory: string, compression: Compression, objects: string): Promise<void> {
  const [{ archiveVolume }, { PART_BYTES }] = await Promise.all([
    import('../agent/archive/write.io'),
    import('../agent/bucket/upload.io'),
  ])
  const runKey = runKeyOf(compression)
  const store = fileStore(objects, PART_BYTES) as Store
  const log = { debug: () => undefined, info: () => undefined, warn: (message: string) => console.error(message) }
  const { signal } = new AbortController()
  const archive = await archiveVolume(
    { host: localHost, store, log, now: () => new Date(), signal },
    {
      tar: tarCreate(directory),
      header: { catalog: 2, ...runKey, volume: 'vg0-srv', mountPoint: '/srv', frameBytes: FRAME_BYTES },
      dataKey: (segment) => dataKey(runKey, 'vg0-srv', compression, segment),
      catalogKey: catalogKey(runKey, 'vg0-srv'),
      compression,
      compressionLevel: 3,
      onUpload: () => Promise.resolve(),
      beforeComplete: () => Promise.resolve(),
    },
  )
  const volumes = [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })]
  await store.put(manifestKey(runKey), formatManifest(manifestOf({ ...runKey, volumes })), signal)
}

if (!runCatalogWorkerIfAsked()) {
  const [directory, compression, objects] = process.argv.slice(2) as [string, Compression, string]
  void make(directory, compression, objects).then(() => process.exit(0))
}

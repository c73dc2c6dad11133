/** The agent's pipeline alone, in its own process: `node agent-archive.cjs DIRECTORY none|zstd ENDPOINT_URL`. */
import type { Compression } from '../agent/contract'
import { localHost } from '../agent/host/run-command.io'
import { runCatalogWorkerIfAsked } from '../agent/archive/catalog-worker-thread.io'
import { tuneGarbageCollection } from '../agent/lib/buffers.io'
import { FRAME_BYTES } from '../agent/archive/archive'
import { tarCreate } from '../agent/tar/commands'

async function archive(directory: string, compression: Compression, endpointUrl: string): Promise<void> {
  // Imported as the agent does it: its thread does not load these.
  const [{ archiveVolume }, { s3Store }] = await Promise.all([
    import('../agent/archive/write.io'),
    import('../agent/bucket/store.io'),
  ])
  tuneGarbageCollection() // as the agent's command line does
  const log = { debug: () => undefined, info: () => undefined, warn: (message: string) => console.error(message) }
  const credentials = async () => ({ accessKeyId: 'bench', secretAccessKey: 'bench' })
  const store = s3Store({ bucket: 'bench', region: 'us-east-1', credentials, endpointUrl, log })
  const deps = { host: localHost, store, log, now: () => new Date(), signal: new AbortController().signal }
  await archiveVolume(deps, {
    tar: tarCreate(directory),
    header: { catalog: 2, run: 'bench', host: 'bench', volume: 'bench', mountPoint: '/', frameBytes: FRAME_BYTES },
    dataKey: (segment) => `data/bench/archive.${segment}`,
    catalogKey: 'catalogs/bench/archive',
    compression,
    compressionLevel: 3,
    onUpload: () => Promise.resolve(),
    beforeComplete: () => Promise.resolve(),
  })
}

if (!runCatalogWorkerIfAsked()) {
  const [directory, compression, endpointUrl] = process.argv.slice(2) as [string, Compression, string]
  void archive(directory, compression, endpointUrl).then(() => process.exit(0))
}

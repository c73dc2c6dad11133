/**
 * How golden/v1-many-frames was made, once, by the pipeline of format 1. It is here to be read, and is not run again:
 *
 *     npx esbuild test/golden/make-many-frames.ts --bundle --platform=node --outfile=.cache/make-many-frames.cjs
 *     node_modules/.bin/node .cache/make-many-frames.cjs
 */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { catalogKey, dataKey, manifestKey } from '../../agent/contract'
import { localHost } from '../../agent/host/run-command.io'
import { runCatalogWorkerIfAsked } from '../../agent/archive/catalog-worker-thread.io'
import { archiveVolume } from '../../agent/archive/write.io'
import { FRAME_BYTES } from '../../agent/archive/archive'
import { formatManifest } from '../../agent/run/manifest'
import { tarCreate } from '../../agent/tar/commands'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { memoryStore } from '../support/memory-store'

const OUT = 'test/golden/v1-many-frames'
const place = { class: 'monthly', host: 'guest', run: '20261124T211500Z-mnyfrm' }
const volume = 'vg0-many'
const MODIFIED = new Date('2026-11-20T10:00:00Z')

/** 15,000 files with long names: a catalog of more than 3 MiB, which is compressed in pieces of 1 MiB. */
function makeTree(root: string): void {
  const directories = Array.from({ length: 15 }, (_, index) => join(root, `directory-${index}-${'d'.repeat(60)}`))
  for (const directory of directories) {
    mkdirSync(directory)
    for (let file = 0; file < 1000; file++) {
      const path = join(directory, `file-${file}`)
      writeFileSync(path, file % 100 === 0 ? `${path.slice(root.length)}\n` : '')
      utimesSync(path, MODIFIED, MODIFIED)
    }
    utimesSync(directory, MODIFIED, MODIFIED)
  }
  utimesSync(root, MODIFIED, MODIFIED)
}

async function main(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'golden-'))
  makeTree(root)
  const store = memoryStore()
  const signal = new AbortController().signal
  const { notes, ...archive } = await archiveVolume(
    { host: localHost, store, log: silentLog, now: () => new Date(), signal },
    {
      tar: tarCreate(root),
      header: { catalog: 1, run: place.run, host: place.host, volume, mountPoint: '/many', frameBytes: FRAME_BYTES },
      dataKey: (segment) => dataKey(place, volume, 'zstd', segment),
      catalogKey: catalogKey(place, volume),
      compression: 'zstd',
      level: 3,
      segmentBytes: 48 * 1024, // more than one segment, of more than one frame
      onUpload: async () => undefined,
      beforeComplete: async () => undefined,
    },
  )
  rmSync(root, { recursive: true })
  const tarCommand = tarCreate(`/run/snapstream/${place.run}/${volume}`)
  const snapshot = {
    kind: 'thick',
    sizeBytes: 1 << 28,
    takenAt: '2026-11-24T21:15:02.000Z',
    livedSeconds: 12.5,
  } as const
  const backup = volumeBackupOf({ volume, mountPoint: '/many', snapshot, tarCommand, archive }, place)
  const times = { startedAt: '2026-11-24T21:15:00.000Z', finishedAt: '2026-11-24T21:15:30.000Z' }
  const manifest = formatManifest(manifestOf({ ...place, ...times, volumes: [backup] }))
  const objects = [...store.objects].map(([key, { body }]) => [key, body] as const)
  for (const [key, body] of [...objects, [manifestKey(place), manifest] as const]) {
    mkdirSync(dirname(join(OUT, key)), { recursive: true })
    writeFileSync(join(OUT, key), body)
  }
  console.log(archive, notes)
}

if (!runCatalogWorkerIfAsked()) void main()

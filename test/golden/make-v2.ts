/**
 * How golden/v2 was made, once, by the pipeline of format 2. It is here to be read, and is not run again:
 *
 *     npx esbuild test/golden/make-v2.ts --bundle --platform=node --outfile=.cache/make-v2.cjs
 *     node_modules/.bin/node .cache/make-v2.cjs
 */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { catalogKey, dataKey, manifestKey, type Compression } from '../../agent/contract'
import { localHost } from '../../agent/host/run-command.io'
import { runCatalogWorkerIfAsked } from '../../agent/archive/catalog-worker-thread.io'
import { archiveVolume } from '../../agent/archive/write.io'
import { FRAME_BYTES } from '../../agent/archive/archive'
import { CATALOG_FORMAT } from '../../agent/archive/catalog'
import { formatManifest, type VolumeBackup } from '../../agent/run/manifest'
import { tarCreate } from '../../agent/tar/commands'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { buildTree } from '../support/tree/build'
import { hostileTree } from '../support/tree/hostile'

const OUT = 'test/golden/v2'
const WEEKLY = { class: 'weekly', host: 'guest', run: '20261127T190000Z-goldv2' }
const DAILY = { class: 'daily', host: 'guest', run: '20261127T191500Z-goldv2' }
const MODIFIED = new Date('2026-11-20T10:00:00Z')

/** 9,000 files with long names: several frames, which compress to several segments. */
function makeMany(root: string): void {
  for (let file = 0; file < 9000; file++) {
    const path = join(root, `file-${file}-${'f'.repeat(60)}`)
    writeFileSync(path, file % 100 === 0 ? `${file}\n` : '')
    utimesSync(path, MODIFIED, MODIFIED)
  }
  utimesSync(root, MODIFIED, MODIFIED)
}

function makeFew(root: string): void {
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(join(root, name), `${name}\n`)
    utimesSync(join(root, name), MODIFIED, MODIFIED)
  }
  utimesSync(root, MODIFIED, MODIFIED)
}

interface Golden {
  readonly volume: string
  readonly mountPoint: string
  readonly compression: Compression
  readonly segmentBytes?: number
  readonly make: (root: string) => void | Promise<void>
}

async function archive(store: MemoryStore, place: typeof DAILY, golden: Golden): Promise<VolumeBackup> {
  const { volume, mountPoint, compression, segmentBytes, make } = golden
  const root = mkdtempSync(join(tmpdir(), 'golden-'))
  await make(root)
  const { notes, ...written } = await archiveVolume(
    { host: localHost, store, log: silentLog, now: () => new Date(), signal: new AbortController().signal },
    {
      tar: tarCreate(root),
      header: { catalog: CATALOG_FORMAT, run: place.run, host: place.host, volume, mountPoint, frameBytes: FRAME_BYTES },
      dataKey: (segment) => dataKey(place, volume, compression, segment),
      catalogKey: catalogKey(place, volume),
      compression,
      compressionLevel: 3,
      ...(segmentBytes !== undefined && { segmentBytes }),
      onUpload: async () => undefined,
      beforeComplete: async () => undefined,
    },
  )
  rmSync(root, { recursive: true })
  console.log(written, notes)
  const tarCommand = tarCreate(`/run/snapstream/${place.run}/${volume}`)
  return volumeBackupOf({ volume, mountPoint, tarCommand, archive: written }, place)
}

async function write(place: typeof DAILY, volumes: readonly Golden[]): Promise<void> {
  const store = memoryStore()
  const backups: VolumeBackup[] = []
  for (const volume of volumes) backups.push(await archive(store, place, volume))
  const times = { startedAt: '2026-11-27T19:00:00.000Z', finishedAt: '2026-11-27T19:20:00.000Z' }
  const manifest = formatManifest(manifestOf({ ...place, ...times, volumes: backups }))
  const objects = [...store.objects].map(([key, { body }]) => [key, body] as const)
  for (const [key, body] of [...objects, [manifestKey(place), manifest] as const]) {
    mkdirSync(dirname(join(OUT, key)), { recursive: true })
    writeFileSync(join(OUT, key), body)
  }
}

async function main(): Promise<void> {
  await write(DAILY, [
    { volume: 'vg0-many', mountPoint: '/many', compression: 'zstd', segmentBytes: 32 * 1024, make: makeMany },
    { volume: 'vg0-srv', mountPoint: '/srv', compression: 'zstd', make: (root) => buildTree(root, hostileTree()) },
  ])
  await write(WEEKLY, [{ volume: 'vg0-few', mountPoint: '/few', compression: 'none', make: makeFew }])
}

if (!runCatalogWorkerIfAsked()) void main()

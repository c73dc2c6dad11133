/**
 * How golden/v3 was made, once, by the pipeline of format 3. It is here to be read, and is not run again:
 *
 *     npx esbuild test/golden/make-v3.ts --bundle --platform=node --outfile=.cache/make-v3.cjs
 *     node_modules/.bin/node .cache/make-v3.cjs
 */
import { NO_TAGS } from '../../agent/tar/tags'
import {
  appendFileSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { catalogKey, dataKey, manifestKey, removedKey, type Compression, type RunKey } from '../../agent/contract'
import { FRAME_BYTES, type WrittenArchive } from '../../agent/archive/archive'
import { CATALOG_FORMAT, DIFFERENTIAL_CATALOG_FORMAT } from '../../agent/archive/catalog'
import { runCatalogWorkerIfAsked } from '../../agent/archive/catalog-worker-thread.io'
import { archiveVolume } from '../../agent/archive/write.io'
import { draftIndex, openIndex } from '../../agent/changes/index.io'
import { planDifferential } from '../../agent/changes/plan.io'
import { walkTree } from '../../agent/changes/walk.io'
import { runWalkIfAsked } from '../../agent/changes/walk-thread.io'
import { localHost } from '../../agent/host/run-command.io'
import { formatManifest, formatOf, type VolumeBackup } from '../../agent/run/manifest'
import { tarCreate, tarCreateListed } from '../../agent/tar/commands'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { buildTree } from '../support/tree/build'
import { hostileTree } from '../support/tree/hostile'
import { makeTrustedDirectory } from '../support/trusted-directory'

const OUT = 'test/golden/v3'
const HOST = 'guest'
/** Shortly after these were made: so nothing in the base is so new that it is in doubt. */
const BASE = '20261128T120000Z-goldv3'
const NIGHT = '20261128T130000Z-goldv3'
const HOUR = { [BASE]: '2026-11-28T12', [NIGHT]: '2026-11-28T13' } as const
const MODIFIED = new Date('2026-11-20T10:00:00Z')

interface Golden {
  readonly volume: string
  readonly mountPoint: string
  readonly compression: Compression
  readonly segmentBytes?: number
  readonly make: (root: string) => void | Promise<void>
  /** What happens between the runs; without it the second archive is full, too. */
  readonly change?: (root: string) => void
}

function write(root: string, name: string, content: string | Buffer): void {
  writeFileSync(join(root, name), content)
  lutimesSync(join(root, name), MODIFIED, MODIFIED)
}

/** One of everything that a backup can get wrong, and what can become of files. */
async function makeSrv(root: string): Promise<void> {
  await buildTree(root, hostileTree())
  for (const directory of ['app', 'app/moved', 'app/removed', 'app/removed/deep']) mkdirSync(join(root, directory))
  for (const name of ['kept', 'changed', 'gone', 'becomes a directory', 'new\nline', 'moved/file', 'removed/deep/file'])
    write(root, `app/${name}`, `${name} before`)
  writeFileSync(Buffer.concat([Buffer.from(`${root}/app/gone-`), Buffer.of(0xff, 0xfe)]), 'its name is not UTF-8')
  for (const file of ['same', 'other']) {
    write(root, `app/${file}-1`, `${file} before`)
    for (const name of [2, 3]) linkSync(join(root, `app/${file}-1`), join(root, `app/${file}-${name}`))
  }
  write(root, 'app/large', Buffer.alloc(5 * 1024 * 1024, 'several frames '))
}

function changeSrv(root: string): void {
  const app = join(root, 'app')
  write(root, 'app/changed', 'changed since')
  write(root, 'app/new', 'new since')
  for (const name of ['gone', 'new\nline', 'becomes a directory', 'removed'])
    rmSync(join(app, name), { recursive: true })
  rmSync(Buffer.concat([Buffer.from(`${app}/gone-`), Buffer.of(0xff, 0xfe)]))
  mkdirSync(join(app, 'becomes a directory'))
  write(root, 'app/becomes a directory/file', 'in it')
  symlinkSync('kept', join(app, 'link since'))
  renameSync(join(app, 'moved'), join(app, 'moved since'))
  appendFileSync(join(app, 'other-3'), ' and since')
}

/** Several segments in base and night. */
function makeMany(root: string): void {
  for (let file = 0; file < 8000; file++) write(root, `file-${file}-${'f'.repeat(60)}`, 'x')
}

function changeMany(root: string): void {
  for (let file = 0; file < 8000; file += 3) {
    if (file % 2 === 0) rmSync(join(root, `file-${file}-${'f'.repeat(60)}`))
    else write(root, `file-${file}-${'f'.repeat(60)}`, `${file} since\n`.repeat(110))
  }
}

function makeFew(root: string): void {
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) write(root, name, `${name}\n`.repeat(1000))
}

function changeFew(root: string): void {
  write(root, 'b', 'b since\n')
  rmSync(join(root, 'c'))
}

const deps = { host: localHost, log: silentLog, now: () => new Date(), signal: new AbortController().signal }

/** One volume through two nights. */
async function archive(
  stores: readonly MemoryStore[],
  className: string,
  golden: Golden,
): Promise<readonly [VolumeBackup, VolumeBackup]> {
  const { volume, mountPoint, compression, segmentBytes, make, change } = golden
  await using scratch = new AsyncDisposableStack()
  const root = mkdtempSync(join(tmpdir(), 'golden-'))
  const directory = makeTrustedDirectory()
  scratch.defer(() => [root, directory].forEach((each) => rmSync(each, { recursive: true })))
  const place = { class: className, volume, directory }
  const [baseAt, nightAt] = [BASE, NIGHT].map((run) => ({ class: className, host: HOST, run })) as [RunKey, RunKey]
  const takenAt = { base: `${HOUR[BASE]}:00:05.000Z`, night: `${HOUR[NIGHT]}:00:05.000Z` }
  const requestOf = (at: RunKey) => ({
    dataKey: (segment: number) => dataKey(at, volume, compression, segment),
    catalogKey: catalogKey(at, volume),
    compression,
    compressionLevel: 3,
    ...(segmentBytes !== undefined && { segmentBytes }),
    onUpload: () => Promise.resolve(),
    beforeComplete: () => Promise.resolve(),
  })
  const headerOf = ({ run, host }: RunKey) => ({ run, host, volume, mountPoint, frameBytes: FRAME_BYTES })
  const recordOf = (at: RunKey, time: string, written: WrittenArchive, base?: VolumeBackup['base']): VolumeBackup => {
    const { notes, removed, ...whole } = written
    console.log(volume, at.run, notes, removed, whole.segments.length)
    const tarCommand = (base ? tarCreateListed : tarCreate)(`/run/snapstream/${at.run}/${volume}`)
    return volumeBackupOf(
      {
        ...{ volume, mountPoint, tarCommand, archive: whole, removed, base, level: base ? 'differential' : 'full' },
        snapshot: { takenAt: time, livedSeconds: 12.5 },
      },
      at,
    )
  }

  await make(root)
  await using draft = await draftIndex(place)
  const full = (at: RunKey, store: MemoryStore) =>
    archiveVolume(
      { ...deps, store },
      {
        ...requestOf(at),
        tar: tarCreate(root),
        header: { catalog: CATALOG_FORMAT, ...headerOf(at) },
        ...(at === baseAt && { onCatalog: draft.takeCatalog }),
      },
    )
  const base = recordOf(baseAt, takenAt.base, await full(baseAt, stores[0]!))
  await using walk = walkTree({ directory: root, excludes: [] }, deps.signal)
  const identity = { uuid: base.uuid, filesystem: base.filesystem, mountPoint, excludes: [], tags: NO_TAGS }
  await draft.complete({ ...baseAt, volume, ...identity, takenAt: takenAt.base, archive: base.archive }, walk)
  await draft.keep()
  if (!change) return [base, recordOf(nightAt, takenAt.night, await full(nightAt, stores[1]!))]

  change(root)
  const index = await openIndex(place)
  if ('unusable' in index) throw new Error(index.unusable)
  await using opened = index
  const plan = await planDifferential(opened, { directory: root, excludes: [] }, deps.signal)
  if ('full' in plan) throw new Error(plan.full)
  await using source = plan
  console.log(source.counts)
  const written = await archiveVolume(
    { ...deps, store: stores[1]! },
    {
      ...requestOf(nightAt),
      tar: tarCreateListed(root),
      header: { catalog: DIFFERENTIAL_CATALOG_FORMAT, ...headerOf(nightAt), base: source.base.run },
      differential: { source, removedKey: removedKey(nightAt, volume) },
    },
  )
  return [base, recordOf(nightAt, takenAt.night, written, source.base)]
}

async function writeRuns(className: string, goldens: readonly Golden[]): Promise<void> {
  const stores = [memoryStore(), memoryStore()]
  const backups = []
  for (const golden of goldens) backups.push(await archive(stores, className, golden))
  for (const [night, run] of ([BASE, NIGHT] as const).entries()) {
    const at = { class: className, host: HOST, run }
    const times = { startedAt: `${HOUR[run]}:00:00.000Z`, finishedAt: `${HOUR[run]}:01:00.000Z` }
    const volumes = backups.map((both) => both[night]!)
    const manifest = formatManifest(manifestOf({ ...at, ...times, format: formatOf(volumes), volumes }))
    const objects = [...stores[night]!.objects].map(([key, { body }]) => [key, body] as const)
    for (const [key, body] of [...objects, [manifestKey(at), manifest] as const]) {
      mkdirSync(dirname(join(OUT, key)), { recursive: true })
      writeFileSync(join(OUT, key), body)
    }
  }
}

async function main(): Promise<void> {
  await writeRuns('daily', [
    { volume: 'vg0-srv', mountPoint: '/srv', compression: 'zstd', make: makeSrv, change: changeSrv },
    {
      ...{ volume: 'vg0-many', mountPoint: '/lots', compression: 'zstd', segmentBytes: 6 * 1024 },
      ...{ make: makeMany, change: changeMany },
    },
    { volume: 'vg0-few', mountPoint: '/few', compression: 'zstd', make: makeFew },
  ])
  await writeRuns('weekly', [
    { volume: 'vg0-few', mountPoint: '/few', compression: 'none', make: makeFew, change: changeFew },
  ])
}

if (!runCatalogWorkerIfAsked() && !runWalkIfAsked()) void main()

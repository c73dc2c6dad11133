/** Makes what the search benchmark searches, a run with a catalog of a million entries: `node make-catalog.cjs OBJECTS_DIRECTORY`. */
import { crc32, zstdCompressSync } from 'node:zlib'
import { catalogKey, manifestKey } from '../agent/contract'
import { FRAME_BYTES } from '../agent/archive/archive'
import { formatCatalogEntry, formatCatalogLine } from '../agent/archive/catalog'
import { formatManifest } from '../agent/run/manifest'
import { manifestOf, volumeBackupOf } from '../test/support/manifest'
import { fileStore } from './file-store'
import { runKeyOf } from './run-key'
import type { Store } from '../agent/context'
import { formatCrc32 } from '../agent/lib/crc32'
import type { CatalogEntry } from '../agent/tar/entry'

const ENTRIES = 1_000_000
const FILES_PER_DIRECTORY = 99
const ENTRY_BYTES = 4096
/** About 1 MiB of text. */
const LINES_PER_FRAME = 6000

async function make(objects: string): Promise<void> {
  const runKey = runKeyOf('zstd')
  const { signal } = new AbortController()
  const store = fileStore(objects, 0) as Store
  const { archive, ...volume } = volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv' }, runKey)
  const header = formatCatalogLine({
    catalog: 2,
    ...runKey,
    volume: 'vg0-srv',
    mountPoint: '/srv',
    frameBytes: 1 << 21,
  })
  const entries = Array.from({ length: ENTRIES }, (_, index) => formatCatalogEntry(entryOf(index)))
  const rawBytes = ENTRIES * ENTRY_BYTES
  const end = formatCatalogLine({ end: true, entries: ENTRIES, frames: 0, rawBytes })
  const catalog = compressInFrames([header, ...entries, end])
  const key = catalogKey(runKey, 'vg0-srv')
  await store.put(key, catalog, signal)
  const stored = { key, sizeBytes: catalog.length, crc32: formatCrc32(crc32(catalog)) }
  const frames = Math.ceil(rawBytes / FRAME_BYTES)
  // Nobody reads the archive itself.
  const [segment] = archive.segments.map((first) => ({ ...first, sizeBytes: rawBytes, rawBytes }))
  const sizes = { segments: segment ? [segment] : [], rawBytes, storedBytes: rawBytes, entries: ENTRIES, frames }
  const volumes = [{ ...volume, archive: { ...archive, ...sizes, catalog: stored } }]
  await store.put(manifestKey(runKey), formatManifest(manifestOf({ ...runKey, volumes })), signal)
}

/** Frame by frame, as the agent does. */
function compressInFrames(lines: readonly string[]): Buffer {
  const frames: Buffer[] = []
  for (let at = 0; at < lines.length; at += LINES_PER_FRAME) {
    frames.push(zstdCompressSync(lines.slice(at, at + LINES_PER_FRAME).join('')))
  }
  return Buffer.concat(frames)
}

/** Names, sizes and times that differ as those of real files do, the same in every run. */
function entryOf(index: number): CatalogEntry {
  const noise = Math.imul(index + 1, 2654435761) >>> 0
  const directory = `app-${Math.floor(index / 10_000)}/releases/${Math.floor(index / (FILES_PER_DIRECTORY + 1))}`
  const isDirectory = index % (FILES_PER_DIRECTORY + 1) === 0
  return {
    path: isDirectory ? directory : `${directory}/${noise.toString(36)}-settings.conf`,
    type: isDirectory ? 'directory' : 'file',
    size: isDirectory ? 0 : noise % 3584,
    mode: isDirectory ? 0o755 : 0o644,
    uid: 1000,
    gid: 1000,
    mtime: `${1_700_000_000 + (noise % 30_000_000)}.${String(noise).padStart(9, '0').slice(0, 9)}`,
    offset: index * ENTRY_BYTES,
    bytes: ENTRY_BYTES,
  }
}

void make(process.argv[2] as string)

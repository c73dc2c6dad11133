import { createHash } from 'node:crypto'
import { constants, crc32, zstdCompressSync } from 'node:zlib'
import { catalogKey, dataKey, type Compression, type RunKey } from '../../agent/contract'
import { FRAME_BYTES, type Archive, type Segment, type StoredObject } from '../../agent/archive/archive'
import { formatCatalogEntry, formatCatalogLine, type CatalogFrames } from '../../agent/archive/catalog'
import { formatSeekTable } from '../../agent/archive/seek-table'
import { scanTar } from '../../agent/tar/scanner'
import { memoryStore, timeOf, type MemoryStore } from './memory-store'
import { formatCrc32 } from '../../agent/lib/crc32'
import type { CatalogEntry } from '../../agent/tar/entry'

export const place: RunKey = { class: 'daily', host: 'db-1', run: '20260131T020000Z-k3xw7a' }

export interface ArchiveOptions {
  readonly at?: RunKey
  readonly volume?: string
  readonly mountPoint?: string
  readonly compression?: Compression
  /** Small frames let a small archive have many; no manifest may have them. */
  readonly frameBytes?: number
  /** Frames after which a segment is cut. */
  readonly framesPerSegment?: number
  /** What the catalog says is in the stream, whatever is. */
  readonly entries?: readonly CatalogEntry[]
  /** Changes the catalog's text, as a defect of its writer would. */
  readonly editCatalog?: (text: string) => string
}

export interface StoredArchive {
  readonly archive: Archive
  readonly objects: ReadonlyMap<string, Buffer>
  readonly entries: readonly CatalogEntry[]
  /** Stored sizes of all frames. */
  readonly frameSizes: readonly number[]
}

/** What the pipeline stores of a tar stream, made in the plainest way, straight from docs/format.md. */
export function archiveOf(tar: Buffer, options: ArchiveOptions = {}): StoredArchive {
  const {
    at = place,
    volume = 'vg0-srv',
    mountPoint = '/srv',
    compression = 'zstd',
    frameBytes = FRAME_BYTES,
    framesPerSegment = Infinity,
  } = options
  const objects = new Map<string, Buffer>()
  const frames: Buffer[] = []
  for (let offset = 0; offset < tar.length; offset += frameBytes) {
    const raw = tar.subarray(offset, offset + frameBytes)
    frames.push(compression === 'zstd' ? compress(raw) : raw)
  }

  const segments: Segment[] = []
  const frameLines: CatalogFrames[] = []
  for (let first = 0; first < frames.length; first += framesPerSegment) {
    const mine = frames.slice(first, first + framesPerSegment)
    const storedBytes = mine.map((frame) => frame.length)
    const rawOffset = first * frameBytes
    const rawBytes = Math.min(mine.length * frameBytes, tar.length - rawOffset)
    const seekTable = compression === 'zstd' ? [formatSeekTable(storedBytes, rawBytes, frameBytes)] : []
    const key = dataKey(at, volume, compression, segments.length)
    const body = Buffer.concat([...mine, ...seekTable])
    objects.set(key, body)
    frameLines.push({
      segment: segments.length,
      firstFrame: first,
      storedBytes,
      ...(compression === 'none' && { crc32: mine.map((frame) => crc32(frame)) }),
    })
    segments.push({ ...storedAs(key, body), rawOffset, rawBytes })
  }

  const entries = options.entries ?? entriesOf(tar)
  const text = [
    formatCatalogLine({
      catalog: 2,
      run: at.run,
      host: at.host,
      volume,
      mountPoint,
      frameBytes,
    }),
    ...entries.map(formatCatalogEntry),
    ...frameLines.map(formatCatalogLine),
    formatCatalogLine({ end: true, entries: entries.length, frames: frames.length, rawBytes: tar.length }),
  ].join('')
  const catalog = compress(Buffer.from(options.editCatalog?.(text) ?? text))
  const key = catalogKey(at, volume)
  objects.set(key, catalog)

  return {
    archive: {
      compression,
      frameBytes,
      segments,
      catalog: storedAs(key, catalog),
      rawBytes: tar.length,
      storedBytes: segments.reduce((sum, segment) => sum + segment.sizeBytes, 0),
      entries: entries.length,
      frames: frames.length,
    },
    objects,
    entries,
    frameSizes: frames.map((frame) => frame.length),
  }
}

/** What a manifest says of an object. */
export function storedAs(key: string, body: Buffer): StoredObject {
  const sha256 = createHash('sha256').update(body).digest('hex')
  return { key, sizeBytes: body.length, crc32: formatCrc32(crc32(body)), sha256 }
}

function entriesOf(tar: Buffer): CatalogEntry[] {
  const entries: CatalogEntry[] = []
  const scanner = scanTar((entry) => entries.push(entry))
  scanner.push(tar)
  scanner.finish()
  return entries
}

/** A small archive of many frames, as no manifest may have it. */
export function archiveInSmallFrames(tar: Buffer, options: ArchiveOptions = {}): StoredArchive {
  return archiveOf(tar, { frameBytes: 64 * 1024, ...options })
}

/** A bucket with these objects, each written when its run was. */
export function storeWith(objects: ReadonlyMap<string, Buffer>): MemoryStore {
  const store = memoryStore()
  for (const [key, body] of objects) {
    store.objects.set(key, { body, storageClass: 'STANDARD', lastModified: timeOf(key) })
  }
  return store
}

function compress(raw: Buffer): Buffer {
  return zstdCompressSync(raw, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
}

/** tar -> catalog -> frames -> segments -> parts, checksummed and hashed -> S3: the archive of one volume. */
import { crc32 } from 'node:zlib'
import type { Compression } from '../contract'
import { AgentError } from '../errors'
import {
  FRAME_BYTES,
  SEGMENT_BYTES,
  type Archive,
  type DifferentialSource,
  type Segment,
  type StoredObject,
  type WrittenArchive,
} from './archive'
import type { CatalogHeader } from './catalog'
import { joinWarnings, type MessageSummary } from '../tar/messages'
import { assertRootIsKept } from '../tar/tags'
import type { Bandwidth } from '../bucket/bandwidth.io'
import type { OtherLines, StreamSummary } from './catalog-writer.io'
import { createCompressor } from './compressor.io'
import type { Deps, Log, Argv, UploadRef } from '../context'
import { mapInOrder } from '../lib/in-order.io'
import { startCatalogWorker, type CatalogWorker } from './catalog-worker.io'
import { openObject, PART_BYTES, type ObjectWriter, type UploadContext } from '../bucket/upload.io'
import { createPool, sharedBuffer } from '../lib/pool'
import { writeSegments, type SegmentWriter, type WrittenSegment } from './segments'
import { startTar, type TarStream } from '../tar/create.io'
import { formatCrc32 } from '../lib/crc32'

/** Connections per archive: S3 takes 80 to 100 MB/s on each, and each costs a part of memory. */
const PARTS_IN_FLIGHT = 6
/** The catalog is small: one part on its way while the next one fills. */
const CATALOG_PARTS = 2
/** Enough to keep Node's thread pool of four busy while the main thread sends. */
const FRAMES_IN_FLIGHT = 6

export interface ArchiveRequest {
  readonly tar: Argv
  /** First line of the catalog. */
  readonly header: CatalogHeader
  /** When the snapshot was taken, or just before. */
  readonly takenAt?: Date
  /** @param segment - 0 for the first */
  readonly dataKey: (segment: number) => string
  readonly catalogKey: string
  /** Makes it a differential archive; `tar` then writes what is named on its standard input. */
  readonly differential?: { readonly source: DifferentialSource; readonly removedKey: string }
  /** Told of each piece of the catalog, as it is stored. */
  readonly onCatalog?: (piece: Uint8Array) => Promise<void>
  /** Of the data; the catalog is always hot. */
  readonly storageClass?: string
  readonly compression: Compression
  /** Of zstd. */
  readonly compressionLevel: number
  /** Shared by all that send. */
  readonly bandwidth?: Bandwidth
  /** Records an upload on the host before its first part is sent, so that a later run can abort it. */
  readonly onUpload: (upload: UploadRef) => Promise<void>
  /**
   * Called once tar has exited with 0 and everything is sent, before anything is completed. Throws if what was
   * archived is not valid any more.
   */
  readonly beforeComplete: () => Promise<void>
  /** Told of each object of which the server confirmed the size alone, and no checksum. */
  readonly onUnconfirmed?: (key: string) => void
  /** Told of each piece of the tar stream, by its size, that is on its way to the bucket. */
  readonly onProgress?: (rawBytes: number) => void
  /** Stored bytes of a segment at most; tests cut small archives. */
  readonly segmentBytes?: number
}

/**
 * Streams a tar archive into the bucket. Memory is flat but for some 3 to 5 MiB per TiB stored, the list of parts.
 *
 * Objects are completed last, and only if tar exited with 0, the archive has its end, all counts agree and
 * `beforeComplete` agrees. Should completing one of several segments fail, the ones before it stay: objects without a
 * manifest, which are no backup to anybody and end with their retention.
 *
 * @throws AgentError the first failure, after tar is gone and all uploads are aborted
 */
export async function archiveVolume(deps: Deps, request: ArchiveRequest): Promise<WrittenArchive> {
  const failure = new AbortController()
  const signal = AbortSignal.any([deps.signal, failure.signal])
  const fail = (error: unknown) => failure.abort(error)
  const { onUpload, bandwidth } = request
  await using objects = new AsyncDisposableStack()
  const context: UploadContext = { store: deps.store, signal, fail, onUpload, bandwidth }
  try {
    return await writeArchive(deps, request, context, objects)
  } catch (error) {
    fail(error) // no effect where something else failed first and made everything stop: then that is the reason
    throw signal.reason
  }
}

async function writeArchive(
  deps: Deps,
  request: ArchiveRequest,
  context: UploadContext,
  objects: AsyncDisposableStack,
): Promise<WrittenArchive> {
  const { signal, fail } = context
  const makePart = () => sharedBuffer(PART_BYTES)
  const { differential } = request
  const storeCatalog = async (piece: Uint8Array): Promise<void> => {
    await catalog.append(piece)
    await request.onCatalog?.(piece)
  }
  await using catalogWorker = startCatalogWorker(request.header, storeCatalog, request.takenAt)
  const catalogParts = createPool(CATALOG_PARTS, makePart, signal)
  const catalog = objects.use(openObject(context, catalogParts, request.catalogKey, { hash: catalogWorker.hash() }))
  const parts = createPool(PARTS_IN_FLIGHT + 1, makePart, signal)
  await using tar = await startTar(deps, request.tar, signal, differential?.source.names())
  const segments = writeSegments({
    compressed: request.compression === 'zstd',
    segmentBytes: request.segmentBytes ?? SEGMENT_BYTES,
    open: (segment) => {
      const options = { storageClass: request.storageClass, hash: catalogWorker.hash() }
      return objects.use(openObject(context, parts, request.dataKey(segment), options))
    },
    onFrames: (frames) => void catalogWorker.record(frames).catch(fail),
  })

  const store = request.compression === 'zstd' ? storeCompressed : storePlain
  const rawBytes = await store({ request, signal, tar, catalogWorker, segments })
  await tar.succeeded
  const messages = tar.messages()
  logLeftOut(deps.log, request.header.mountPoint, messages)
  assertRootIsKept(request.header.mountPoint, messages.tagged)

  const written = await segments.finish()
  if (differential) {
    await catalogWorker.endEntries()
    for await (const piece of differential.source.section()) await catalog.append(piece)
  }
  const summary = await catalogWorker.finish(written.frames, differential && othersOf(differential.source))
  await catalog.finish()
  assertByteCountsMatch(rawBytes, written.segments, summary)
  if (differential) assertAllWritten(differential.source, summary)
  const removed =
    differential &&
    objects.use(openObject(context, catalogParts, differential.removedKey, { hash: catalogWorker.hash() }))
  if (removed) {
    for await (const piece of differential.source.removed()) await removed.append(piece)
    await removed.finish()
  }
  await request.beforeComplete()
  const archive = await completeAll(request, written, catalog, summary, removed)
  const warnings = joinWarnings([messages.warnings, summary.notes.warnings])
  return { ...archive, notes: { ...summary.notes, warnings, tagged: messages.tagged } }
}

function logLeftOut(log: Log, mountPoint: string, { leftOut }: MessageSummary): void {
  for (const [kind, { count, first }] of leftOut) log.warn(`${mountPoint}: tar left out ${count} ${kind}: ${first}`)
}

interface Streams {
  readonly request: ArchiveRequest
  readonly signal: AbortSignal
  readonly tar: TarStream
  readonly catalogWorker: CatalogWorker
  readonly segments: SegmentWriter
}

/** Reads the stream straight into the parts that are sent. */
async function storePlain({ request, tar, catalogWorker, segments }: Streams): Promise<number> {
  let rawBytes = 0
  for (;;) {
    const room = await segments.reserve()
    const bytes = await tar.fill(room)
    if (bytes > 0) {
      const frame = room.subarray(0, bytes)
      segments.commit(bytes, crc32(frame), catalogWorker.inspect(frame))
      rawBytes += bytes
      request.onProgress?.(bytes)
    }
    if (bytes < room.length) return rawBytes
  }
}

/** Compresses frames on the thread pool and stores them in order. */
async function storeCompressed({ request, signal, tar, catalogWorker, segments }: Streams): Promise<number> {
  const makeSlot = () => ({
    buffer: sharedBuffer(FRAME_BYTES),
    compress: createCompressor(request.compressionLevel, FRAME_BYTES),
  })
  const slots = createPool(FRAMES_IN_FLIGHT, makeSlot, signal)
  async function* readFrames() {
    for (let ended = false; !ended;) {
      const slot = await slots.take()
      const bytes = await tar.fill(slot.buffer)
      ended = bytes < FRAME_BYTES
      if (bytes > 0) yield { slot, raw: slot.buffer.subarray(0, bytes) }
    }
  }
  const compressed = mapInOrder(readFrames(), FRAMES_IN_FLIGHT, signal, async ({ slot, raw }) => {
    const [frame] = await Promise.all([slot.compress(raw), catalogWorker.inspect(raw)])
    return { slot, frame, bytes: raw.length }
  })
  let rawBytes = 0
  for await (const { slot, frame, bytes } of compressed) {
    await segments.append(frame, bytes)
    slots.give(slot)
    rawBytes += bytes
    request.onProgress?.(bytes)
  }
  return rawBytes
}

function assertByteCountsMatch(rawBytes: number, segments: readonly WrittenSegment[], summary: StreamSummary): void {
  const framed = segments.reduce((sum, segment) => sum + segment.rawBytes, 0)
  if (rawBytes === summary.rawBytes && rawBytes === framed) return
  throw new AgentError(
    'ARCHIVE_FAILED',
    `of ${rawBytes} bytes that tar wrote, ${summary.rawBytes} were inspected and ${framed} stored`,
    { hint: 'Nothing was stored. This is a defect of the agent: report it.' },
  )
}

function othersOf({ baseEntries, removedCount }: DifferentialSource): OtherLines {
  return { baseEntries, removed: removedCount }
}

/** What tar left out without a word would be taken for something that is in the base. */
function assertAllWritten({ namesCount }: DifferentialSource, { entries }: StreamSummary): void {
  if (entries === namesCount) return
  throw new AgentError('ARCHIVE_FAILED', `of ${namesCount} entries that changed, tar wrote ${entries}`, {
    hint: 'Nothing was stored. Run the backup again with --level full. This is a defect of the agent: report it.',
  })
}

/** The commit of one archive: segments first, then the catalog that describes them. */
async function completeAll(
  request: ArchiveRequest,
  written: { readonly segments: readonly WrittenSegment[]; readonly frames: number },
  catalog: ObjectWriter,
  summary: StreamSummary,
  removed?: ObjectWriter,
): Promise<Archive & Pick<WrittenArchive, 'removed'>> {
  const segments: Segment[] = []
  for (const { object, rawOffset, rawBytes } of written.segments) {
    segments.push({ ...(await completeObject(request, object)), rawOffset, rawBytes })
  }
  const names = request.differential?.source.removedCount ?? 0
  const completedNames = removed && { ...(await completeObject(request, removed)), names }
  const completedCatalog = await completeObject(request, catalog)
  return {
    compression: request.compression,
    frameBytes: FRAME_BYTES,
    segments,
    catalog: completedCatalog,
    rawBytes: summary.rawBytes,
    storedBytes: segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    entries: summary.entries,
    frames: written.frames,
    ...(completedNames && { removed: completedNames }),
  }
}

async function completeObject({ onUnconfirmed }: ArchiveRequest, object: ObjectWriter): Promise<StoredObject> {
  const { key } = object
  const { crc32: checksum, confirmed, sha256 } = await object.complete()
  if (!confirmed) onUnconfirmed?.(key)
  return { key, sizeBytes: object.sizeBytes(), crc32: formatCrc32(checksum), sha256 }
}

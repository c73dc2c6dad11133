/**
 * The index of a volume's last full archive: what a differential one is made by. It is kept on the host, and nothing hangs
 * on it: where it is lost, damaged, or of something else, the next archive is a full one.
 */
import { constants } from 'node:fs'
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { decompressCatalog } from '../archive/read-catalog.io'
import { lineStart } from '../archive/lines'
import type { Archive } from '../archive/archive'
import { cut } from '../archive/frame-reads'
import { cursorOf } from '../lib/cursor'
import { freeBehind } from '../lib/buffers.io'
import { findWeakness } from '../host/trusted-path.io'
import { openUnlinkedFile, type UnlinkedFile } from '../host/unlinked-file.io'
import { pathOfOrderKey } from '../tar/order'
import { archiveSchema } from '../run/manifest'
import { formatIndexEnd, formatRecord, keyOfLine, lastingFacts, recordSplitter, type IndexRecord } from './index-record'
import { spoolInto } from './spool.io'
import type { Walk } from './walk.io'

/** Where agents keep what speeds the next run up. */
export const INDEX_DIRECTORY = '/var/lib/snapstream/index'

/** Raised when what an earlier agent kept cannot be compared with what a later one sees. */
const INDEX_FORMAT = 1

/** By the kernel's clock, which ticks in milliseconds and is set now and then: what was changed so shortly before is doubtful. */
const DOUBTFUL_SECONDS = 2
const READ_BYTES = 1024 * 1024
/** V8 looks for larger strings that are done with only when it looks through the whole heap (128 KiB, with what they are joined to). */
const TEXT_BYTES = 64 * 1024
const HEADER_BYTES_MAX = 64 * 1024 * 1024

export interface IndexPlace {
  readonly class: string
  readonly volume: string
  /** `INDEX_DIRECTORY` unless told. */
  readonly directory?: string
}

const headerSchema = z.object({
  index: z.literal(INDEX_FORMAT),
  host: z.string(),
  class: z.string(),
  run: z.string(),
  volume: z.string(),
  uuid: z.string(),
  filesystem: z.string(),
  mountPoint: z.string(),
  excludes: z.array(z.string()),
  tags: z.object({ caches: z.boolean(), names: z.array(z.string()).readonly() }),
  takenAt: z.iso.datetime(),
  archive: archiveSchema,
})

/** What the base is of, and all that has to be the same for anything to be compared with it. */
export type IndexHeader = Readonly<Omit<z.infer<typeof headerSchema>, 'archive' | 'index'>> & {
  readonly archive: Archive
}

/** An index that was opened. Releasing it closes it. */
export interface BaseIndex extends AsyncDisposable {
  readonly header: IndexHeader
  /** In tar's order. @throws AgentError or Error where it turns out to be damaged */
  records(): AsyncGenerator<readonly IndexRecord[], void, undefined>
}

/** Why there is no index to go by, in words that end a sentence. */
export interface Unusable {
  readonly unusable: string
}

/** @returns a reason where there is none that can be used: never throws for what is wrong with it */
export async function openIndex(place: IndexPlace): Promise<BaseIndex | Unusable> {
  const path = pathOf(place)
  try {
    const weakness = await findWeakness(path)
    if (weakness) return { unusable: `the index cannot be trusted: ${weakness.what}` }
    await using files = new AsyncDisposableStack()
    const file = files.use(await open(path, constants.O_RDONLY | constants.O_NOFOLLOW))
    const header = await readHeader(file, path)
    files.move()
    return {
      header,
      records: () => readRecords(file, path),
      [Symbol.asyncDispose]: () => file.close(),
    }
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return { unusable: isMissing ? 'there is no index of a full archive yet' : unusableBecause(error) }
  }
}

/** Of an error of `records`. */
export function unusableBecause(error: unknown): string {
  return `its index cannot be read: ${error instanceof Error ? error.message : String(error)}`
}

async function readHeader(file: FileHandle, path: string): Promise<IndexHeader> {
  const start = lineStart()
  let bytes = 0
  for await (const piece of textOf(file, path)) {
    const newline = piece.indexOf('\n')
    if ((bytes += piece.length) > HEADER_BYTES_MAX) break
    start.add(newline < 0 ? piece : piece.subarray(0, newline))
    if (newline >= 0) return headerSchema.parse(JSON.parse(start.take().toString()))
  }
  throw new Error('it has no beginning')
}

async function* readRecords(file: FileHandle, path: string): AsyncGenerator<readonly IndexRecord[]> {
  const split = recordSplitter()
  let isBegun = false
  let entries = 0
  let counted: number | undefined
  let last = ''
  for await (const piece of textOf(file, path)) {
    const newline = isBegun ? -1 : piece.indexOf('\n')
    if (!isBegun && newline < 0) continue
    isBegun = true
    const records: IndexRecord[] = []
    for (const record of split(piece.toString('latin1', newline + 1))) {
      if (record === undefined || counted !== undefined) throw new Error(`record ${entries} is none`)
      if (typeof record === 'number') counted = record
      else {
        if (entries++ > 0 && record.key <= last) throw new Error(`record ${entries} is not in order`)
        last = record.key
        records.push(record)
      }
    }
    yield records
  }
  if (counted !== entries) throw new Error(`it was cut short after ${entries} records`)
}

function textOf(file: FileHandle, path: string): AsyncGenerator<Buffer> {
  return decompressCatalog(piecesOf(file), path, TEXT_BYTES)
}

async function* piecesOf(file: FileHandle): AsyncGenerator<Buffer> {
  const use = freeTwoBehind()
  for (let offset = 0; ;) {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, offset)
    if (bytesRead === 0) return
    use(buffer)
    yield buffer.subarray(0, bytesRead)
    offset += bytesRead
  }
}

function pathOf({ directory = INDEX_DIRECTORY, class: className, volume }: IndexPlace): string {
  return join(directory, className, `${volume}.index`)
}

/** An index in the making. Releasing it without `keep` leaves what was there before. */
export interface IndexDraft extends AsyncDisposable {
  /** Takes the catalog, piece by piece as it is stored. */
  readonly takeCatalog: (piece: Uint8Array) => Promise<void>
  /**
   * Joins the catalog and what is seen of its entries.
   *
   * @throws AgentError or Error where they are not of the same entries, or there is no room
   */
  complete(header: IndexHeader, walk: Walk): Promise<void>
  /** Puts it in the place of the one before: once the run counts. */
  keep(): Promise<void>
}

/** @throws NodeJS.ErrnoException, AgentError TARGET_UNFIT where it cannot be written */
export async function draftIndex(place: IndexPlace): Promise<IndexDraft> {
  const path = pathOf(place)
  const unfinished = `${path}.new` // one run at a time: a killed one's is overwritten
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await using files = new AsyncDisposableStack()
  const catalog = files.use(await openUnlinkedFile(dirname(path)))
  await rm(unfinished, { force: true })
  const file = files.use(await open(unfinished, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600))
  const held = files.move()
  let isKept = false
  return {
    takeCatalog: (piece) => catalog.append(Buffer.from(piece)),
    async complete(header, walk) {
      const spool = spoolInto(appendingTo(file))
      await spool.add(`${asBytes(JSON.stringify({ index: INDEX_FORMAT, ...header }))}\n`)
      const doubtfulFromNs = BigInt(Date.parse(header.takenAt) - DOUBTFUL_SECONDS * 1000) * 1_000_000n
      let entries = 0
      const lines = cursorOf(entryLines(decompressCatalog(framesOf(catalog), path, TEXT_BYTES)))
      for await (const batch of walk.batches()) {
        for (const { key, facts } of batch) {
          if (lines.current === undefined) await lines.load()
          const line = lines.current
          if (line === undefined || keyOfLine(line) !== key) throw different(key, line)
          lines.advance()
          const room = spool.add(formatRecord({ key, facts: lastingFacts(facts, doubtfulFromNs), line }))
          if (room) await room
          entries++
        }
      }
      await lines.load()
      if (lines.current !== undefined) throw different(undefined, lines.current)
      await spool.add(formatIndexEnd(entries))
      await spool.finish()
      await file.sync()
    },
    async keep() {
      await rename(unfinished, path)
      isKept = true
    },
    async [Symbol.asyncDispose]() {
      await held.disposeAsync()
      if (!isKept) await rm(unfinished, { force: true })
    },
  }
}

/** Of a catalog, those of its entries: they follow the header. */
async function* entryLines(text: AsyncIterable<Buffer>): AsyncGenerator<readonly string[], void, undefined> {
  let rest = ''
  let isHeader = true
  for await (const piece of text) {
    const lines = (rest + piece.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    if (isHeader && lines.length > 0) {
      lines.shift()
      isHeader = false
    }
    const end = lines.findIndex((line) => keyOfLine(line) === undefined)
    yield end < 0 ? lines : lines.slice(0, end)
    if (end >= 0) return
  }
}

async function* framesOf(catalog: UnlinkedFile): AsyncGenerator<Buffer> {
  const use = freeTwoBehind()
  for (const { offset, bytes } of cut(catalog.sizeBytes, READ_BYTES)) {
    const piece = await catalog.read(offset, bytes)
    use(piece)
    yield piece
  }
}

/** Of what a stream is given: it asks for more while the end of the last piece is still to be read, but not while all of it is. */
function freeTwoBehind(): (piece: Buffer) => void {
  const use = freeBehind()
  let last: Buffer | undefined
  return (piece) => {
    if (last) use(last)
    last = piece
  }
}

function appendingTo(file: FileHandle) {
  let sizeBytes = 0
  return {
    get sizeBytes() {
      return sizeBytes
    },
    async append(piece: Buffer): Promise<void> {
      await file.appendFile(piece)
      sizeBytes += piece.length
    },
    read: () => Promise.reject(new RangeError('what is written is not read')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** A character for each byte. */
function asBytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function different(key: string | undefined, line: string | undefined): Error {
  const seen = key === undefined ? 'nothing more' : `'${pathOfOrderKey(key).toString()}'`
  return new Error(`the filesystem has ${seen} where the catalog has ${line?.slice(0, 200) ?? 'nothing more'}`)
}

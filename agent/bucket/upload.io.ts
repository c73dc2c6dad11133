/** Writes one object by multipart upload, from a bounded number of part buffers, each byte checksummed once. */
import { crc32 } from 'node:zlib'
import { combineCrc32 } from '../lib/crc32'
import type { Bandwidth } from './bandwidth.io'
import { partList } from './part-list'
import type { Pool } from '../lib/pool'
import type { Completion, Store, UploadRef } from '../context'

/** With S3's 10,000 parts an upload (S3 user guide, "Multipart upload limits"), enough for a segment of 64 GiB. */
export const PART_BYTES = 8 * 1024 * 1024

/** Aborting what was not completed must not hang either: the bucket's lifecycle rule gets what this cannot. */
const ABORT_TIMEOUT_MS = 60_000

export interface UploadContext {
  readonly store: Store
  /** Aborted when anything of the archive fails. */
  readonly signal: AbortSignal
  /** To be told of a part that could not be sent: makes everything else stop. */
  readonly fail: (error: unknown) => void
  /** Called with the upload before its first part is sent. */
  readonly onUpload: (upload: UploadRef) => Promise<void>
  readonly bandwidth?: Bandwidth | undefined
}

/** The SHA-256 of what is stored of an object. */
export interface ObjectHash {
  /** Takes the next part, which has to stay as it is until this resolves. */
  update(part: Buffer): Promise<void>
  /** Of all parts, in hexadecimal. */
  digest(): Promise<string>
}

export interface ObjectOptions {
  readonly storageClass?: string | undefined
  readonly hash?: ObjectHash
}

/** An object that is being written: one call at a time, and a second one is refused. Releasing it aborts the upload unless it was completed. */
export interface ObjectWriter extends AsyncDisposable {
  readonly key: string
  /** Taken so far, sent or not. */
  sizeBytes(): number
  /** What is left of the current part, for a writer that puts its bytes in place itself and then calls `commit`. */
  reserve(): Promise<Buffer>
  /**
   * Takes the first bytes of what was reserved.
   *
   * @param checksum - their CRC32
   * @param held - the buffer is not used again before this resolves; it failing is the archive's failure
   */
  commit(bytes: number, checksum: number, held?: Promise<void>): void
  /** Copies bytes into the object. */
  append(data: Uint8Array): Promise<void>
  /** Sends the last part and waits for all of them. Nothing can be added afterwards. */
  finish(): Promise<void>
  /** @returns the CRC32 of the whole object, whether the server has confirmed it, and what `hash` came to */
  complete(): Promise<Completion & { readonly crc32: number; readonly sha256?: string }>
}

/** Nothing is created in the bucket before there is a part to send. */
export function openObject(
  context: UploadContext,
  pool: Pool<Buffer>,
  key: string,
  { storageClass, hash }: ObjectOptions = {},
): ObjectWriter {
  const { store, signal } = context
  const parts = partList()
  const sending = new Set<Promise<void>>()
  let partCount = 0
  let upload: Promise<UploadRef> | undefined
  let unfinished: UploadRef | undefined
  let sizeBytes = 0
  let objectCrc32 = 0
  let part: Buffer | undefined
  let filled = 0
  let partCrc32 = 0
  let holds: Promise<void>[] = []
  let isTaking = false

  /** Two who wait for the same part would each get one, and the bytes of the first would be lost. */
  async function takePart(): Promise<Buffer> {
    if (isTaking) throw new Error(`two calls at a time write to ${key}`)
    isTaking = true
    try {
      return await pool.take()
    } finally {
      isTaking = false
    }
  }

  async function create(): Promise<UploadRef> {
    unfinished = await store.createUpload(key, storageClass, signal)
    await context.onUpload(unfinished)
    return unfinished
  }

  async function send(partNumber: number, buffer: Buffer, bytes: number, checksum: number, held: Promise<void>[]) {
    upload ??= create()
    const target = await upload
    await context.bandwidth?.take(bytes, signal)
    parts.add(await store.uploadPart(target, partNumber, buffer.subarray(0, bytes), checksum, signal))
    await Promise.all(held)
    pool.give(buffer)
  }

  function hold(held: Promise<void>): void {
    held.catch(context.fail)
    holds.push(held)
  }

  function sendPart(): void {
    if (!part || filled === 0) return
    if (hash) hold(hash.update(part.subarray(0, filled)))
    const sent = send(++partCount, part, filled, partCrc32, holds)
      .catch(context.fail)
      .finally(() => sending.delete(sent))
    sending.add(sent)
    objectCrc32 = combineCrc32(objectCrc32, partCrc32, filled)
    part = undefined
    filled = 0
    partCrc32 = 0
    holds = []
  }

  const writer: ObjectWriter = {
    key,
    sizeBytes: () => sizeBytes,

    async reserve() {
      part ??= await takePart()
      return part.subarray(filled)
    },

    commit(bytes, checksum, held) {
      partCrc32 = filled === 0 ? checksum : combineCrc32(partCrc32, checksum, bytes)
      filled += bytes
      sizeBytes += bytes
      if (held) hold(held)
      if (filled === part?.length) sendPart()
    },

    async append(data) {
      for (let at = 0; at < data.length;) {
        const room = await writer.reserve()
        const piece = data.subarray(at, at + room.length)
        room.set(piece)
        writer.commit(piece.length, crc32(piece))
        at += piece.length
      }
    },

    async finish() {
      sendPart()
      await Promise.all(sending)
      signal.throwIfAborted()
    },

    async complete() {
      if (!unfinished) throw new Error(`nothing was written to ${key}`)
      const sha256 = await hash?.digest() // before anything is there that could not be undone
      const completion = await store.completeUpload(unfinished, parts.list(), { sizeBytes, crc32: objectCrc32 }, signal)
      unfinished = undefined
      return { ...completion, crc32: objectCrc32, ...(sha256 !== undefined && { sha256 }) }
    },

    async [Symbol.asyncDispose]() {
      await Promise.all(sending)
      if (unfinished) await store.abortUpload(unfinished, AbortSignal.timeout(ABORT_TIMEOUT_MS))
    },
  }
  return writer
}

/** What preflight writes into the bucket: nothing that stays, unless it is asked to. */
import { crc32 } from 'node:zlib'
import { dataKey } from '../contract'
import { describeError, hasCode } from '../errors'
import type { Connection } from '../io/connection'
import type { Store, UploadRef } from '../io/store'
import { judgeCompletion, judgeRefusedCompletion, type Judgement } from '../plan/preflight'

/** All parts of an upload but its last have at least 5 MiB (S3's limit). */
const FIRST_PART_BYTES = 5 * 1024 * 1024

export interface ProbeRequest {
  readonly class: string
  /** A run that will never be. */
  readonly run: string
}

/** An upload that is never completed: it needs the permissions of a backup, and leaves nothing. */
export async function probeUpload(there: Connection, request: ProbeRequest, signal: AbortSignal): Promise<Judgement> {
  const { store } = there
  const upload = await store.createUpload(keyOf(there, request), undefined, signal)
  try {
    await sendPart(store, upload, 1, Buffer.from('snapstream preflight\n'), signal)
  } finally {
    await store.abortUpload(upload, signal)
  }
  return `may write the backups of this host, class ${request.class}`
}

/**
 * An upload of two parts that is completed as those of backups are, and a second object for its key. The first one stays,
 * since hosts may delete nothing: it belongs to no run, and expires with its class.
 */
export async function probeCompletion(
  there: Connection,
  request: ProbeRequest,
  signal: AbortSignal,
): Promise<Judgement> {
  const { store } = there
  const key = keyOf(there, request)
  const bodies = [Buffer.alloc(FIRST_PART_BYTES), Buffer.from('.')]
  const whole = Buffer.concat(bodies)
  const upload = await store.createUpload(key, undefined, signal)
  let confirmed: boolean
  try {
    const parts = []
    for (const [index, body] of bodies.entries()) parts.push(await sendPart(store, upload, index + 1, body, signal))
    const expected = { sizeBytes: whole.length, crc32: crc32(whole) }
    confirmed = (await store.completeUpload(upload, parts, expected, signal)).confirmed
  } catch (error) {
    await store.abortUpload(upload, signal).catch(() => undefined) // that is not what is wrong
    if (!hasCode(error, 'STORE_FAILED') && !hasCode(error, 'CHECKSUM_MISMATCH')) throw error
    return judgeRefusedCompletion(describeError(error)[0] ?? '')
  }
  return judgeCompletion({ key, confirmed, overwrites: await overwrites(store, key, signal) })
}

function keyOf({ host }: Connection, { class: className, run }: ProbeRequest): string {
  return dataKey({ class: className, host, run }, 'preflight', 'none', 0)
}

async function sendPart(store: Store, upload: UploadRef, partNumber: number, body: Buffer, signal: AbortSignal) {
  return store.uploadPart(upload, partNumber, body, crc32(body), signal)
}

/** Whether the store lets a second object take the place of the first. */
async function overwrites(store: Store, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await store.put(key, 'snapstream preflight\n', signal)
    return true
  } catch (error) {
    if (hasCode(error, 'OBJECT_EXISTS')) return false
    throw error
  }
}

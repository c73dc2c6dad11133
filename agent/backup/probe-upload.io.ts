/** What preflight writes into the bucket: nothing that stays, unless it is asked to or the server takes what is wrong. */
import { crc32 } from 'node:zlib'
import { dataKey } from '../contract'
import { describeError, hasCode } from '../errors'
import type { BucketOfHost } from '../bucket/connect.io'
import { isAws } from '../bucket/endpoints'
import type { Judgement } from './preflight-checks'
import {
  judgeChecksums,
  judgeCompletion,
  judgeRefusedCompletion,
  NOT_TRIED_ON_AWS,
  type Treatment,
} from './server-trial'
import type { FinishedPart, Store, UploadRef } from '../context'

/** All parts of an upload but its last have at least 5 MiB (S3's limit). */
const FIRST_PART_BYTES = 5 * 1024 * 1024

/**
 * The run of the one key at which checksums are tried: what a server completes there although it is wrong stays, since hosts
 * may delete nothing, and must not become more with each preflight.
 */
const RUN_OF_CHECKSUMS = '19700101T000000Z-checks'

export interface ProbeRequest {
  readonly class: string
  /** A run that will never be. */
  readonly run: string
}

/** An upload that is never completed: it needs the permissions of a backup, and leaves nothing. */
export async function probeUpload(there: BucketOfHost, request: ProbeRequest, signal: AbortSignal): Promise<Judgement> {
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
 * Finds out what the server compares by what it refuses: a part with a wrong checksum, then a completion with a wrong
 * checksum of the whole. Nothing stays where it refuses both, as it should.
 *
 * Only where that is the server's own answer to an otherwise good upload does it prove anything: to be called once
 * `probeUpload` has found that parts are accepted.
 */
export async function probeChecksums(
  there: BucketOfHost,
  request: Pick<ProbeRequest, 'class'>,
  signal: AbortSignal,
): Promise<Judgement> {
  if (isAws(new URL((await there.readEndpointInfo()).endpoint).hostname)) return NOT_TRIED_ON_AWS
  const { store } = there
  const key = keyOf(there, { ...request, run: RUN_OF_CHECKSUMS })
  const upload = await store.createUpload(key, undefined, signal)
  try {
    if (!(await refusesWrongPart(store, upload, signal))) return judgeChecksums(key, 'parts are not compared')
    const parts = await sendParts(store, upload, signal)
    const treatment = await completeWrongly(store, upload, parts, signal)
    // Whether it would take the right one cannot be told from that.
    if (treatment === 'refused for another reason') return await completeRightly(store, upload, parts, signal)
    return judgeChecksums(key, treatment)
  } finally {
    await abandon(store, upload, signal)
  }
}

async function refusesWrongPart(store: Store, upload: UploadRef, signal: AbortSignal): Promise<boolean> {
  const body = Buffer.from('.')
  try {
    await store.uploadPart(upload, 1, body, wrong(crc32(body)), signal)
    return false
  } catch (error) {
    assertRefused(error)
    return true
  }
}

async function completeWrongly(
  store: Store,
  upload: UploadRef,
  parts: readonly FinishedPart[],
  signal: AbortSignal,
): Promise<Treatment> {
  const { key } = upload
  try {
    const expected = { sizeBytes: WHOLE.length, crc32: wrong(crc32(WHOLE)) }
    const { confirmed } = await store.completeUpload(upload, parts, expected, signal)
    return confirmed ? 'confirmed' : 'completed'
  } catch (error) {
    if (hasCode(error, 'OBJECT_EXISTS')) return 'completed earlier'
    assertRefused(error)
    if (!hasCode(error, 'CHECKSUM_MISMATCH')) return 'refused for another reason'
    // Or it was the agent that compared: then the object is there.
    return (await isThere(store, key, signal)) ? 'contradicted' : 'refused'
  }
}

async function isThere(store: Store, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await store.head(key, signal)
    return true
  } catch (error) {
    // Whoever may not read could not have compared, either.
    if (hasCode(error, 'OBJECT_MISSING') || hasCode(error, 'ACCESS_DENIED')) return false
    throw error
  }
}

/**
 * An upload of two parts that is completed as those of backups are, and a second object for its key. The first one stays,
 * since hosts may delete nothing: it belongs to no run, and expires with its class.
 */
export async function probeCompletion(
  there: BucketOfHost,
  request: ProbeRequest,
  signal: AbortSignal,
): Promise<Judgement> {
  const { store } = there
  const upload = await store.createUpload(keyOf(there, request), undefined, signal)
  try {
    return await completeRightly(store, upload, await sendParts(store, upload, signal), signal)
  } finally {
    await abandon(store, upload, signal)
  }
}

async function completeRightly(
  store: Store,
  upload: UploadRef,
  parts: readonly FinishedPart[],
  signal: AbortSignal,
): Promise<Judgement> {
  const { key } = upload
  let confirmed: boolean
  try {
    const expected = { sizeBytes: WHOLE.length, crc32: crc32(WHOLE) }
    confirmed = (await store.completeUpload(upload, parts, expected, signal)).confirmed
  } catch (error) {
    assertRefused(error)
    return judgeRefusedCompletion(describeError(error)[0] ?? '')
  }
  return judgeCompletion({ key, confirmed, overwrites: await overwrites(store, key, signal) })
}

/** Uploads that cannot be aborted are `probeUpload`'s finding. */
async function abandon(store: Store, upload: UploadRef, signal: AbortSignal): Promise<void> {
  await store.abortUpload(upload, signal).catch(() => undefined)
}

/** Everything else, such as a network that fails, says nothing about the server. */
function assertRefused(error: unknown): void {
  if (!hasCode(error, 'STORE_FAILED') && !hasCode(error, 'CHECKSUM_MISMATCH')) throw error
}

const BODIES = [Buffer.alloc(FIRST_PART_BYTES), Buffer.from('.')]
const WHOLE = Buffer.concat(BODIES)

/** Any other number of 32 bits. */
function wrong(checksum: number): number {
  return (checksum ^ 1) >>> 0
}

async function sendParts(store: Store, upload: UploadRef, signal: AbortSignal): Promise<FinishedPart[]> {
  const parts: FinishedPart[] = []
  for (const [index, body] of BODIES.entries()) parts.push(await sendPart(store, upload, index + 1, body, signal))
  return parts
}

function keyOf({ host }: BucketOfHost, { class: className, run }: ProbeRequest): string {
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

/** Takes the headers of one tar entry apart: to give it another name, or to compare it. */
import { AgentError } from '../errors'
import { readNumber } from './header'
import { BLOCK_BYTES, CHECKSUM, NAME, padded, PREFIX, SIZE, TYPE_AT } from './layout'
import { formatRecord, readRecord, type PaxRecord } from './pax-records'
import type { Renaming } from './entry'

const PAX_TYPE = 'x'.charCodeAt(0)
const DIRECTORY_TYPE = '5'.charCodeAt(0)

/**
 * Where an entry's headers end, as far as can be told: where that is beyond the bytes that are there, more are needed to
 * tell for sure.
 *
 * @param start - the entry's bytes so far, from its first header block on
 */
export function headersEnd(start: Buffer): number {
  let own = 0
  while (own + BLOCK_BYTES <= start.length && start[own + TYPE_AT] === PAX_TYPE) {
    own += BLOCK_BYTES + padded(readNumber(start, own, SIZE))
  }
  return own + BLOCK_BYTES
}

/**
 * The headers of an entry of which the last block is in the last of the pieces.
 *
 * @param before - pieces that come right before the last one, and start where the entry does if that is before the last
 * @param at - where the entry starts, from the start of the last piece: negative where that is before it
 */
export function headersAcross(before: readonly Buffer[], last: Buffer, at: number): Buffer {
  if (at >= 0) return last.subarray(at, at + headersEnd(last.subarray(at)))
  const beforeBytes = before.reduce((sum, { length }) => sum + length, 0)
  for (let bytes = BLOCK_BYTES; ;) {
    const start = Buffer.concat([...before, last.subarray(0, bytes)])
    const end = headersEnd(start)
    if (end <= start.length) return start.subarray(0, end)
    bytes = end - beforeBytes
  }
}

/** True where these headers, all of an entry, are those of a directory. */
export function isDirectoryEntry(headers: Buffer): boolean {
  return headersEnd(headers) === headers.length && headers[headers.length - BLOCK_BYTES + TYPE_AT] === DIRECTORY_TYPE
}

/**
 * The headers without what differs from one archive of the same file to the next: of a sparse file, GNU tar writes its own
 * process id into a name that stands beside the real one.
 *
 * @param headers - all of them, the extended ones included
 */
export function lastingHeaders(headers: Buffer): Buffer {
  const records = readRecords(headers)
  if (!records?.some(({ key }) => key === 'GNU.sparse.name')) return headers
  const own = Buffer.from(headers.subarray(headers.length - BLOCK_BYTES))
  for (const { at, bytes } of [NAME, CHECKSUM, PREFIX]) own.fill(0, at, at + bytes)
  return Buffer.concat([...records.filter(({ key }) => key !== 'path').map(({ bytes }) => bytes), own])
}

/**
 * The entry's headers with other names in them; its data follows unchanged.
 *
 * @param headers - all of them, the extended ones included
 * @throws AgentError ARCHIVE_DAMAGED where they are malformed
 */
export function renameEntry(headers: Buffer, { path, link }: Renaming): Buffer {
  const own = headers.subarray(headers.length - BLOCK_BYTES)
  const records = readRecords(headers)
  if (!records) {
    throw new AgentError('ARCHIVE_DAMAGED', 'an extended header of the archive is malformed', {
      hint: 'Restore from another run that "snapstream verify" finds good.',
    })
  }
  const replaced = records.filter(({ key }) => !(path && isPathKey(key)) && !(link && key === 'linkpath'))
  const sparse = path && records.some(({ key }) => key === 'GNU.sparse.name')
  const body = Buffer.concat([
    ...replaced.map(({ bytes }) => bytes),
    ...(path ? [formatRecord('path', path)] : []),
    ...(sparse ? [formatRecord('GNU.sparse.name', path)] : []),
    ...(link ? [formatRecord('linkpath', link)] : []),
  ])
  const header = Buffer.from(headers[TYPE_AT] === PAX_TYPE ? headers.subarray(0, BLOCK_BYTES) : own)
  header[TYPE_AT] = PAX_TYPE
  header.write(`${body.length.toString(8).padStart(SIZE.bytes - 1, '0')}\0`, SIZE.at, 'latin1')
  writeChecksum(header)
  return Buffer.concat([header, body, Buffer.alloc(padded(body.length) - body.length), own])
}

function isPathKey(key: string): boolean {
  return key === 'path' || key === 'GNU.sparse.name'
}

/** The records of all extended headers in front of the entry's own; undefined where there is one that is malformed. */
function readRecords(headers: Buffer): PaxRecord[] | undefined {
  const records: PaxRecord[] = []
  for (let at = 0; at < headers.length - BLOCK_BYTES;) {
    const bodyBytes = readNumber(headers, at, SIZE)
    const body = headers.subarray(at + BLOCK_BYTES, at + BLOCK_BYTES + bodyBytes)
    for (let start = 0; start < bodyBytes;) {
      const record = readRecord(body, start)
      if (!record) return undefined
      records.push(record)
      start += record.bytes.length
    }
    at += BLOCK_BYTES + padded(bodyBytes)
  }
  return records
}

/** The sum of all bytes of the header, the checksum's own taken as spaces. */
function writeChecksum(header: Buffer): void {
  header.fill(0x20, CHECKSUM.at, CHECKSUM.at + CHECKSUM.bytes)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM.at, 'latin1')
}

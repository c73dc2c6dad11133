/** Takes the headers of one tar entry apart: to give it another name, or to compare it. */
import { BLOCK_BYTES, readNumber } from './header'
import type { Renaming } from './entry'

const PAX_TYPE = 'x'.charCodeAt(0)
const DIRECTORY_TYPE = '5'.charCodeAt(0)
const TYPE_OFFSET = 156
const SIZE = { at: 124, bytes: 12 } as const
const NAME = { at: 0, bytes: 100 } as const
const NAME_PREFIX = { at: 345, bytes: 155 } as const
const CHECKSUM = { at: 148, bytes: 8 } as const

/**
 * Where an entry's headers end, as far as can be told: where that is beyond the bytes that are there, more are needed to
 * tell for sure.
 *
 * @param start - the entry's bytes so far, from its first header block on
 */
export function headersEnd(start: Buffer): number {
  let own = 0
  while (own + BLOCK_BYTES <= start.length && start[own + TYPE_OFFSET] === PAX_TYPE) {
    own += BLOCK_BYTES + padded(readNumber(start, own + SIZE.at, SIZE.bytes))
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
  return (
    headersEnd(headers) === headers.length && headers[headers.length - BLOCK_BYTES + TYPE_OFFSET] === DIRECTORY_TYPE
  )
}

/**
 * The headers without what differs from one archive of the same file to the next: of a sparse file, GNU tar writes its own
 * process id into a name that stands beside the real one.
 *
 * @param headers - all of them, the extended ones included
 */
export function lastingHeaders(headers: Buffer): Buffer {
  const records = headers[TYPE_OFFSET] === PAX_TYPE ? readRecords(headers) : []
  if (!records.some(({ key }) => key === 'GNU.sparse.name')) return headers
  const own = Buffer.from(headers.subarray(headers.length - BLOCK_BYTES))
  for (const { at, bytes } of [NAME, CHECKSUM, NAME_PREFIX]) own.fill(0, at, at + bytes)
  return Buffer.concat([...records.filter(({ key }) => key !== 'path').map(({ record }) => record), own])
}

/**
 * The entry's headers with other names in them; its data follows unchanged.
 *
 * @param headers - all of them, the extended ones included
 */
export function renameEntry(headers: Buffer, { path, link }: Renaming): Buffer {
  const own = headers.subarray(headers.length - BLOCK_BYTES)
  const isPax = headers[TYPE_OFFSET] === PAX_TYPE
  const records = isPax ? readRecords(headers) : []
  const replaced = records.filter(({ key }) => !(path && isPathKey(key)) && !(link && key === 'linkpath'))
  const sparse = path && records.some(({ key }) => key === 'GNU.sparse.name')
  const body = Buffer.concat([
    ...replaced.map(({ record }) => record),
    ...(path ? [formatRecord('path', path)] : []),
    ...(sparse ? [formatRecord('GNU.sparse.name', path)] : []),
    ...(link ? [formatRecord('linkpath', link)] : []),
  ])
  const header = Buffer.from(isPax ? headers.subarray(0, BLOCK_BYTES) : own)
  header[TYPE_OFFSET] = PAX_TYPE
  header.write(`${body.length.toString(8).padStart(SIZE.bytes - 1, '0')}\0`, SIZE.at, 'latin1')
  writeChecksum(header)
  return Buffer.concat([header, body, Buffer.alloc(padded(body.length) - body.length), own])
}

function isPathKey(key: string): boolean {
  return key === 'path' || key === 'GNU.sparse.name'
}

/** The records of all extended headers in front of the entry's own. */
function readRecords(headers: Buffer): { readonly key: string; readonly record: Buffer }[] {
  const records: { readonly key: string; readonly record: Buffer }[] = []
  for (let at = 0; at < headers.length - BLOCK_BYTES;) {
    const bodyBytes = readNumber(headers, at + SIZE.at, SIZE.bytes)
    const end = at + BLOCK_BYTES + bodyBytes
    for (let start = at + BLOCK_BYTES; start < end;) {
      const space = headers.indexOf(0x20, start)
      const record = headers.subarray(start, start + Number(headers.toString('latin1', start, space)))
      records.push({ key: headers.toString('latin1', space + 1, headers.indexOf(0x3d, space)), record })
      start += record.length
    }
    at += BLOCK_BYTES + padded(bodyBytes)
  }
  return records
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits too. */
function formatRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let bytes = rest.length
  while (bytes !== rest.length + String(bytes).length) bytes = rest.length + String(bytes).length
  return Buffer.concat([Buffer.from(String(bytes)), rest])
}

/** The sum of all bytes of the header, the checksum's own taken as spaces. */
function writeChecksum(header: Buffer): void {
  header.fill(0x20, CHECKSUM.at, CHECKSUM.at + CHECKSUM.bytes)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM.at, 'latin1')
}

function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}

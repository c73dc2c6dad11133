/** The fields of tar headers: ustar, GNU and pax (POSIX.1-2017 "pax interchange format"; the GNU tar manual, appendix D). */
import { AgentError } from '../errors'
import { BLOCK_BYTES, CHECKSUM, MAGIC, NAME, PREFIX, type Field } from './layout'
import type { EntryType } from './entry'

/** A name out of the archive, and its bytes in base64 where they are not valid UTF-8. */
export interface Name {
  readonly text: string
  readonly base64?: string
}

const SPACE = 0x20

/** @param offset - of the header in the stream, for the message */
export function brokenTar(offset: number, what: string): AgentError {
  return new AgentError('ARCHIVE_FAILED', `the tar stream is broken at byte ${offset}: ${what}`, {
    hint: 'Nothing was stored. Run the backup again; if it fails again, check the tar that is installed with "snapstream preflight".',
  })
}

/** What `brokenTar` was given. */
export function flawOf({ message }: AgentError): string {
  return message.replace(/^the tar stream is broken at byte \d+: /, '')
}

/** True if the header's checksum is right: the sum of all its bytes, the checksum's own taken as spaces. */
export function hasValidChecksum(data: Buffer, at: number): boolean {
  let sum = CHECKSUM.bytes * SPACE
  for (let index = at, end = at + CHECKSUM.at; index < end; index++) sum += data[index] as number
  for (let index = at + CHECKSUM.at + CHECKSUM.bytes, end = at + BLOCK_BYTES; index < end; index++) {
    sum += data[index] as number
  }
  return sum === readNumber(data, at, CHECKSUM)
}

/**
 * A numeric field: octal digits, or GNU's base-256 for what does not fit. NaN if it is neither.
 *
 * @param at - where the header starts
 */
export function readNumber(data: Buffer, at: number, field: Field): number {
  const start = at + field.at
  const end = start + field.bytes
  if (((data[start] as number) & 0x80) !== 0) return readBase256(data, start, end)
  let value = 0
  let digits = 0
  for (let index = start; index < end; index++) {
    const byte = data[index] as number
    if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + (byte - 0x30)
      digits++
    } else if (byte === 0 || (byte === SPACE && digits > 0)) {
      break
    } else if (byte !== SPACE) {
      return NaN
    }
  }
  return value
}

/** Two's complement, big-endian; the highest bit of the first byte is the mark, the next one the sign. */
function readBase256(data: Buffer, start: number, end: number): number {
  const first = data[start] as number
  let value = (first & 0x40) !== 0 ? (first & 0x7f) - 0x80 : first & 0x3f
  for (let index = start + 1; index < end; index++) value = value * 256 + (data[index] as number)
  return Number.isSafeInteger(value) ? value : NaN
}

const TYPES: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
}

export function typeOf(flag: string): EntryType | undefined {
  return TYPES[flag]
}

/** Where a name ends: at its first zero byte, or with its field. */
export function nameEnd(data: Buffer, start: number, bytesMax: number): number {
  const end = start + bytesMax
  for (let index = start; index < end; index++) if (data[index] === 0) return index
  return end
}

/** The path in a ustar or GNU header; ustar's may be in two pieces. */
export function readHeaderPath(data: Buffer, at: number): Name {
  const nameStart = at + NAME.at
  const end = nameEnd(data, nameStart, NAME.bytes)
  const prefixStart = at + PREFIX.at
  // "ustar\0" is POSIX and has a prefix; GNU's old "ustar " keeps other things there.
  const hasPrefix = data[at + MAGIC.at + 'ustar'.length] === 0 && data[prefixStart] !== 0
  if (!hasPrefix) return decodePath(data, nameStart, end)
  const prefix = data.subarray(prefixStart, nameEnd(data, prefixStart, PREFIX.bytes))
  const joined = Buffer.concat([prefix, Buffer.from('/'), data.subarray(nameStart, end)])
  return decodePath(joined, 0, joined.length)
}

/** A member's path as catalogs have it: without the leading `./` and the trailing slash; the root is `.`. */
export function decodePath(data: Buffer, start: number, end: number): Name {
  let from = start
  let to = end
  while (to - from >= 2 && data[from] === 0x2e && data[from + 1] === 0x2f) from += 2
  while (to > from && data[to - 1] === 0x2f) to--
  return to === from ? { text: '.' } : decodeName(data, from, to)
}

const NOT_ASCII = /[^\0-\x7f]/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function decodeName(data: Buffer, start: number, end: number): Name {
  const text = data.toString('latin1', start, end)
  if (!NOT_ASCII.test(text)) return { text }
  const bytes = Buffer.from(data.subarray(start, end)) // a copy, as a decoder takes no shared memory
  try {
    return { text: utf8.decode(bytes) }
  } catch {
    return { text: bytes.toString('utf8'), base64: bytes.toString('base64') }
  }
}

/** The fields of tar headers: ustar, GNU and pax (POSIX.1-2017 "pax interchange format"; the GNU tar manual, appendix D). */
import { AgentError } from '../errors'
import type { EntryType } from './entry'

export const BLOCK_BYTES = 512

/** A name out of the archive, and its bytes in base64 where they are not valid UTF-8. */
export interface Name {
  readonly text: string
  readonly base64?: string
}

/** What extended headers say of the entry that follows them. */
export interface Extension {
  path?: Name
  /** The name of a sparse file, whose `path` is then only for readers that do not know sparse files. */
  sparsePath?: Name
  link?: Name
  /** Of the data in the archive. */
  storedBytes?: number
  mtime?: string
  uid?: number
  gid?: number
  xattrs?: true
  /** Of a sparse file with its holes. */
  sparseSize?: number
  /** The sparse map is the beginning of the data (GNU sparse format 1.0). */
  mapInData?: true
  /** Why the entry cannot have a line of its own in the catalog. */
  undescribed?: string
}

const CHECKSUM = { at: 148, bytes: 8 } as const
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
  return sum === readNumber(data, at + CHECKSUM.at, CHECKSUM.bytes)
}

/** A numeric field: octal digits, or GNU's base-256 for what does not fit. NaN if it is neither. */
export function readNumber(data: Buffer, at: number, bytes: number): number {
  const first = data[at] as number
  if ((first & 0x80) !== 0) return readBase256(data, at, bytes)
  let value = 0
  let digits = 0
  for (let index = at, end = at + bytes; index < end; index++) {
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
function readBase256(data: Buffer, at: number, bytes: number): number {
  const first = data[at] as number
  let value = (first & 0x40) !== 0 ? (first & 0x7f) - 0x80 : first & 0x3f
  for (let index = at + 1; index < at + bytes; index++) value = value * 256 + (data[index] as number)
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

/** A name field: up to its first zero byte. */
export function fieldEnd(data: Buffer, at: number, bytes: number): number {
  const end = at + bytes
  for (let index = at; index < end; index++) if (data[index] === 0) return index
  return end
}

/** The path in a ustar or GNU header; ustar's may be in two pieces. */
export function readHeaderPath(data: Buffer, at: number): Name {
  const nameEnd = fieldEnd(data, at, 100)
  // "ustar\0" is POSIX and has a prefix; GNU's old "ustar " keeps other things there.
  const hasPrefix = data[at + 262] === 0 && data[at + 345] !== 0
  if (!hasPrefix) return decodePath(data, at, nameEnd)
  const joined = Buffer.concat([
    data.subarray(at + 345, fieldEnd(data, at + 345, 155)),
    Buffer.from('/'),
    data.subarray(at, nameEnd),
  ])
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

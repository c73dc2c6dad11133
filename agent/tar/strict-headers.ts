/**
 * Whether the headers of an entry can be read in one way only. Readers of tar differ where headers contradict themselves;
 * what GNU tar writes for `tarCreate` never does, and nothing else is accepted.
 */
import { nameEnd, readNumber } from './header'
import {
  BLOCK_BYTES,
  CHECKSUM,
  GID,
  GROUP,
  isZero,
  LINK,
  MAGIC,
  MAJOR,
  MINOR,
  MODE,
  MTIME,
  NAME,
  padded,
  PREFIX,
  SIZE,
  TYPE_AT,
  UID,
  USER,
  type Field,
} from './layout'
import { readRecord } from './pax-records'

const SLASH = 0x2f
const DOT = 0x2e
const FILE = '0'
const DIRECTORY = '5'
const PAX = 'x'
/** With data after their headers or without: file, hard link, symbolic link, devices, directory, fifo. */
const TYPES: ReadonlySet<string> = new Set([FILE, '1', '2', '3', '4', DIRECTORY, '6'])

const POSIX_MAGIC = 'ustar\x0000'
/** From ustar's prefix on, nothing: GNU tar puts a name that does not fit into an extended header instead. */
const REST_AT = PREFIX.at

/**
 * What is wrong with the headers, as a clause; undefined where nothing is.
 *
 * @param headers - of one entry whose checksums are right: the extended ones and its own, which comes last
 */
export function findAmbiguity(headers: Buffer): string | undefined {
  const own = headers.length - BLOCK_BYTES
  const type = String.fromCharCode(headers[own + TYPE_AT] as number)
  if (!TYPES.has(type)) return `its type is ${JSON.stringify(type)}`
  const records = own === 0 ? new Map<string, Buffer>() : readExtension(headers.subarray(0, own))
  if (typeof records === 'string') return records
  return findBadBlock(headers, own) ?? findBadNumber(headers, own, type, records) ?? findBadName(headers, own, type, records) // prettier-ignore
}

/** The records of the one extended header, or what is wrong with it. */
function readExtension(extension: Buffer): ReadonlyMap<string, Buffer> | string {
  if (extension[TYPE_AT] !== PAX.charCodeAt(0)) return 'it has an extended header that is not pax'
  const wrong = findBadBlock(extension, 0)
  if (wrong !== undefined) return wrong
  const end = BLOCK_BYTES + readNumber(extension, 0, SIZE)
  if (padded(end) !== extension.length) return 'it has several extended headers'
  if (!isZero(extension, end, extension.length - end)) return 'something follows its pax records'
  return readRecords(extension.subarray(BLOCK_BYTES, end))
}

function readRecords(body: Buffer): ReadonlyMap<string, Buffer> | string {
  const records = new Map<string, Buffer>()
  for (let at = 0; at < body.length;) {
    const record = readRecord(body, at)
    if (!record) return 'a pax record has no proper length'
    const { key, value, bytes } = record
    if (!isKnown(key, value))
      return `the pax record ${JSON.stringify(key.slice(0, 100))} is not one that GNU tar writes`
    at += bytes.length
    // Of no further use, and there may be millions. Twice: before GNU tar 1.30, what follows an equals sign in an attribute's
    // name went into its value.
    if (key.startsWith('SCHILY.xattr.')) continue
    if (records.has(key)) return `it has the pax record '${key}' twice`
    records.set(key, value)
  }
  return records
}

const COUNT = /^(0|[1-9]\d{0,18})$/
const TIME = /^-?(0|[1-9]\d{0,18})(\.\d{1,9})?$/

/** The keys that GNU tar writes with the options of `tarCreate`, by what their values look like. */
const VALUES: Readonly<Record<string, RegExp>> = {
  path: /^[^\0]+$/s,
  linkpath: /^[^\0]+$/s,
  size: COUNT,
  uid: COUNT,
  gid: COUNT,
  mtime: TIME,
  // Without `tarCreate`'s options. They have no effect on what is extracted.
  atime: TIME,
  ctime: TIME,
  'GNU.sparse.major': /^1$/,
  'GNU.sparse.minor': /^0$/,
  'GNU.sparse.name': /^[^\0]+$/s,
  'GNU.sparse.realsize': COUNT,
}
/** Whose values are any bytes. */
const ATTRIBUTES = /^(SCHILY\.acl\.(access|default)|RHT\.security\.selinux|SCHILY\.xattr\.[^\0]+)$/s

function isKnown(key: string, value: Buffer): boolean {
  const pattern = Object.hasOwn(VALUES, key) ? VALUES[key] : undefined
  return pattern ? pattern.test(value.toString('latin1')) : ATTRIBUTES.test(key)
}

/** What every header has, extended or not. */
function findBadBlock(data: Buffer, at: number): string | undefined {
  if (textOf(data, at, MAGIC) !== POSIX_MAGIC) return 'it is not ustar'
  if (!/^[0-7]{6}\0 $/.test(textOf(data, at, CHECKSUM))) return 'its checksum is malformed'
  for (const field of [MODE, UID, GID, SIZE, MTIME]) {
    if (!isOctal(data, at, field)) return `the number at ${field.at} of a header is malformed`
  }
  for (const field of [MAJOR, MINOR]) {
    if (!isOctal(data, at, field) && !isZero(data, at + field.at, field.bytes)) return 'a device number is malformed'
  }
  // Nobody reads the names of owners: a restore goes by their numbers.
  for (const field of [NAME, LINK, USER, GROUP]) {
    if (!endsWithZeros(data, at, field)) return `something follows the name at ${field.at} of a header`
  }
  return isZero(data, at + REST_AT, BLOCK_BYTES - REST_AT)
    ? undefined
    : `something is at ${REST_AT} of a header, where nothing belongs`
}

/** The largest number of a field of eight bytes, and of one of twelve. */
const [SMALL_MAX, LARGE_MAX] = [0o7777777, 0o77777777777]

function findBadNumber(
  data: Buffer,
  own: number,
  type: string,
  records: ReadonlyMap<string, Buffer>,
): string | undefined {
  if (readNumber(data, own, MODE) > 0o7777) return 'its mode has more than permissions'
  for (const [key, field, most] of [
    ['uid', UID, SMALL_MAX],
    ['gid', GID, SMALL_MAX],
    ['size', SIZE, LARGE_MAX],
  ] as const) {
    // prettier-ignore
    const record = records.get(key)
    if (record === undefined) continue
    // A record is written where the field cannot hold the number, which is 0 then.
    if (Number(record.toString('latin1')) <= most || readNumber(data, own, field) !== 0) {
      return `its ${key} is in two places`
    }
  }
  const sparse = ['major', 'minor', 'name', 'realsize'].filter((key) => records.has(`GNU.sparse.${key}`)).length
  if (sparse !== 0 && !(sparse === 4 && type === FILE)) return 'it is sparse by half'
  if (type === FILE) return undefined
  return readNumber(data, own, SIZE) === 0 && !records.has('size') ? undefined : 'it is no file and has a size' // prettier-ignore
}

function findBadName(
  data: Buffer,
  own: number,
  type: string,
  records: ReadonlyMap<string, Buffer>,
): string | undefined {
  const path = records.get('GNU.sparse.name') ?? records.get('path') ?? nameOf(data, own, NAME)
  const isDirectory = type === DIRECTORY
  if (isDirectory !== (path.at(-1) === SLASH))
    return 'its name and its type say different things of whether it is a directory'
  const bare = isDirectory ? path.subarray(0, -1) : path
  if (!(isDirectory && bare.length === 1 && bare[0] === DOT) && !isPlainName(bare))
    return 'its name is not one of a member'
  const isLink = type === '1' || type === '2'
  const link = records.get('linkpath') ?? nameOf(data, own, LINK)
  if (!isLink) return link.length === 0 ? undefined : 'it is no link and has a target'
  if (link.length === 0) return 'it is a link to nothing'
  return type === '1' && !isPlainName(link) ? 'the name that it is linked to is not one of a member' : undefined
}

/** `./` and components that are not empty, `.` or `..`. */
function isPlainName(name: Buffer): boolean {
  if (name[0] !== DOT || name[1] !== SLASH) return false
  for (let start = 2; start <= name.length;) {
    const slash = name.indexOf(SLASH, start)
    const end = slash < 0 ? name.length : slash
    const isDots = name[start] === DOT && (end - start === 1 || (end - start === 2 && name[start + 1] === DOT))
    if (end === start || isDots) return false
    start = end + 1
  }
  return true
}

function nameOf(data: Buffer, at: number, { at: fieldAt, bytes }: Field): Buffer {
  const start = at + fieldAt
  return data.subarray(start, nameEnd(data, start, bytes))
}

function textOf(data: Buffer, at: number, field: Field): string {
  return data.toString('latin1', at + field.at, at + field.at + field.bytes)
}

function endsWithZeros(data: Buffer, at: number, field: Field): boolean {
  const end = nameEnd(data, at + field.at, field.bytes)
  return isZero(data, end, at + field.at + field.bytes - end)
}

/** Octal digits to the last byte but one, which ends them. */
function isOctal(data: Buffer, at: number, field: Field): boolean {
  const last = at + field.at + field.bytes - 1
  for (let index = at + field.at; index < last; index++) {
    const byte = data[index] as number
    if (byte < 0x30 || byte > 0x37) return false
  }
  return data[last] === 0
}

/** What extended headers say of the entry that follows them: the keys of POSIX.1-2017 ("pax Extended Header") and of GNU tar. */
import { PATH_BYTES_MAX } from './entry'
import { brokenTar, decodeName, decodePath, type Name } from './header'

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

/** Of a path that is too long, what is kept to name it. */
const PATH_BYTES_NAMED = 256

const PATHS: ReadonlySet<string> = new Set(['path', 'GNU.sparse.name', 'linkpath'])
const KEPT: ReadonlySet<string> = new Set([
  ...PATHS,
  'mtime',
  'size',
  'uid',
  'gid',
  'GNU.sparse.size',
  'GNU.sparse.realsize',
  'GNU.sparse.major',
])

/** Whether `applyRecord` needs the value. */
export function isKept(key: string): boolean {
  return KEPT.has(key)
}

/** Whether the record is of extended attributes, an ACL, a label or capabilities. */
export function isAttribute(key: string): boolean {
  return key.startsWith('SCHILY.xattr.') || key.startsWith('SCHILY.acl.') || key === 'RHT.security.selinux'
}

/** A record whose value is kept. */
export interface FoundRecord {
  readonly key: string
  /** Has the value from `start` to `end`: all of it, or more than `PATH_BYTES_MAX` bytes of its beginning. */
  readonly data: Buffer
  readonly start: number
  readonly end: number
  /** Of the whole value. */
  readonly bytes: number
}

/**
 * Adds what the record says.
 *
 * @param offset - of the header in the stream, for the message
 * @throws AgentError ARCHIVE_FAILED where it says what cannot be
 */
export function applyRecord(extension: Extension, record: FoundRecord, offset: number): void {
  const { key, start, bytes } = record
  if (bytes <= PATH_BYTES_MAX) {
    applyValue(extension, record, offset)
    return
  }
  if (!PATHS.has(key)) throw brokenTar(offset, `'${key}' in its pax header has ${bytes} bytes`)
  extension.undescribed = `its ${key === 'linkpath' ? 'link' : 'path'} has ${bytes} bytes`
  applyValue(extension, { ...record, end: start + PATH_BYTES_NAMED }, offset)
}

function applyValue(extension: Extension, record: FoundRecord, offset: number): void {
  const { key, data, start, end } = record
  switch (key) {
    case 'mtime':
      extension.mtime = readTime(data.toString('latin1', start, end), offset)
      return
    case 'path':
      extension.path = decodePath(data, start, end)
      return
    case 'GNU.sparse.name':
      extension.sparsePath = decodePath(data, start, end)
      return
    case 'linkpath':
      extension.link = decodeName(data, start, end)
      return
    case 'size':
      extension.storedBytes = readExact(record, offset)
      return
    case 'uid':
      extension.uid = readExact(record, offset)
      return
    case 'gid':
      extension.gid = readExact(record, offset)
      return
    case 'GNU.sparse.size':
    case 'GNU.sparse.realsize':
      // xfs has files of up to 2^63 - 1 bytes, JSON has no such numbers; nothing is found by this one.
      extension.sparseSize = Math.min(readCount(record, offset), Number.MAX_SAFE_INTEGER)
      return
    default:
      if (readExact(record, offset) === 1) extension.mapInData = true
  }
}

function readExact(record: FoundRecord, offset: number): number {
  const value = readCount(record, offset)
  if (Number.isSafeInteger(value)) return value
  throw brokenTar(offset, `'${record.key}' in its pax header is too large`)
}

function readCount({ key, data, start, end }: FoundRecord, offset: number): number {
  const text = data.toString('latin1', start, end)
  if (/^\d+$/.test(text)) return Number(text)
  throw brokenTar(offset, `'${key}' in its pax header is no number`)
}

function readTime(text: string, offset: number): string {
  if (/^-?\d+(\.\d{1,9})?$/.test(text)) return text
  throw brokenTar(offset, `'${text}' is no time`)
}

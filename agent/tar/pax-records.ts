/** Reads pax extended headers as they pass by (POSIX.1-2017 "pax Extended Header"): what nobody needs is not kept. */
import { brokenTar, decodeName, decodePath, type Extension } from './header'

/** Paths beyond this get no line of their own in the catalog (design limit): the kernel takes 4,096 bytes at a time. */
export const PATH_BYTES_MAX = 64 * 1024

/** Of a path that is longer, what is kept to name it. */
const PATH_BYTES_NAMED = 256

/** Extended attributes' names have up to 255 bytes, of which tar may make three each; whatever is longer is skipped. */
const KEY_BYTES_MAX = 1024
const LENGTH_DIGITS_MAX = 15

const SPACE = 0x20
const NEWLINE = 0x0a
const EQUALS = 0x3d
const ZERO = 0x30
const NINE = 0x39

export interface PaxReader {
  /**
   * Begins with the next header.
   *
   * @param offset - of the header in the stream, for messages
   * @param extension - gets what the records say
   */
  start(offset: number, extension: Extension): void
  /** Takes the next bytes of the header. @throws AgentError ARCHIVE_FAILED where they are no records */
  push(data: Buffer, start: number, end: number): void
  /** To be called after the last byte of the header. @throws AgentError ARCHIVE_FAILED where its last record is cut */
  finish(): void
}

/**
 * Reads records, `LENGTH KEY=VALUE\n` each, in pieces of any size. Memory does not grow with the values: extended
 * attributes, 64 KiB each and on xfs any number of them, pass by.
 */
export function paxReader(): PaxReader {
  let offset = 0
  let extension: Extension = {}
  let stage: 'length' | 'key' | 'value' = 'length'
  let digits = 0
  let left = 0 // of the record, from the byte that comes next
  let key = ''
  let isKept = false
  let gathered: Buffer[] = []
  let gatheredBytes = 0

  const malformed = () => brokenTar(offset, 'its pax header is malformed')

  function takeLength(data: Buffer, start: number, end: number): number {
    let at = start
    for (; at < end; at++, digits++) {
      const byte = data[at] as number
      if (!(byte >= ZERO && byte <= NINE && digits < LENGTH_DIGITS_MAX)) break
      left = left * 10 + (byte - ZERO)
    }
    if (at === end) return at
    left -= digits + 1
    // At least a key of one byte, the equals sign and the newline are to follow.
    if (data[at] !== SPACE || left < 3) throw malformed()
    stage = 'key'
    return at + 1
  }

  function takeKey(data: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + left - 1)
    let at = start
    while (at < stop && data[at] !== EQUALS) at++
    if (key.length < KEY_BYTES_MAX) key += data.toString('latin1', start, at)
    left -= at - start
    if (at < stop) {
      left--
      if (key === '' || left < 1) throw malformed()
      startValue()
      return at + 1
    }
    if (left <= 1) throw malformed()
    return at
  }

  function startValue(): void {
    stage = 'value'
    isKept = KEPT.has(key)
    if (!isKept && isAttribute(key)) extension.xattrs = true
  }

  function takeValue(data: Buffer, start: number, end: number): number {
    const valueLeft = left - 1
    const bytes = Math.min(valueLeft, end - start)
    const at = start + bytes
    left -= bytes
    const isWhole = at < end
    if (isWhole && data[at] !== NEWLINE) throw malformed()
    if (isKept) {
      if (isWhole && gatheredBytes === 0) apply(data, start, at)
      else gather(data, start, at, isWhole)
    }
    if (!isWhole) return at
    expectRecord()
    return at + 1
  }

  function expectRecord(): void {
    stage = 'length'
    digits = left = gatheredBytes = 0
    key = ''
  }

  function gather(data: Buffer, start: number, end: number, isWhole: boolean): void {
    const room = PATH_BYTES_MAX + 1 - gathered.reduce((sum, { length }) => sum + length, 0)
    if (room > 0) gathered.push(Buffer.from(data.subarray(start, Math.min(end, start + room))))
    gatheredBytes += end - start
    if (!isWhole) return
    const value = Buffer.concat(gathered)
    gathered = []
    apply(value, 0, value.length)
  }

  function apply(data: Buffer, start: number, end: number): void {
    const bytes = Math.max(gatheredBytes, end - start)
    if (bytes <= PATH_BYTES_MAX) {
      applyRecord(extension, key, data, start, end, offset)
      return
    }
    if (!PATHS.has(key)) throw brokenTar(offset, `'${key}' in its pax header has ${bytes} bytes`)
    extension.undescribed = `its ${key === 'linkpath' ? 'link' : 'path'} has ${bytes} bytes`
    applyRecord(extension, key, data, start, start + PATH_BYTES_NAMED, offset)
  }

  return {
    start(atOffset, ofEntry) {
      offset = atOffset
      extension = ofEntry
      gathered = []
      expectRecord()
    },
    push(data, start, end) {
      for (let at = start; at < end;) {
        if (stage === 'length') at = takeLength(data, at, end)
        else if (stage === 'key') at = takeKey(data, at, end)
        else at = takeValue(data, at, end)
      }
    },
    finish() {
      if (stage !== 'length' || digits > 0) throw malformed()
    },
  }
}

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

function isAttribute(key: string): boolean {
  return key.startsWith('SCHILY.xattr.') || key.startsWith('SCHILY.acl.') || key === 'RHT.security.selinux'
}

function applyRecord(
  extension: Extension,
  key: string,
  data: Buffer,
  start: number,
  end: number,
  offset: number,
): void {
  const number = (): number => {
    const text = data.toString('latin1', start, end)
    if (/^\d+$/.test(text)) return Number(text)
    throw brokenTar(offset, `'${key}' in its pax header is no number`)
  }
  const exact = (): number => {
    const value = number()
    if (Number.isSafeInteger(value)) return value
    throw brokenTar(offset, `'${key}' in its pax header is too large`)
  }
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
      extension.storedBytes = exact()
      return
    case 'uid':
      extension.uid = exact()
      return
    case 'gid':
      extension.gid = exact()
      return
    case 'GNU.sparse.size':
    case 'GNU.sparse.realsize':
      // xfs has files of up to 2^63 - 1 bytes, JSON has no such numbers; nothing is found by this one.
      extension.sparseSize = Math.min(number(), Number.MAX_SAFE_INTEGER)
      return
    default:
      if (exact() === 1) extension.mapInData = true
  }
}

function readTime(text: string, offset: number): string {
  if (/^-?\d+(\.\d{1,9})?$/.test(text)) return text
  throw brokenTar(offset, `'${text}' is no time`)
}

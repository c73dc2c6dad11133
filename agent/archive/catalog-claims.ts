import { PATH_BYTES_MAX, type CatalogEntry } from '../tar/entry'
import { BLOCK_BYTES } from '../tar/layout'

const MODE_MAX = 0o7777

/** A component that is empty, `.` or `..`, or a zero byte. */
const UNFIT_PATH = /(^|\/)\.{0,2}(\/|$)|\0/

/** The field that cannot be right, or undefined. */
export function findImpossible(entry: CatalogEntry): string | undefined {
  const { path, path64, type, size, mode, offset, bytes, sparseBytes, device } = entry
  if (offset % BLOCK_BYTES !== 0) return 'offset'
  if (!(bytes > 0) || bytes % BLOCK_BYTES !== 0 || !Number.isSafeInteger(offset + bytes)) return 'bytes'
  if ('undescribed' in entry) return undefined // nothing else of it counts
  const isRoot = path === '.' && type === 'directory'
  if ((!isRoot && UNFIT_PATH.test(path)) || isTooLong(path)) return 'path'
  if (path64 !== undefined && !isSameName(path64, path)) return 'path64'
  if (mode > MODE_MAX) return 'mode'
  if (type !== 'file' && size !== 0) return 'size'
  if (sparseBytes === undefined ? size > bytes - BLOCK_BYTES : type !== 'file' || sparseBytes > bytes - BLOCK_BYTES) {
    return sparseBytes === undefined ? 'size' : 'sparseBytes'
  }
  if ((device !== undefined) !== (type === 'character' || type === 'block')) return 'device'
  return findImpossibleLink(entry)
}

function findImpossibleLink({ type, link, link64 }: CatalogEntry): string | undefined {
  if ((link !== undefined) !== (type === 'symlink' || type === 'hardlink')) return 'link'
  if (link === undefined) return link64 === undefined ? undefined : 'link64'
  if (type === 'hardlink' ? UNFIT_PATH.test(link) : link === '' || link.includes('\0')) return 'link'
  if (isTooLong(link)) return 'link'
  return link64 === undefined || isSameName(link64, link) ? undefined : 'link64'
}

/** Bytes that are not UTF-8 are one character each. */
function isTooLong(name: string): boolean {
  return name.length > PATH_BYTES_MAX
}

/** Whether the base64 is of bytes that are not UTF-8, and read as this text. */
export function isSameName(base64: string, text: string): boolean {
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64') === base64 && bytes.toString('utf8') === text && !Buffer.from(text).equals(bytes)
}

/** The order in which tar goes through a tree with `--sort=name`: a directory, what is in it, the next name, by bytes. */
import type { Cursor } from '../lib/cursor'
import { pathBytes, type CatalogEntry } from './entry'

/** What has a name in a catalog. */
export type Named = Pick<CatalogEntry, 'path' | 'path64'>

const NOT_ASCII = /[^\0-\x7f]/

/** A character for each byte, so that names can be told apart that are the same as text. */
export function byteNameOf(entry: Named): string {
  const { path, path64 } = entry
  return path64 === undefined && !NOT_ASCII.test(path) ? path : pathBytes(entry).toString('latin1')
}

/**
 * Keys that are in tar's order when they are compared as plain strings: a character for each byte, NUL in the place of each
 * slash; empty for the root.
 */
export function orderKeyOf(entry: Named): string {
  return keyOfName(byteNameOf(entry))
}

/** @param path - as the catalog has it, `.` for the root, as bytes */
export function orderKeyOfPath(path: Uint8Array): string {
  return keyOfName(Buffer.from(path.buffer, path.byteOffset, path.length).toString('latin1'))
}

function keyOfName(name: string): string {
  return name === '.' ? '' : name.replaceAll('/', '\0')
}

/** The mirror of `orderKeyOfPath`. */
export function pathOfOrderKey(key: string): Buffer {
  return Buffer.from(key === '' ? '.' : key.replaceAll('\0', '/'), 'latin1')
}

/** @param path - as bytes, which need not be text */
export function namedBy(path: Buffer): Named {
  const text = path.toString()
  return { path: text, ...(!Buffer.from(text).equals(path) && { path64: path.toString('base64') }) }
}

/**
 * Moves on to that name; undefined where it is not there.
 *
 * @param cursor - of names in tar's order
 * @param order - of the name; undefined for the end
 * @param onPassed - told of each that comes before it
 */
export async function findIn<Item extends Named>(
  cursor: Cursor<Item>,
  order: string | undefined,
  onPassed: (item: Item) => void = () => undefined,
): Promise<Item | undefined> {
  for (;;) {
    if (cursor.current === undefined) await cursor.load()
    const item = cursor.current
    if (item === undefined) return undefined
    const at = orderKeyOf(item)
    if (order !== undefined && at > order) return undefined
    cursor.advance()
    if (at === order) return item
    onPassed(item)
  }
}

/** The records of an index: what was seen of an entry of the base, and the line that its catalog has of it. */
import type { CatalogEntry } from '../tar/entry'
import { orderKeyOf } from '../tar/order'
import type { Walked } from './walked'

/** An entry of the base. */
export interface IndexRecord extends Walked {
  /** Of the base's catalog, with a character for each of its bytes. */
  readonly line: string
}

/** In the place of facts that must count as changed whatever is seen: no facts are like this. */
const DOUBTFUL = '?'
const PATH = '{"path":"'

/** Neither key nor facts have a slash, nor has a line a newline. */
export function formatRecord({ key, facts, line }: IndexRecord): string {
  return `${key}/${facts}/${line}\n`
}

/** Behind the last record. */
export function formatIndexEnd(entries: number): string {
  return `//${entries}\n`
}

/** @returns a record, the number of entries where it is the end, or undefined where it is neither */
export type ParsedRecord = IndexRecord | number | undefined

/**
 * Cuts the text of an index into records as it comes, a character for each byte. A name may have newlines in it, and is
 * told from what follows by the slashes alone.
 */
export function recordSplitter(): (piece: string) => ParsedRecord[] {
  let rest = ''
  return (piece) => {
    const text = rest + piece
    const records: ParsedRecord[] = []
    let at = 0
    for (;;) {
      const first = text.indexOf('/', at)
      const second = first < 0 ? -1 : text.indexOf('/', first + 1)
      const end = second < 0 ? -1 : text.indexOf('\n', second + 1)
      if (end < 0) break
      records.push(parseRecord(text.slice(at, first), text.slice(first + 1, second), text.slice(second + 1, end)))
      at = end + 1
    }
    rest = text.slice(at)
    return records
  }
}

function parseRecord(key: string, facts: string, line: string): ParsedRecord {
  if (facts !== '') return { key, facts, line }
  return key === '' && /^\d{1,15}$/.test(line) ? Number(line) : undefined
}

/**
 * The key of an entry by its catalog's line, a character for each byte.
 *
 * @returns undefined where the line is no entry's
 */
export function keyOfLine(line: string): string | undefined {
  if (!line.startsWith(PATH)) return undefined
  const end = line.indexOf('"', PATH.length)
  const path = line.slice(PATH.length, end)
  if (!path.includes('\\') && !line.startsWith(',"path64"', end + 1))
    return path === '.' ? '' : path.replaceAll('/', '\0')
  return orderKeyOf(JSON.parse(Buffer.from(line, 'latin1').toString()) as CatalogEntry)
}

/** The line that the catalog of a differential archive has of an entry that is as it was in its base. */
export function baseLineOf(line: string): string {
  return `${line.slice(0, -1)},"base":true}\n`
}

/**
 * What the next comparison goes by: where the entry was changed at the time of the snapshot, or after it, the same facts may
 * come of another change within the clock's tick.
 *
 * @param doubtfulFromNs - changes from here on, in nanoseconds since 1970
 */
export function lastingFacts(facts: string, doubtfulFromNs: bigint): string {
  const ctimeNs = facts.split(' ', 6)[5] ?? ''
  return BigInt(ctimeNs) < doubtfulFromNs ? facts : DOUBTFUL
}

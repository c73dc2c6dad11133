/** The entries of a differential archive and of its base, in one order. */
import { pathBytes, type CatalogEntry } from '../tar/entry'

/**
 * What the volume had, in the order of its names, as tar sorts them: both archives are in that order, and so are their parts
 * of the catalog, one behind the other.
 *
 * @param lines - the catalog's entries, from the first one each time
 * @param shift - where the differential archive's own stream starts in the whole archive
 */
export async function* wholeEntries(
  lines: () => AsyncGenerator<CatalogEntry>,
  shift: number,
): AsyncGenerator<CatalogEntry, void, undefined> {
  const own = ordered(lines(), (entry) => !entry.base)
  const base = ordered(lines(), (entry) => entry.base === true)
  try {
    let [mine, kept] = [await own.next(), await base.next()]
    while (!mine.done || !kept.done) {
      if (!mine.done && (kept.done || mine.value.order <= kept.value.order)) {
        const { entry } = mine.value
        yield { ...entry, offset: entry.offset + shift }
        mine = await own.next()
      } else if (!kept.done) {
        const entry: { -readonly [Field in keyof CatalogEntry]: CatalogEntry[Field] } = { ...kept.value.entry }
        delete entry.base
        yield entry
        kept = await base.next()
      }
    }
  } finally {
    await Promise.all([own.return(), base.return()])
  }
}

interface Ordered {
  readonly entry: CatalogEntry
  readonly order: string
}

async function* ordered(
  entries: AsyncGenerator<CatalogEntry>,
  isWanted: (entry: CatalogEntry) => boolean,
): AsyncGenerator<Ordered, void, undefined> {
  for await (const entry of entries) if (isWanted(entry)) yield { entry, order: orderOf(entry) }
}

const NOT_ASCII = /[^\0-\x7f]/

/** Compared as text, these are in the order in which tar goes through a tree: by the bytes of each name on the way. */
export function orderOf(entry: Pick<CatalogEntry, 'path' | 'path64'>): string {
  const { path, path64 } = entry
  if (path === '.') return ''
  const bytes = path64 === undefined && !NOT_ASCII.test(path) ? path : pathBytes(entry).toString('latin1')
  return bytes.replaceAll('/', '\0')
}

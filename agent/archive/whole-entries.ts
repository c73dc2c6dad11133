/** The entries of a differential archive and of its base, in one order. */
import type { CatalogEntry } from '../tar/entry'
import { orderKeyOf } from '../tar/order'

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
        yield withoutMark(kept.value.entry)
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
  for await (const entry of entries) if (isWanted(entry)) yield { entry, order: orderKeyOf(entry) }
}

/** As the base's own catalog has it. */
export function withoutMark(entry: CatalogEntry): CatalogEntry {
  const same: { -readonly [Field in keyof CatalogEntry]: CatalogEntry[Field] } = { ...entry }
  delete same.base
  return same
}

/** Which entries of a base a differential archive leaves as they were: what its catalog says, told from all else that there is. */
import { AgentError } from '../errors'
import { cursorOf } from '../lib/cursor'
import { shortened } from '../lib/long-names'
import { onPage } from '../pages'
import type { CatalogEntry } from '../tar/entry'
import { findIn, orderKeyOf, type Named } from '../tar/order'

/** Each in tar's order. */
export interface PartsOfVolume {
  /** All of the base. */
  readonly base: AsyncIterable<CatalogEntry>
  /** Those of the differential archive itself. */
  readonly own: AsyncIterable<CatalogEntry>
  /** Of the base, the names that the volume no longer had. */
  readonly gone: AsyncGenerator<readonly Named[], void, undefined>
}

/**
 * Each name of a base is archived again, is gone, or is as it was: these are the last, in their order.
 *
 * @throws AgentError ARCHIVE_DAMAGED where the parts contradict each other, so that it cannot be told which are
 */
export async function* leftInBase(parts: PartsOfVolume): AsyncGenerator<CatalogEntry, void, undefined> {
  await using ownNames = ascending(singly(parts.own), 'the archive')
  await using goneNames = ascending(parts.gone, 'the list of what is gone')
  await using baseEntries = ascending(singly(parts.base), 'the base')
  const [own, gone] = [cursorOf(ownNames), cursorOf(goneNames)]
  const assertDescribed = (entry: CatalogEntry): void => {
    if (entry.undescribed !== undefined) refuse(entry, 'cannot be described, and may have any name')
  }
  const notInBase = (name: Named): void => refuse(name, 'is listed as gone, and the base has no such name')
  for await (const [entry] of baseEntries) {
    if (!entry) continue
    assertDescribed(entry)
    const order = orderKeyOf(entry)
    const archived = await findIn(own, order, assertDescribed)
    if (archived) assertDescribed(archived)
    const isGone = (await findIn(gone, order, notInBase)) !== undefined
    if (archived && isGone) refuse(entry, 'is archived, and listed as gone')
    if (archived || isGone) continue
    if (entry.type === 'directory') refuse(entry, 'is a directory of the base that is neither archived nor gone')
    yield entry
  }
  await findIn(own, undefined, assertDescribed)
  await findIn(gone, undefined, notInBase)
}

async function* singly<Item>(items: AsyncIterable<Item>): AsyncGenerator<readonly Item[], void, undefined> {
  for await (const item of items) yield [item]
}

/** What is out of order would be passed by, and taken for what is not there. @param where - for messages */
async function* ascending<Item extends Named>(
  batches: AsyncIterable<readonly Item[]>,
  where: string,
): AsyncGenerator<readonly Item[], void, undefined> {
  let last: string | undefined
  for await (const batch of batches) {
    for (const item of batch) {
      const order = orderKeyOf(item)
      if (last !== undefined && order <= last) refuse(item, `is out of order in ${where}`)
      last = order
    }
    yield batch
  }
}

function refuse({ path }: Named, what: string): never {
  throw new AgentError('ARCHIVE_DAMAGED', `'${shortened(path)}' ${what}`, {
    hint: `Restore base and differential archive by hand, as ${onPage('restore-by-hand')} says, or from another run.`,
  })
}

/** Lists everything with a prefix, many pages at a time where there are many. */
import type { ObjectInfo, Store } from '../../agent/context'
import { mapUnordered } from '../../agent/lib/unordered'
import { tidyHeap } from '../heap.io'
import { planRanges, type KeyRange } from './shards'

/** Pages at a time, for all that is listed together: S3 answers 5,500 requests a second and prefix. */
const RANGES_IN_FLIGHT = 16
/** What S3 gives at once: where there is no more, one request is enough. */
const PAGE_OBJECTS = 1000
/** Their pages have taken some 20 MiB by then. */
const OBJECTS_UNTIL_TIDY = 50_000

/** Told of each object: in order within its range, and ranges side by side. */
export type Take = (object: ObjectInfo) => void

/**
 * @param places - what keys of the known hosts begin with below the prefix
 * @param begin - makes what takes the objects of one range
 * @throws AgentError as `list`
 */
export async function listAll(
  { store, signal }: { readonly store: Store; readonly signal: AbortSignal },
  prefix: string,
  places: () => Promise<Iterable<string>>,
  begin: () => Take,
): Promise<void> {
  const last = await listFirst(store, prefix, signal, begin())
  if (last === undefined) return
  let count = 0
  const counting = (take: Take): Take => {
    return (object) => {
      take(object)
      if (++count % OBJECTS_UNTIL_TIDY === 0) tidyHeap()
    }
  }
  await mapUnordered(planRanges(await places(), last), RANGES_IN_FLIGHT, (range) =>
    listRange(store, prefix, range, signal, counting(begin())),
  )
}

/** The key that it came to; undefined where that was the last one. */
async function listFirst(store: Store, prefix: string, signal: AbortSignal, take: Take): Promise<string | undefined> {
  let count = 0
  for await (const object of store.list(prefix, signal)) {
    take(object)
    if (++count === PAGE_OBJECTS) return object.key
  }
  return undefined
}

async function listRange(
  store: Store,
  prefix: string,
  { startAfter, until }: KeyRange,
  signal: AbortSignal,
  take: Take,
): Promise<void> {
  const options = startAfter === undefined ? {} : { startAfter }
  for await (const object of store.list(prefix, signal, options)) {
    if (until !== undefined && object.key > until) return
    take(object)
  }
}

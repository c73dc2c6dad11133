/** Sees no object that was written after its run: a host may add what a run of long ago lacks, and nothing tells it apart but S3's time. */
import { assertNotYounger } from './run-time'
import type { Store } from '../context'

/**
 * A store that refuses to tell of objects which are younger than the manifest that names them. Whatever is to be read of a
 * run has to be asked for with `head` first.
 *
 * @param writtenAt - when the manifest was written; undefined where S3's times are not to be gone by
 */
export function withoutYounger<S extends Store>(store: S, writtenAt: Date | undefined): S {
  if (writtenAt === undefined) return store
  return {
    ...store,
    async head(key, ...rest) {
      const found = await store.head(key, ...rest)
      assertNotYounger(key, found.lastModified, writtenAt)
      return found
    },
  }
}

/** Sees past delete markers: to whom reads a versioned bucket, nothing is lost until its last version is. */
import { hasCode } from '../errors'
import type { Deps, ObjectInfo, Store } from '../context'

/** A store in which deleted objects are there as long as a version of them is. */
export interface StoreWithDeleted {
  readonly store: Store
  /** Whether the object was deleted and can be read all the same. @throws AgentError ACCESS_DENIED */
  readonly isLeft: (key: string) => Promise<boolean>
  /** Keys of the deleted objects that were read so far. */
  readonly deletedRead: () => readonly string[]
}

/**
 * Reads and lists deleted objects as if nobody had deleted them. What is not missing costs no request more; for what is,
 * the versions of its folder are listed once, however many of its objects are read, and however often.
 */
export function withDeleted({ store, log, signal }: Pick<Deps, 'store' | 'log' | 'signal'>): StoreWithDeleted {
  const versions = new Map<string, string>()
  const listings = new Map<string, Promise<void>>()
  const read = new Set<string>()

  const remember = ({ key, deletedVersion }: ObjectInfo): void => {
    if (deletedVersion !== undefined) versions.set(key, deletedVersion)
  }
  const readFolder = async (folder: string): Promise<void> => {
    // Not with the signal of a caller: others may wait for the same listing when that one has given up.
    for await (const object of store.list(folder, signal, { includeDeleted: true })) remember(object)
  }
  const findVersion = async (key: string): Promise<string | undefined> => {
    const folder = key.slice(0, key.lastIndexOf('/') + 1)
    const listing = listings.get(folder) ?? readFolder(folder)
    listings.set(folder, listing)
    await listing
    return versions.get(key)
  }
  const readVersion = <T>(key: string, version: string, attempt: (version: string) => Promise<T>): Promise<T> => {
    if (!read.has(key)) log.info(`${key} was deleted: reading version ${version}, which is still there`)
    read.add(key)
    return attempt(version)
  }
  const readEither = async <T>(key: string, attempt: (version?: string) => Promise<T>): Promise<T> => {
    const known = versions.get(key)
    if (known !== undefined) return readVersion(key, known, attempt)
    try {
      return await attempt()
    } catch (error) {
      const version = hasCode(error, 'OBJECT_MISSING') ? await findVersion(key) : undefined
      if (version === undefined) throw error
      return readVersion(key, version, attempt)
    }
  }

  return {
    store: {
      ...store,
      get: (key, bytesMax, ofCaller) => readEither(key, (version) => store.get(key, bytesMax, ofCaller, version)),
      getRange: (key, offset, bytes, ofCaller, how) =>
        readEither(key, (versionId) => store.getRange(key, offset, bytes, ofCaller, { ...how, versionId })),
      head: (key, ofCaller) => readEither(key, (version) => store.head(key, ofCaller, version)),
      retrieve: (key, options, ofCaller) =>
        readEither(key, (version) => store.retrieve(key, options, ofCaller, version)),
      async *list(prefix, ofCaller, options) {
        for await (const object of store.list(prefix, ofCaller, { ...options, includeDeleted: true })) {
          remember(object)
          yield object
        }
      },
      listFolders: (prefix, ofCaller) => store.listFolders(prefix, ofCaller, { includeDeleted: true }),
    },
    isLeft: async (key) => (await findVersion(key)) !== undefined,
    deletedRead: () => [...read],
  }
}

/** A store that remembers what it was asked for and does not have. */
export function rememberMissing(store: Store): { readonly store: Store; readonly missing: () => readonly string[] } {
  const missing = new Set<string>()
  const remember = async <T>(key: string, result: Promise<T>): Promise<T> => {
    try {
      return await result
    } catch (error) {
      if (hasCode(error, 'OBJECT_MISSING')) missing.add(key)
      throw error
    }
  }
  return {
    store: {
      ...store,
      get: (key, ...rest) => remember(key, store.get(key, ...rest)),
      getRange: (key, ...rest) => remember(key, store.getRange(key, ...rest)),
      head: (key, ...rest) => remember(key, store.head(key, ...rest)),
    },
    missing: () => [...missing],
  }
}

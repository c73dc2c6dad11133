/** Directories that say themselves that what is in them need not be archived: by a file's name, or by a cache's signature. */
import { AgentError } from '../errors'
import { namedBy, type Named } from './order'

/** By what they say so. */
export interface DirectoryTags {
  /** A file {@link CACHE_TAG} that begins with {@link CACHE_SIGNATURE}. */
  readonly caches: boolean
  /** An entry of one of these names that is no symbolic link and no socket, whatever is in it. */
  readonly names: readonly string[]
}

export const NO_TAGS: DirectoryTags = { caches: false, names: [] }

/** By the Cache Directory Tagging Specification, https://bford.info/cachedir/. */
export const CACHE_TAG = 'CACHEDIR.TAG'
export const CACHE_SIGNATURE = 'Signature: 8a477f597d28d172789f06886806bc55'

/** A directory of which the contents were left out, but for the tag. */
export interface TaggedDirectory extends Named {
  readonly tag: string
}

export interface TaggedDirectories {
  /** How many there are. */
  readonly count: number
  /** Of more, the first {@link TAGGED_LISTED_MAX}. */
  readonly first: readonly TaggedDirectory[]
}

/** A manifest has to stay small; the rest is counted (design limit). */
export const TAGGED_LISTED_MAX = 100

/** Longer ones are counted alone: tar's line of one, in which each byte may be escaped, is kept up to this (design limit). */
export const TAGGED_PATH_MAX = 20_000

/** Which tar heeds, and says so: it is silent without `--verbose`, which prints names besides. */
export function tagOptions({ caches, names }: DirectoryTags): string[] {
  if (!caches && names.length === 0) return []
  return [
    ...['--verbose', '--index-file=/dev/null'],
    ...(caches ? ['--exclude-caches'] : []),
    ...names.map((name) => `--exclude-tag=${name}`),
  ]
}

/** The tags in the order in which tar looks for them, which is from the last option to the first: one is enough. */
export function tagsInOrder({ caches, names }: DirectoryTags): readonly string[] {
  return [...names.toReversed(), ...(caches ? [CACHE_TAG] : [])]
}

export interface TaggedCollector {
  /** @param path - as in a catalog, a character for each byte; undefined where it is too long to be known */
  add(path: string | undefined, tag: string): void
  list(): TaggedDirectories
}

/** Counts all, and keeps the first. */
export function collectTagged(): TaggedCollector {
  const first: TaggedDirectory[] = []
  let count = 0
  return {
    add(path, tag) {
      count++
      if (path !== undefined && path.length <= TAGGED_PATH_MAX && first.length < TAGGED_LISTED_MAX)
        first.push({ ...namedBy(Buffer.from(path, 'latin1')), tag })
    },
    list: () => ({ count, first: [...first] }),
  }
}

/**
 * A whole filesystem that says so is a backup of nothing: whoever put the tag there may not have meant it.
 *
 * @throws AgentError ARCHIVE_FAILED
 */
export function assertRootIsKept(mountPoint: string, { first }: TaggedDirectories): void {
  const tag = first.find(({ path }) => path === '.')?.tag
  if (tag === undefined) return
  throw new AgentError('ARCHIVE_FAILED', `${mountPoint} itself has ${tag}: all that is in it would be left out`, {
    hint:
      `Remove ${tag} from ${mountPoint} and put it into the directories that are meant, or leave the filesystem out ` +
      `with --exclude-volumes ${mountPoint}.`,
  })
}

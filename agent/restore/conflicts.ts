/** What becomes of an entry whose name is taken. */
import { AgentError } from '../errors'
import type { CatalogEntry } from '../tar/entry'

/** What becomes of a name that the target has already. */
export type ConflictPolicy = 'fail' | 'skip' | 'overwrite' | 'newer'

/** How an entry of the archive compares with what the target has under its name. */
export type ExistingEntry =
  | { readonly state: 'absent' }
  | {
      /** `equal`: type, size, time to the nanosecond, owner and mode, and the target of a link. Content is not read. */
      readonly state: 'equal' | 'different'
      readonly isDirectory: boolean
      readonly isSymlink: boolean
      readonly newer: boolean
      /** What it takes on disk. */
      readonly storedBytes: number
    }

/** What a restore was asked to do about what is there already. */
export interface ConflictOptions {
  readonly onConflict: ConflictPolicy
  /** Leaves out what is there already and equal: an earlier restore was interrupted. */
  readonly resume: boolean
  /** Asks what a restore has failed to do, whatever has got in its way. */
  readonly review?: {
    /** Directories are good enough as they are: the restore has kept those that were there. */
    readonly keepDirectories: boolean
  }
}

/** `refresh`: it is there and equal, but what is restored into it will change its time. */
export type Decision = 'restore' | 'refresh' | 'skip' | 'conflict'

export function decide(
  entry: CatalogEntry,
  existing: ExistingEntry,
  { onConflict, resume, review }: ConflictOptions,
): Decision {
  if (existing.state === 'absent') return 'restore'
  const isDone = existing.state === 'equal' && (resume || onConflict === 'newer')
  if (isDone) return entry.type === 'directory' ? 'refresh' : 'skip'
  const bothDirectories = entry.type === 'directory' && existing.isDirectory
  if (bothDirectories && review?.keepDirectories) return 'skip'
  const policy = resume && onConflict === 'fail' ? 'overwrite' : onConflict
  if (policy === 'fail') return bothDirectories ? 'skip' : 'conflict'
  if (policy === 'overwrite') return 'restore'
  // What is kept in a directory's place must not lead what is restored below it to somewhere else.
  if (entry.type === 'directory' && !existing.isDirectory) {
    if (review) return 'restore'
    throw notADirectory(entry.path)
  }
  return policy === 'newer' && !existing.newer ? 'restore' : 'skip'
}

function notADirectory(path: string): AgentError {
  return new AgentError('TARGET_UNFIT', `'${path}' is a directory in the backup, and something else in the target`, {
    hint: 'Remove it, restore into another directory with --target, or replace it with --on-conflict overwrite.',
  })
}

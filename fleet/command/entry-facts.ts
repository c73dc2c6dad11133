/** What of an entry is compared between two runs, small enough to be sorted by the million. */
import { linkBytes, pathBytes, type CatalogEntry, type EntryType } from '../../agent/tar/entry'

/** An entry by its path within the volume. */
export interface EntryFacts {
  /** A character for each byte, so that texts sort as bytes do: names need not be text. */
  readonly path: string
  readonly type: EntryType
  readonly size: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds, without zeros at their end. */
  readonly mtime: string
  /** Of a symbolic link its target, of a device its numbers, of others nothing. */
  readonly leadsTo: string
  readonly hasXattrs: boolean
  /** The catalog does not describe it: only its path is known. */
  readonly isUndescribed: boolean
}

export function factsOf(entry: CatalogEntry): EntryFacts {
  const { type, size, mode, uid, gid, mtime, xattrs, device, undescribed } = entry
  return {
    ...{ path: pathBytes(entry).toString('latin1'), type, size, mode, uid, gid, mtime: tidyTime(mtime) },
    leadsTo: type === 'symlink' ? linkBytes(entry).toString('latin1') : (device?.join(':') ?? ''),
    hasXattrs: xattrs === true,
    isUndescribed: undescribed !== undefined,
  }
}

function tidyTime(mtime: string): string {
  return mtime.includes('.') ? mtime.replace(/\.?0+$/, '') : mtime
}

/** What differs, in words. */
export type Difference = 'content' | 'time' | 'mode' | 'owner' | 'type' | 'target' | 'attributes'

/**
 * What differs of an entry that both runs have; nothing where it is the same for whoever restores it.
 *
 * A file with several names is an archive's file under the first that tar met and a hard link under the others, and which is first
 * may change from night to night: such are compared by what their names have in common. A directory's time changes with every
 * name in it, which is told of that name already.
 */
export function compareFacts(before: EntryFacts, after: EntryFacts): readonly Difference[] {
  const isNamedTwice = before.type === 'hardlink' || after.type === 'hardlink'
  if (kindOf(before) !== kindOf(after)) return ['type']
  const differs: readonly (readonly [Difference, boolean])[] = [
    ['content', !isNamedTwice && before.size !== after.size],
    ['time', before.type !== 'directory' && before.mtime !== after.mtime],
    ['mode', before.mode !== after.mode],
    ['owner', before.uid !== after.uid || before.gid !== after.gid],
    ['target', before.leadsTo !== after.leadsTo],
    ['attributes', !isNamedTwice && before.hasXattrs !== after.hasXattrs],
  ]
  return differs.flatMap(([difference, isSo]) => (isSo ? [difference] : []))
}

function kindOf({ type }: EntryFacts): EntryType {
  return type === 'hardlink' ? 'file' : type
}

type Stored = readonly [
  ...[type: EntryType, size: number, mode: number, uid: number, gid: number],
  ...[mtime: string, leadsTo: string, hasXattrs: 0 | 1, isUndescribed: 0 | 1],
]

/** As it lies in a file of ours between two passes. */
export function formatFacts(facts: EntryFacts): string {
  const { type, size, mode, uid, gid, mtime, leadsTo, hasXattrs, isUndescribed } = facts
  const stored: Stored = [type, size, mode, uid, gid, mtime, leadsTo, hasXattrs ? 1 : 0, isUndescribed ? 1 : 0]
  return JSON.stringify(stored)
}

/** @param text - as `formatFacts` made it, in this process */
export function parseFacts(path: string, text: string): EntryFacts {
  const [type, size, mode, uid, gid, mtime, leadsTo, hasXattrs, isUndescribed] = JSON.parse(text) as Stored
  const flags = { hasXattrs: hasXattrs === 1, isUndescribed: isUndescribed === 1 }
  return { path, type, size, mode, uid, gid, mtime, leadsTo, ...flags }
}

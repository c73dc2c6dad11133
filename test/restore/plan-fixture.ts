/** Lists of entries and made-up targets, to plan restores of without a bucket or a disk. */
import { distinctPaths } from '../../agent/archive/distinct-paths.io'
import type { PlanOptions } from '../../agent/restore/choose-entries'
import type { ConflictPolicy, ExistingEntry } from '../../agent/restore/conflicts'
import type { VolumePlan } from '../../agent/restore/plan-tally'
import { planVolume, type Entries } from '../../agent/restore/plan-volume'
import { plannedEntries } from '../../agent/restore/planned-entries.io'
import type { VolumeSelection } from '../../agent/restore/select-volumes'
import type { RestoreTarget } from '../../agent/restore/target.io'
import type { CatalogEntry, EntryType } from '../../agent/tar/entry'
import { volumeBackupOf } from '../support/manifest'

export type Line = Partial<CatalogEntry> & { readonly path: string; readonly type: EntryType }

export const dir = (path: string): Line => ({ path, type: 'directory' })
export const file = (path: string, size = 100): Line => ({ path, type: 'file', size })
export const link = (path: string, to: string): Line => ({ path, type: 'hardlink', link: to })
export const symlink = (path: string, to: string): Line => ({ path, type: 'symlink', link: to })

/** One after the other, a KiB each. */
export function catalogOf(...lines: readonly Line[]): CatalogEntry[] {
  return lines.map((line, index) => ({
    ...{ size: 0, mode: 0o644, uid: 0, gid: 0, mtime: '1700000000', offset: index * 1024, bytes: 1024 },
    ...line,
  }))
}

export const THERE = { isSymlink: false, newer: false, storedBytes: 4096 }
export const equal = (isDirectory = false): ExistingEntry => ({ state: 'equal', isDirectory, ...THERE })
export const different = (changes: { isDirectory?: boolean; newer?: boolean } = {}): ExistingEntry => ({
  ...{ state: 'different', isDirectory: false, ...THERE },
  ...changes,
})

export const bare: RestoreTarget = {
  ...{ directory: '/target', isFresh: true, isClosed: false },
  inspect: () => ({ state: 'absent' }),
  isMountPoint: () => false,
  assertContained: () => undefined,
}
/** A target that has this, by path. */
export const having = (
  there: Readonly<Record<string, ExistingEntry>>,
  changes: Partial<RestoreTarget> = {},
): RestoreTarget => ({
  ...{ ...bare, isFresh: false, inspect: ({ path }) => there[path] ?? { state: 'absent' } },
  ...changes,
})

const volume = volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv' })
export const whole: VolumeSelection = { volume, paths: [], mountPoints: [], restoredMountPoints: [] }
export const only = (...paths: string[]): VolumeSelection => ({ ...whole, paths })

interface Case extends Partial<PlanOptions> {
  readonly of?: VolumeSelection
  readonly into?: RestoreTarget
}

/** @param entries - or what is called for them, once for each pass */
export async function planOf(
  entries: readonly CatalogEntry[] | Entries,
  { of = whole, into = bare, ...options }: Case = {},
): Promise<VolumePlan> {
  const notes = { planned: plannedEntries(), distinct: distinctPaths() }
  const all = { onConflict: 'fail' as ConflictPolicy, resume: false, staged: false, lost: [], ...options }
  return planVolume(typeof entries === 'function' ? entries : () => entries, of, into, all, notes)
}

/** What tar is given, in its order, each entry as it will be called. */
export function given(entries: readonly CatalogEntry[], { pieces }: VolumePlan): string[] {
  return pieces.flatMap(({ offset, bytes, renaming }) =>
    entries
      .filter((entry) => entry.offset >= offset && entry.offset < offset + bytes)
      .map(({ path }) => {
        if (renaming?.path) return `${path} as ${renaming.path.toString()}`
        return renaming?.link ? `${path} linked to ${renaming.link.toString()}` : path
      }),
  )
}

export async function extracted(entries: readonly CatalogEntry[], how: Case = {}): Promise<string[]> {
  return given(entries, await planOf(entries, how))
}

/** Directories in which what another host wrote lies for a while: how they are called, closed, and found again. */
import type { Argv } from '../context'
import type { Mount } from './mounts'

/** Says what it is to whoever comes upon it. */
export const SCRATCH_PREFIX = '.snapstream-drill-'
const NAME = /^\.snapstream-drill-[0-9a-f]{16}$/

export function isScratchName(name: string): boolean {
  return NAME.test(name)
}

/**
 * Mounts a directory over itself. What is in it then neither gives anybody rights, nor is a device, nor can be run, whatever
 * the modes say that it was backed up with.
 */
export function mountScratch(path: string): readonly [bind: Argv, restrict: Argv] {
  return [
    ['mount', '--bind', '--', path, path],
    ['mount', '--options', 'remount,bind,nosuid,nodev,noexec', '--', path],
  ]
}

export function unmountScratch(path: string): Argv {
  return ['umount', '--', path]
}

/** At once for whoever comes by its name, and for the rest when its last user has gone. */
export function unmountScratchLazily(path: string): Argv {
  return ['umount', '--lazy', '--', path]
}

export function removeScratch(path: string): Argv {
  return ['rm', '--recursive', '--force', '--one-file-system', '--', path]
}

/** Those of the mounts that are ours, by where they are: also where nobody knows any more which directory was asked for. */
export function findScratchMounts(mounts: readonly Mount[]): string[] {
  return mounts.map(({ target }) => target).filter((target) => isScratchName(target.slice(target.lastIndexOf('/') + 1)))
}

import type { Volume } from './selection'
import type { Argv } from '../io/deps'

/** Prints what a filesystem is made of. Reads the superblock only. */
export function describeFilesystem({ filesystem, device, mountPoint }: Volume): Argv {
  return filesystem === 'xfs' ? ['xfs_info', mountPoint] : ['dumpe2fs', '-h', device]
}

import type { Volume } from './select'
import type { Argv } from '../../context'

/** Prints what a filesystem is made of. Reads the superblock only. */
export function describeFilesystem({ filesystem, device, mountPoint }: Volume): Argv {
  return filesystem === 'xfs' ? ['xfs_info', mountPoint] : ['dumpe2fs', '-h', device]
}

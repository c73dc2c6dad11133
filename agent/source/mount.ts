import type { Argv } from '../context'

/** Read-only for everybody, the kernel's replay of the journal excepted. */
export function mountReadOnly(filesystem: string, device: string, mountPoint: string): Argv {
  const options = ['ro', 'nosuid', 'nodev', 'noexec']
  // The snapshot has the origin's id, and XFS refuses to mount one id twice.
  if (filesystem === 'xfs') options.push('nouuid')
  options.push('X-mount.mkdir=0700')
  const where = ['--source', device, '--target', mountPoint]
  return ['mount', '--types', filesystem, '--options', options.join(','), ...where]
}

export function umount(mountPoint: string): Argv {
  return ['umount', '--', mountPoint]
}

/** Takes it out of the mount table now, and unmounts it once nobody uses it any more. */
export function umountLazily(mountPoint: string): Argv {
  return ['umount', '--lazy', '--', mountPoint]
}

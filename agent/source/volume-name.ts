/** What volumes that have no name of their own are called in keys, and on the command line. */

/**
 * From a mount point: `/` is `root`, `/boot/efi` is `boot.efi`; bytes that are no letter, digit or underscore are told in
 * hexadecimal after two hyphens, with a plus sign before the first two where a name would begin with them: it might be taken for
 * an option, and readers reject it. No two mount points have the same name, and none has that of a logical volume: the device
 * mapper's names have a run of an odd number of hyphens, these have none.
 */
export function mountPointName(mountPoint: string): string {
  if (mountPoint === '/') return 'root'
  const parts = mountPoint.slice(1).split('/').map(escape)
  const name = parts.length === 1 && parts[0] === 'root' ? 'root--' : parts.join('.')
  return name.startsWith('-') ? `+${name}` : name
}

function escape(part: string): string {
  return part.replaceAll(/[^A-Za-z0-9_]/gu, (character) =>
    Array.from(
      new TextEncoder().encode(character),
      (byte) => `--${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
  )
}

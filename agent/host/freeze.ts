/** Which filesystems may be held still, by which commands, and by whom they are released should we be gone. */
import type { Argv } from '../context'
import type { Mount } from './mounts'

/** vfat and the filesystems of networks and memory refuse: FIFREEZE is not supported. btrfs has no source that would use it. */
const FREEZABLE = ['ext2', 'ext3', 'ext4', 'xfs']

/**
 * Who writes here must not wait: the agent, Systems Manager, the log, name lookup, and whoever logs in. What waits for one
 * of them waits for the thaw, and nothing but the thaw ends that, SIGKILL included.
 */
const ALWAYS_WRITABLE = [
  ...['/', '/dev', '/etc', '/etc/snapstream', '/root', '/run', '/tmp', '/usr'],
  ...['/var', '/var/cache', '/var/lib', '/var/log', '/var/run', '/var/spool', '/var/tmp'],
  ...[
    '/var/lib/amazon',
    '/var/lib/snapstream',
    '/var/lib/systemd',
    '/var/log/amazon',
    '/var/log/audit',
    '/var/log/journal',
  ],
] as const

/** To be asked of the host, as one of them may be a link to somewhere else. */
export function alwaysWritable(ofAgent: readonly string[]): readonly string[] {
  return [...ALWAYS_WRITABLE, ...ofAgent]
}

/** Where the paths lead, of which some need not exist: one each, with a zero byte at its end. */
export function realpath(paths: readonly string[]): Argv {
  return ['realpath', '--zero', '--canonicalize-missing', '--', ...paths]
}

/**
 * Whether a filesystem may be frozen: its type can be, and nothing lies on it that has to be written meanwhile. What is
 * frozen is a filesystem and not a mount, so that each of its mounts counts.
 *
 * @param writable - absolute paths without links
 */
export function mayFreeze(mountPoint: string, mounts: readonly Mount[], writable: readonly string[]): boolean {
  const mount = mounts.findLast(({ target }) => target === mountPoint)
  if (!mount || !FREEZABLE.includes(mount.filesystem)) return false
  return !holdsAny(['/', ...writable], mount.deviceNumber, mounts)
}

/** Whether one of the paths, without links, lies on that filesystem. */
export function holdsAny(paths: readonly string[], deviceNumber: string, mounts: readonly Mount[]): boolean {
  return paths.some((path) => holderOf(path, mounts)?.deviceNumber === deviceNumber)
}

/** The innermost mount that a path lies on; the last one where several cover each other. */
function holderOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  const above = mounts.filter(({ target }) => target === '/' || path === target || path.startsWith(`${target}/`))
  const depth = Math.max(...above.map(({ target }) => target.length))
  return above.findLast(({ target }) => target.length === depth)
}

/** Deepest first: what is mounted in a filesystem has its mount point there. Freezing only reads on the way to it. */
export function inFreezingOrder(mountPoints: readonly string[]): string[] {
  return mountPoints.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1))
}

export function syncFilesystem(mountPoint: string): Argv {
  return ['sync', '--file-system', mountPoint]
}

export function fsfreeze(mountPoint: string): Argv {
  return ['fsfreeze', '--freeze', mountPoint]
}

export function fsthaw(mountPoint: string): Argv {
  return ['fsfreeze', '--unfreeze', mountPoint]
}

/** Succeeds where systemd is process 1 (sd_booted(3)): without it nothing is frozen. */
export const FIND_SYSTEMD: Argv = ['test', '-d', '/run/systemd/system']

const THAW_UNIT = 'snapstream-thaw'
const DESCRIPTION = 'Snapstream: thaws '

/** Of a timer of ours: it thaws one filesystem. @param id - of hexadecimal digits; no other unit has it */
export function thawUnitName(id: string): string {
  return `${THAW_UNIT}-${id}`
}

/**
 * Has systemd thaw a filesystem later, whatever has become of us; a second time, should the freezing itself have taken so
 * long that the first came before it. Thawing what is not frozen does nothing.
 */
export function thawLater(unit: string, mountPoint: string, seconds: number): Argv {
  return [
    'systemd-run',
    // What fails is forgotten, too.
    ...['--quiet', '--collect', `--unit=${unit}`, `--description=${DESCRIPTION}${mountPoint}`],
    `--on-active=${seconds}s`,
    // A timer may be a minute late unless told (systemd.timer(5)).
    ...[`--timer-property=OnActiveSec=${SECOND_THAW * seconds}s`, '--timer-property=AccuracySec=100ms'],
    // Whoever starts it waits for its end.
    ...['--property=Type=oneshot', '--'],
    // systemd would put the values of variables in their places.
    ...(fsthaw(mountPoint).map((word) => word.replaceAll('$', '$$$$')) as [string, ...string[]]),
  ]
}

/** Times the deadline (design limit). */
const SECOND_THAW = 4

/** Succeeds, or ends with 5 where neither is there any more. */
export function stopThaw(unit: string): Argv {
  return ['systemctl', 'stop', `${unit}.timer`, `${unit}.service`]
}

export function thawNow(unit: string): Argv {
  return ['systemctl', 'start', `${unit}.service`]
}

export const LIST_THAWS: Argv = [
  ...(['systemctl', 'list-units', '--all', '--full', '--plain', '--no-legend', '--no-pager'] as const),
  `${THAW_UNIT}-*.timer`,
]

/** A filesystem that somebody has frozen who may be gone. */
export interface PendingThaw {
  readonly unit: string
  readonly mountPoint: string
}

/** @param text - what `LIST_THAWS` prints; a line that is not understood counts for nothing */
export function parseThaws(text: string): PendingThaw[] {
  const line = new RegExp(`^\\W*(${THAW_UNIT}-[0-9a-f]+)\\.timer .*?${DESCRIPTION}(/.*)$`, 'gm')
  return Array.from(text.matchAll(line), ([, unit = '', mountPoint = '']) => ({
    unit,
    mountPoint: mountPoint.trimEnd(),
  }))
}

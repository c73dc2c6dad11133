/** How a filesystem is read in place: the commands, and where what was read is kept. */
import { MOUNT_ROOT } from '../../contract'
import type { Argv } from '../../context'
import { AgentError } from '../../errors'
import { formatBytes } from '../../lib/text'
import { excludesWithin, tarCreate } from '../../tar/commands'
import type { SnapshotPlan, SnapshotRequest } from '../source'
import type { QuietVolume } from './claim'
import type { QuietSource } from './record'

/** One filesystem that is read in place. */
export interface QuietPlan extends SnapshotPlan {
  readonly origin: QuietVolume
  readonly source: QuietSource
  readonly run: string
  /** A filesystem in memory is mounted there, for what was read. */
  readonly memory: string
}

/** @param isFreezable - whether a volume may be frozen, as far as that is known before it is */
export function planReading(
  volumes: readonly QuietVolume[],
  { run, exclude, tags }: Pick<SnapshotRequest, 'run' | 'exclude' | 'tags'>,
  isFreezable: (volume: QuietVolume) => boolean,
): QuietPlan[] {
  return volumes.map((origin) => {
    const mountPoint = `${MOUNT_ROOT}/${run}/${origin.volume}`
    const frozen = isFreezable(origin)
    return {
      ...{ origin, run, mountPoint },
      // No volume is called so: see `mountPointName`, and the device mapper's names, which have an odd number of hyphens.
      memory: `${mountPoint}--memory`,
      tar: tarCreate(mountPoint, excludesWithin(origin.mountPoint, exclude), tags),
      source: { kind: 'quiet', consistency: frozen ? 'frozen' : 'stable-read' },
      originName: origin.device,
      description: frozen ? 'read in place, frozen' : 'read in place until two readings agree',
    }
  })
}

/** Shows a filesystem without what is mounted in it. Read-only, so that reading changes no times of access. */
export function bindMount({ origin, mountPoint }: QuietPlan): Argv {
  const options = 'bind,ro,nosuid,nodev,noexec,X-mount.mkdir=0700'
  return ['mount', '--options', options, '--source', origin.mountPoint, '--target', mountPoint]
}

/** What tar writes besides content: of many small files more than their content. It takes only as much memory as is used. */
const OVERHEAD_BYTES = 64 * 1024 ** 2
/** For the rest of the backup, and everything else on the host (design limit). */
const RESERVED_BYTES = 128 * 1024 ** 2

export function mountMemory({ memory, origin }: QuietPlan): Argv {
  const sizeBytes = Math.ceil(origin.usedBytes * 1.25) + OVERHEAD_BYTES
  const options = `size=${sizeBytes},mode=0700,nosuid,nodev,noexec,X-mount.mkdir=0700`
  return ['mount', '--types', 'tmpfs', '--options', options, '--source', 'snapstream', '--target', memory]
}

export function fileOf({ memory }: QuietPlan): string {
  return `${memory}/tar`
}

/**
 * Writes the archive into memory: past the agent, which would be slower, and hold up whoever waits for a frozen filesystem.
 *
 * In a list of processes of its own: tar puts its process id into the headers of sparse files, and two readings of the same would
 * differ.
 */
export function tarIntoMemory(plan: QuietPlan): Argv {
  const tar = plan.tar.map((word) => (word === '--file=-' ? `--file=${fileOf(plan)}` : word))
  return ['unshare', '--pid', '--fork', '--kill-child', '--', ...tar]
}

export function sha256sum(plan: QuietPlan): Argv {
  return ['sha256sum', '--', fileOf(plan)]
}

export const MEMINFO: Argv = ['cat', '/proc/meminfo']

/** @returns 0 where it does not say */
export function parseAvailableBytes(meminfo: string): number {
  return Number(/^MemAvailable:\s*(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024
}

/** @throws AgentError SNAPSHOT_SPACE */
export function assertMemory(mountPoints: readonly string[], usedBytes: number, availableBytes: number): void {
  if (availableBytes >= usedBytes + RESERVED_BYTES) return
  throw new AgentError(
    'SNAPSHOT_SPACE',
    `${mountPoints.join(', ')} ${mountPoints.length === 1 ? 'is' : 'are'} kept in memory when read, ${formatBytes(usedBytes)}: ` +
      `${formatBytes(availableBytes)} are available, of which ${formatBytes(RESERVED_BYTES)} stay free`,
    {
      hint: `Back up when the host is less busy, add memory, or leave out what is largest: --exclude-volumes ${mountPoints[0] ?? ''}.`,
    },
  )
}

/** By how many are in memory at one time. */
export function planWaves(plans: readonly QuietPlan[], bytesMax: number): QuietPlan[][] {
  const waves: QuietPlan[][] = []
  let usedBytes = Infinity
  for (const plan of plans) {
    usedBytes += plan.origin.usedBytes
    if (usedBytes > bytesMax) {
      waves.push([])
      usedBytes = plan.origin.usedBytes
    }
    waves.at(-1)?.push(plan)
  }
  return waves
}

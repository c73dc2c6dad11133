/** Whether a differential archive of a volume may be made by the index of its base. */
import type { IndexHeader } from './index.io'

/** What the index must be of, as the volume is now. */
export interface VolumeNow extends Pick<
  IndexHeader,
  'host' | 'class' | 'run' | 'volume' | 'uuid' | 'filesystem' | 'mountPoint' | 'excludes' | 'tags'
> {
  readonly compression: IndexHeader['archive']['compression']
  /** When its snapshot was taken. */
  readonly takenAt: Date
  /** How long a base serves. */
  readonly fullEverySeconds: number
}

/** Runs of a schedule are not on the second: a base may be younger by this share of its time, and be too old all the same. */
const EARLIER_SHARE = 1 / 24
const DAY_SECONDS = 86_400

/** The first reason why it may not, in words that end a sentence. */
export function findObstacle(base: IndexHeader, now: VolumeNow): string | undefined {
  for (const [field, what] of [
    ['host', 'host'],
    ['class', 'class'],
    ['volume', 'volume'],
  ] as const) {
    if (base[field] !== now[field]) return `its index is of another ${what}: '${base[field]}'`
  }
  if (now.uuid === '') return 'its filesystem has no UUID to be known by'
  if (base.uuid !== now.uuid || base.filesystem !== now.filesystem)
    return 'it is another filesystem than at its last full archive'
  if (base.mountPoint !== now.mountPoint) return `it was mounted at ${base.mountPoint} at its last full archive`
  if (base.excludes.join('\0') !== now.excludes.join('\0'))
    return 'other paths are excluded than at its last full archive'
  if (base.tags.caches !== now.tags.caches)
    return `its last full archive was made ${base.tags.caches ? 'with' : 'without'} --exclude-caches`
  if (base.tags.names.join('\0') !== now.tags.names.join('\0'))
    return 'its last full archive had other names for --exclude-if-present'
  if (base.archive.compression !== now.compression)
    return `its last full archive has the compression '${base.archive.compression}'`
  return findInTime(base, now)
}

function findInTime(base: IndexHeader, { run, takenAt, fullEverySeconds }: VolumeNow): string | undefined {
  const ageSeconds = (takenAt.getTime() - Date.parse(base.takenAt)) / 1000
  // Nobody knows then which of the two clocks the times of files are by.
  if (!(ageSeconds > 0) || base.run >= run)
    return `by the clock of this host, its last full archive is of the future: ${base.takenAt}`
  if (ageSeconds < fullEverySeconds * (1 - EARLIER_SHARE)) return undefined
  return `its last full archive is ${describeAge(ageSeconds)} old (--full-every)`
}

function describeAge(seconds: number): string {
  return seconds < 2 * DAY_SECONDS ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / DAY_SECONDS)} days`
}

/** What of a run to restore: which volumes, which entries of them, and which bytes of the archives that takes. */
import { AgentError } from '../errors'
import type { Archive } from '../archive/archive'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { planReads, type FrameTable } from '../archive/frame-reads'
import { chooseVolumes } from '../run/volumes'
import { type RawRange, type Piece, isWithin, pathOnHost } from '../tar/entry'

/** What is wanted of one volume. */
export interface VolumeSelection {
  readonly volume: VolumeBackup
  /** Paths as the catalog has them; empty for the whole volume. */
  readonly paths: readonly string[]
  /** Directories of the volume on which others were mounted, as the catalog has them. */
  readonly mountPoints: readonly string[]
  /** Those of them whose volumes are restored too: what was hidden below them must not show among what is in those. */
  readonly restoredMountPoints: readonly string[]
}

/**
 * Finds the volumes that hold the given paths. A directory brings the volumes that were mounted below it too.
 *
 * @param paths - as on the host; relative ones are within the volume, of which there has to be one then
 * @throws AgentError UNKNOWN_VOLUME, USAGE, UNKNOWN_PATH where a path is on none of the volumes
 */
export function resolveSelection(
  manifest: Manifest,
  volumes: readonly string[],
  paths: readonly string[],
): VolumeSelection[] {
  const chosen = chooseVolumes(manifest, volumes)
  const want = (volume: VolumeBackup, own: readonly string[]): VolumeSelection => ({
    volume,
    paths: own,
    mountPoints: mountPointsOn(volume, [...manifest.volumes, ...findAbsent(manifest)]),
    restoredMountPoints: mountPointsOn(volume, chosen),
  })
  if (paths.length === 0) return chosen.map((volume) => want(volume, []))
  const wanted = paths.map((path) => (path.startsWith('/') ? path : absolutePath(chosen, path)))
  for (const path of wanted) {
    const holders = chosen.filter((volume) => holds(chosen, volume, path))
    const absent = findAbsent(manifest).find(({ mountPoint }) => isWithin(path, mountPoint))
    // The volume below has only the empty mount point: to bring that back would be no restore.
    if (absent && holders.every(({ mountPoint }) => isWithin(absent.mountPoint, mountPoint))) {
      throw notBackedUp(manifest, path, `${absent.mountPoint} ${absent.why}.`)
    }
    if (holders.length === 0) {
      throw notBackedUp(
        manifest,
        path,
        `The run has ${manifest.volumes.map(({ mountPoint }) => mountPoint).join(', ')}.`,
      )
    }
  }
  return chosen.flatMap((volume) => {
    const own = wanted.filter((path) => holds(chosen, volume, path))
    if (own.length === 0) return []
    const whole = own.some((path) => isWithin(volume.mountPoint, path))
    return [want(volume, whole ? [] : own.map((path) => relativePath(volume, path)))]
  })
}

function mountPointsOn(volume: VolumeBackup, others: readonly { readonly mountPoint: string }[]): string[] {
  return others
    .map(({ mountPoint }) => mountPoint)
    .filter((mountPoint) => mountPoint !== volume.mountPoint && isWithin(mountPoint, volume.mountPoint))
    .map((mountPoint) => relativePath(volume, mountPoint))
}

/** A path of one volume is within another that is mounted below it only if that one was not backed up. */
function holds(volumes: readonly VolumeBackup[], volume: VolumeBackup, path: string): boolean {
  if (isWithin(volume.mountPoint, path)) return true
  if (!isWithin(path, volume.mountPoint)) return false
  return !volumes.some(
    (other) => other.mountPoint.length > volume.mountPoint.length && isWithin(path, other.mountPoint),
  )
}

function absolutePath(chosen: readonly VolumeBackup[], path: string): string {
  const [volume, ...others] = chosen
  if (volume && others.length === 0) return pathOnHost(volume.mountPoint, path)
  throw new AgentError('USAGE', `'${path}' is relative, and there are ${chosen.length} volumes it could be on`, {
    hint: 'Give the path as it was on the host, starting with a slash, or name one volume with --volume.',
  })
}

function relativePath({ mountPoint }: VolumeBackup, path: string): string {
  return path.slice(mountPoint === '/' ? 1 : mountPoint.length + 1)
}

/** What is fetched and extracted of one volume. */
export interface VolumePlan {
  readonly volume: VolumeBackup
  readonly pieces: readonly Piece[]
  readonly entries: number
  /** What the entries take on the target. */
  readonly sizeBytes: number
  readonly fetch: { readonly requests: number; readonly bytes: number; readonly segments: readonly number[] }
}

/** Counts what fetching these pieces costs. */
export function planFetch(archive: Archive, table: FrameTable, pieces: readonly RawRange[]): VolumePlan['fetch'] {
  let requests = 0
  let bytes = 0
  const segments = new Set<number>()
  for (const read of planReads(archive, table, pieces)) {
    requests++
    bytes += read.bytes
    segments.add(read.segment)
  }
  return { requests, bytes, segments: [...segments] }
}

/** What was mounted on the host and is not in the run. */
export interface Absent {
  readonly mountPoint: string
  readonly why: string
  /** It should have been backed up. */
  readonly failed: boolean
}

/** The longest mount points first. */
function findAbsent({ failures, notBackedUp }: Manifest): Absent[] {
  return [
    ...failures.map(({ mountPoint, message }) => ({
      mountPoint,
      why: `failed to be backed up: ${message}`,
      failed: true,
    })),
    ...notBackedUp.map(({ mountPoint, reason }) => ({
      mountPoint,
      why: `was not backed up: ${reason}`,
      failed: false,
    })),
  ].sort((a, b) => b.mountPoint.length - a.mountPoint.length)
}

/** What of that was asked for with these options: with all of a host, or with a directory above it. */
export function findWantedAbsent(manifest: Manifest, volumes: readonly string[], paths: readonly string[]): Absent[] {
  if (volumes.length > 0) return []
  return findAbsent(manifest).filter(
    ({ mountPoint }) => paths.length === 0 || paths.some((path) => isWithin(mountPoint, path)),
  )
}

/** A volume that was backed up with warnings: it is not all there, however well it is restored. */
export interface Warned extends Pick<VolumeBackup, 'mountPoint' | 'warnings'> {
  /** All of the volume is wanted, and so what the warnings name. */
  readonly isWhole: boolean
}

export function findWarned(wanted: readonly VolumeSelection[]): Warned[] {
  return wanted.flatMap(({ volume: { mountPoint, warnings }, paths }) =>
    warnings ? [{ mountPoint, warnings, isWhole: paths.length === 0 }] : [],
  )
}

function notBackedUp(manifest: Manifest, path: string, hint: string): AgentError {
  return new AgentError('UNKNOWN_PATH', `'${path}' is on no volume of run ${manifest.run}`, { hint })
}

/** What of a run to restore: which volumes, and which paths of them. */
import { AgentError } from '../errors'
import type { Told } from '../outcome'
import type { restoreOutput } from './output-schema'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { chooseVolumes } from '../run/volumes'
import { isWithin, pathOnHost } from '../tar/entry'
import type { Sample } from '../verify/sample'

/** What is wanted of one volume. */
export interface VolumeSelection {
  readonly volume: VolumeBackup
  /** Paths as the catalog has them; empty for the whole volume. */
  readonly paths: readonly string[]
  /** Directories of the volume on which others were mounted, as the catalog has them. */
  readonly mountPoints: readonly string[]
  /** Those of them whose volumes are restored too: what was hidden below them must not show among what is in those. */
  readonly restoredMountPoints: readonly string[]
  /** Present where only this part of it is wanted. */
  readonly share?: Sample
}

/** What was asked for, and what of that the run itself lacks. */
export interface Selection {
  readonly volumes: readonly VolumeSelection[]
  readonly absent: readonly MissingVolume[]
  readonly warned: readonly WarnedVolume[]
}

/**
 * Finds the volumes that hold the given paths. A directory brings the volumes that were mounted below it too.
 *
 * @param paths - as on the host; relative ones are within the volume, of which there has to be one then
 * @throws AgentError UNKNOWN_VOLUME, USAGE, UNKNOWN_PATH where a path is on none of the volumes
 */
export function resolveSelection(manifest: Manifest, names: readonly string[], paths: readonly string[]): Selection {
  const chosen = chooseVolumes(manifest, names)
  const wanted = paths.map((path) => (path.startsWith('/') ? path : absolutePath(chosen, path)))
  for (const path of wanted) assertHeld(manifest, chosen, path)
  const volumes = chosen.flatMap((volume) => {
    const own = wanted.filter((path) => holds(chosen, volume, path))
    if (own.length === 0 && paths.length > 0) return []
    const isWhole = own.length === 0 || own.some((path) => isWithin(volume.mountPoint, path))
    return {
      volume,
      paths: isWhole ? [] : own.map((path) => relativePath(volume, path)),
      mountPoints: mountPointsOn(volume, [...manifest.volumes, ...findMissing(manifest)]),
      restoredMountPoints: mountPointsOn(volume, chosen),
    }
  })
  const isAskedFor = ({ mountPoint }: MissingVolume): boolean =>
    names.length === 0 && (paths.length === 0 || paths.some((path) => isWithin(mountPoint, path)))
  return { volumes, absent: findMissing(manifest).filter(isAskedFor), warned: volumes.flatMap(findWarned) }
}

/** @throws AgentError UNKNOWN_PATH */
function assertHeld(manifest: Manifest, chosen: readonly VolumeBackup[], path: string): void {
  const holders = chosen.filter((volume) => holds(chosen, volume, path))
  const missing = findMissing(manifest).find(({ mountPoint }) => isWithin(path, mountPoint))
  // The volume below has only the empty mount point: to bring that back would be no restore.
  if (missing && holders.every(({ mountPoint }) => isWithin(missing.mountPoint, mountPoint))) {
    throw notBackedUp(manifest, path, `${missing.mountPoint} ${missing.why}.`)
  }
  if (holders.length > 0) return
  throw notBackedUp(manifest, path, `The run has ${manifest.volumes.map(({ mountPoint }) => mountPoint).join(', ')}.`)
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

/** What was mounted on the host and is not in the run. */
export type MissingVolume = Told<typeof restoreOutput>['absent'][number]

/** The longest mount points first. */
function findMissing({ failures, notBackedUp }: Manifest): MissingVolume[] {
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

/** A volume that was backed up with warnings: it is not all there, however well it is restored. */
export type WarnedVolume = Told<typeof restoreOutput>['warned'][number]

function findWarned({ volume: { mountPoint, warnings }, paths }: VolumeSelection): WarnedVolume[] {
  return warnings ? [{ mountPoint, warnings, isWhole: paths.length === 0 }] : []
}

function notBackedUp(manifest: Manifest, path: string, hint: string): AgentError {
  return new AgentError('UNKNOWN_PATH', `'${path}' is on no volume of run ${manifest.run}`, { hint })
}

import { AgentError } from '../errors'
import type { Manifest, VolumeBackup } from './manifest'
import { findNearest } from '../lib/nearest'

/**
 * The volumes of a run with these mount points or device-mapper names, in the run's order; all of them if none is given.
 *
 * @throws AgentError UNKNOWN_VOLUME, with the one that was probably meant
 */
export function chooseVolumes(manifest: Manifest, wanted: readonly string[]): readonly VolumeBackup[] {
  for (const name of wanted)
    if (!manifest.volumes.some((volume) => isNamed(volume, name))) throw unknown(manifest, name)
  return findVolumes(manifest, wanted)
}

/** As `chooseVolumes`, of those names that the run has. */
export function findVolumes(manifest: Manifest, wanted: readonly string[]): readonly VolumeBackup[] {
  if (wanted.length === 0) return manifest.volumes
  return manifest.volumes.filter((volume) => wanted.some((name) => isNamed(volume, name)))
}

export function isNamed({ volume, mountPoint }: VolumeBackup, name: string): boolean {
  return name === mountPoint || name === volume
}

function unknown(manifest: Manifest, name: string): AgentError {
  const failure = manifest.failures.find((failed) => failed.mountPoint === name || failed.volume === name)
  const left = manifest.notBackedUp.find((other) => other.mountPoint === name)
  const known = manifest.volumes.map(({ mountPoint }) => mountPoint)
  const near = findNearest(name, known)
  const why = failure
    ? `Its backup failed: ${failure.message}. `
    : left
      ? `It was not backed up: ${left.reason}. `
      : near === undefined
        ? ''
        : `Did you mean ${near}? `
  return new AgentError('UNKNOWN_VOLUME', `run ${manifest.run} has no volume '${name}'`, {
    hint: `${why}The run has ${known.join(', ') || 'no volume'}.`,
  })
}

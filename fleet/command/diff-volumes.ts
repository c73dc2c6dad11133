/** Which filesystems of two runs can be compared. */
import type { Manifest, VolumeBackup } from '../../agent/run/manifest'

export interface VolumePair {
  readonly before: VolumeBackup
  readonly after: VolumeBackup
}

export interface NotCompared {
  readonly mountPoint: string
  readonly reason: string
}

/**
 * By where they are mounted: names of volumes change when a host is built again.
 *
 * @param chosenOld - of the earlier run, those that are asked for
 * @param chosenYoung - of the later one
 */
export function pairVolumes(
  old: Manifest,
  young: Manifest,
  chosenOld: readonly VolumeBackup[],
  chosenYoung: readonly VolumeBackup[],
): { readonly pairs: VolumePair[]; readonly notCompared: NotCompared[] } {
  const pairs: VolumePair[] = []
  const notCompared: NotCompared[] = []
  for (const before of chosenOld) {
    const after = chosenYoung.find(({ mountPoint }) => mountPoint === before.mountPoint)
    if (after) pairs.push({ before, after })
    else notCompared.push({ mountPoint: before.mountPoint, reason: whyMissing(young, before) })
  }
  for (const after of chosenYoung) {
    if (chosenOld.some(({ mountPoint }) => mountPoint === after.mountPoint)) continue
    notCompared.push({ mountPoint: after.mountPoint, reason: whyMissing(old, after) })
  }
  // What neither has is no change, and not nothing either.
  for (const { mountPoint } of young.failures) {
    if (old.failures.some((failure) => failure.mountPoint === mountPoint)) {
      notCompared.push({ mountPoint, reason: 'its backup failed in both runs' })
    }
  }
  return { pairs, notCompared }
}

function whyMissing({ run, failures }: Manifest, { mountPoint, archive }: VolumeBackup): string {
  const failure = failures.find((failed) => failed.mountPoint === mountPoint)
  if (failure) return `its backup failed in ${run}: ${failure.message}`
  return `${run} does not have it; the other run has ${archive.entries} entries of it`
}

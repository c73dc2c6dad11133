import type { HostFilesystems } from '../../host/mounts'
import { formatBytes } from '../../lib/text'
import type { SnapshotRequest, Space, Survey, Volume } from '../source'
import { claimFilesystem, FILESYSTEMS, type LvmVolume } from './claim'
import { planSnapshots, type LvmPlan } from './plan'
import type { LvmState } from './reports'

/** What LVM can do for a host, by its reports. */
export function surveyLvm(state: LvmState, filesystems: HostFilesystems): Survey {
  return {
    kind: 'lvm',
    absence: () => 'not on LVM',
    volumes: `a logical volume of LVM with a mounted ${FILESYSTEMS.slice(0, -1).join(', ')} or ${FILESYSTEMS.at(-1) ?? ''} filesystem`,
    claim: (found) => claimFilesystem(state.logicalVolumes, filesystems, found),
    plan: (volumes, request) => planSnapshots(state, volumes as readonly LvmVolume[], request),
    spaces: (volumes) => spacesOf(state, volumes),
  }
}

/** By volume group. */
function spacesOf(state: LvmState, volumes: readonly Volume[]): Space[] {
  const groups = Map.groupBy(volumes as readonly LvmVolume[], ({ group }) => group)
  return Array.from(groups, ([name, ofGroup]) => ({
    name,
    describe(request: SnapshotRequest) {
      const freeBytes = state.groups.find((group) => group.name === name)?.freeBytes ?? 0
      return describeSnapshots(planSnapshots(state, ofGroup, request), freeBytes)
    },
  }))
}

function describeSnapshots(plans: readonly LvmPlan[], freeBytes: number): string {
  const thick = plans.filter(({ source }) => source.snapshot.type === 'thick')
  const thin = plans.length - thick.length
  const reserved = thick.reduce((bytes, { source }) => bytes + source.snapshot.sizeBytes, 0)
  return [
    ...(thick.length > 0
      ? [`${thick.length} thick, taking ${formatBytes(reserved)} of ${formatBytes(freeBytes)} free`]
      : []),
    ...(thin > 0 ? [`${thin} thin`] : []),
  ].join(', ')
}

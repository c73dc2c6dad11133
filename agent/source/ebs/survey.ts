import type { HostFilesystems } from '../../host/mounts'
import { onPage } from '../../pages'
import { reasonAgainst } from '../filesystems'
import type { Space, Survey, Volume } from '../source'
import { claimFilesystem, findPlace, freeSlots, FILESYSTEMS, type EbsFilesystem, type EbsState } from './claim'
import { planSnapshots } from './plan'

const VOLUMES = `a mounted ${FILESYSTEMS.slice(0, -1).join(', ')} or ${FILESYSTEMS.at(-1) ?? ''} filesystem on a disk of EBS`

/** Where snapshots of EBS cannot be taken. @param why - `ec2:CreateSnapshots is denied`; undefined where this is no instance of EC2 */
export function surveyNothing(why?: string): Survey {
  const absence = why === undefined ? 'not on EBS' : `no snapshot of EBS: ${why} (${onPage('ebs')})`
  return {
    kind: 'ebs',
    absence: () => absence,
    volumes: VOLUMES,
    claim: () => undefined,
    plan: () => [],
    spaces: () => [],
  }
}

/** The same on a host that has been backed up through EBS before: that it is not any more must not pass unnoticed. */
export function surveyObstructed(why: string, { devices }: HostFilesystems, runsDirectory: string): Survey {
  return {
    ...surveyNothing(why),
    claim(found) {
      const device = devices.find(({ deviceNumber }) => deviceNumber === found.mount.deviceNumber)
      const isOnDisk = device?.type === 'disk' || device?.type === 'part'
      if (!isOnDisk || reasonAgainst(found, FILESYSTEMS) !== undefined) return undefined
      const remedy = `See ${onPage('ebs')}; should this host no longer use EBS, remove ${runsDirectory}`
      return { unfit: `its snapshot in EBS cannot be taken: ${why}`, remedy }
    },
  }
}

export function surveyEbs(state: EbsState, filesystems: HostFilesystems): Survey {
  return {
    kind: 'ebs',
    absence(found) {
      const place = findPlace(state, found)
      return 'absence' in place ? place.absence : 'on a disk of EBS'
    },
    volumes: VOLUMES,
    claim: (found) => claimFilesystem(state, filesystems, found),
    plan: (volumes, request) => planSnapshots(state, volumes as readonly EbsFilesystem[], request),
    spaces: (volumes) => spacesOf(state, volumes),
  }
}

/** They take no space of the host's; but each disk is attached a second time. */
function spacesOf(state: EbsState, volumes: readonly Volume[]): Space[] {
  if (volumes.length === 0) return []
  const disks = new Set((volumes as readonly EbsFilesystem[]).map(({ volumeId }) => volumeId)).size
  const free = freeSlots(state)
  const room = free === undefined ? 'EC2 does not say how many can be attached' : `${free} more can be attached`
  return [{ name: state.instance.instanceId, describe: () => `snapshots of ${disks} disks of EBS; ${room}` }]
}

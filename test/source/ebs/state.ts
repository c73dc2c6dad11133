/** An instance of EC2, as data: a root disk with three partitions, a data disk, and what a test adds. */
import { parseDisks, parseSysfs } from '../../../agent/source/ebs/disks'
import type { EbsState } from '../../../agent/source/ebs/claim'
import type { HostFilesystems, Mount } from '../../../agent/host/mounts'

export const ROOT = 'vol-00000000000000001'
export const DATA = 'vol-00000000000000002'
export const ARN = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890'

const node = (kname: string, number: string, type: string, ...children: readonly object[]) => ({
  ...{ name: kname, kname, 'maj:min': number, type, size: 2 ** 30, children },
})
const crypt = node('dm-0', '253:0', 'crypt')
const raid = node('md0', '9:0', 'raid1')
const DEVICES = [
  node('nvme0n1', '259:0', 'disk', ...[1, 2, 3].map((part) => node(`nvme0n1p${part}`, `259:${part}`, 'part'))),
  node('nvme1n1', '259:10', 'disk'),
  node('nvme2n1', '259:20', 'disk', node('nvme2n1p1', '259:21', 'part', crypt)),
  node('nvme3n1', '259:30', 'disk', raid),
  node('nvme4n1', '259:40', 'disk', raid),
  node('nvme5n1', '259:50', 'disk'), // instance store
  node('nvme6n1', '259:60', 'disk', node('nvme6n1p1', '259:61', 'part'), node('nvme6n1p2', '259:62', 'part')), // a part is LVM's
  node('xvdf', '202:80', 'disk'),
]
const serialOf = (index: number) => `vol0000000000000000${index}`
const SYSFS = [
  ...[0, 1, 2, 3, 4, 6].map((disk) => `/sys/class/block/nvme${disk}n1/device/serial:${serialOf(disk + 1)}`),
  '/sys/class/block/nvme5n1/device/serial:AWS22222222222222222',
  ...[1, 2, 3].map((part) => `/sys/class/block/nvme0n1p${part}/partition:${part}`),
].join('\n')

export function ebsState(changes: Partial<EbsState> = {}): EbsState {
  const volumes = [1, 2, 3, 4, 5, 7].map((index) => ({
    volumeId: `vol-0000000000000000${index}`,
    deviceName: index === 1 ? '/dev/xvda' : `/dev/sd${'efghijk'[index] ?? 'z'}`,
  }))
  return {
    instance: {
      ...{ instanceId: 'i-0abc1234def567890', arn: ARN, region: 'eu-west-1' },
      ...{ zone: 'eu-west-1b', instanceType: 'm7i.large' },
    },
    facts: { rootVolumeId: ROOT, volumes, networkInterfaces: 1 },
    limit: { attachmentsMax: 27, shared: false },
    disks: { devices: parseDisks(JSON.stringify({ blockdevices: DEVICES })), ...parseSysfs(SYSFS) },
    physicalVolumes: ['nvme6n1p2'],
    ...{ ownVolumes: [], ownSnapshots: [] },
    ...changes,
  }
}

/** @param target - `/srv` unless told */
export function mounted(deviceNumber: string, changes: Partial<Mount> = {}): HostFilesystems {
  const mount: Mount = {
    ...{ target: '/srv', source: '/dev/root', filesystem: 'ext4', options: 'rw', root: '/', uuid: 'u-1' },
    ...{ deviceNumber, ...changes },
  }
  return { mounts: [mount], devices: [], usedBytes: new Map([['/dev/root', 4096]]) }
}

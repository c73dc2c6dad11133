/**
 * A host without LVM, as most EC2 instances are: a disk with partitions for the boot loader, /boot and everything else, and
 * a disk for data. What stands for EC2 takes the snapshots, and plugs copies of the disks in.
 */
import { guestEndpoint, type RunningServer } from '../test/servers'
import { startEc2, type RunningEc2 } from '../test/servers/ec2'
import type { ActionName } from '../test/servers/ec2/actions'
import { askEc2, type Ec2Answer } from '../test/servers/ec2/ask'
import { OWNER } from '../test/servers/ec2/snapshots'
import { findDisk } from '../test/guest/ebs-disks'
import { bootGuest, type Guest } from '../test/guest/guest'
import { serveMetadata } from '../test/support/metadata-service'
import type { DemoHost, DemoVolume } from './host'

interface EbsVolume extends DemoVolume {
  /** Index of its disk. */
  readonly disk: number
  /** On that, where it has any. */
  readonly partition?: number
}

const MIB = 1024 * 1024

const VOLUMES: readonly EbsVolume[] = [
  {
    ...{ name: 'system', filesystem: 'xfs', mountPoint: '/srv/host', disk: 0, partition: 3, live: true, sizeMiB: 700 },
    filled: { from: ['/etc', '/usr/bin', '/usr/share'], bytes: 60 * MIB, files: 2500 },
  },
  {
    ...{ name: 'boot', filesystem: 'ext4', mountPoint: '/srv/host/boot', disk: 0, partition: 2, live: false },
    sizeMiB: 150,
    filled: { from: ['/usr/lib/git-core'], bytes: 20 * MIB, files: 200 },
  },
  {
    ...{ name: 'esp', filesystem: 'vfat', mountPoint: '/srv/host/boot/efi', disk: 0, partition: 1, live: false },
    sizeMiB: 64,
  },
  { name: 'db', filesystem: 'ext4', mountPoint: '/srv/db', disk: 1, live: true, sizeMiB: 600 },
]

const MEMORY_MIB = 1024
const RESTORED_MIB = 2048
const [REGION, ZONE] = ['us-east-1', 'us-east-1a']
/** The demo's own snapshots bear this tag, and no other. */
const TRUTH = 'demo:truth'
const STATE = { held: '/run/demo/held', go: '/run/demo/go' } as const

export async function bootEbsHost(server: RunningServer): Promise<DemoHost> {
  await using started = new AsyncDisposableStack()
  const guest = await bootGuest({ memoryMiB: MEMORY_MIB, disksMiB: [RESTORED_MIB], systemd: true })
  started.defer(() => guest.stop())
  const ec2 = started.use(await startEc2({ credentials: server }))
  const instance = await ec2.launch({ machine: guest, volumes: [{ sizeGiB: 1 }, { sizeGiB: 1 }] })
  const document = {
    ...{ region: REGION, availabilityZone: ZONE, accountId: OWNER },
    ...{ instanceId: instance.id, instanceType: 't3.small' },
  }
  const metadata = started.use(await serveMetadata({ region: REGION, document: JSON.stringify(document) }))
  const all = started.move()
  const disks = await Promise.all(instance.volumeIds.map((id) => findDisk(guest, id)))
  const truth = new Map<string, string>()
  return {
    ...{ name: 'host-without-lvm', title: 'without LVM', guest, volumes: VOLUMES },
    agentOptions: ['--ec2-endpoint-url', guestEndpoint(ec2)],
    agentEnvironment: { AWS_EC2_METADATA_SERVICE_ENDPOINT: guestEndpoint({ endpoint: metadata.url }) },
    truthCommands: [`: > ${STATE.held}`, `until [ -e ${STATE.go} ]; do sleep 0.05; done`],
    async whileHeld() {
      await guest.run(['sh', '-c', `until [ -e ${STATE.held} ]; do sleep 0.1; done`], { timeoutSeconds: 120 })
      for (const [index, id] of (await takeTruth(ec2, instance.id)).entries()) truth.set(String(index), id)
      await guest.run(['touch', STATE.go])
    },
    makeVolumes: () => makeVolumes(guest, disks),
    mountTruth: async (volume) => mountTruth(guest, ec2, instance.id, truth, volume as EbsVolume),
    makeRestoreTarget: (volume) => makeRestoreTarget(guest, volume),
    findSnapshots: () => findMarked(ec2),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function makeVolumes(guest: Guest, disks: readonly string[]): Promise<void> {
  await guest.run(['modprobe', '-a', 'vfat', 'nls_cp437', 'nls_iso8859-1', 'nls_utf8'])
  const onFirst = VOLUMES.filter(({ disk }) => disk === 0).toSorted((a, b) => a.partition! - b.partition!)
  await partition(guest, disks[0]!, onFirst)
  for (const volume of VOLUMES) {
    const device = `${disks[volume.disk] ?? ''}${volume.partition ?? ''}`
    await guest.run(mkfs(volume, device))
    await guest.run(['mount', '--mkdir', device, volume.mountPoint])
  }
  await partition(guest, guest.disks[0]!, VOLUMES) // to restore into
}

/** Small ones of ext4 would have blocks that are too small for the hostile tree's attributes. */
function mkfs({ filesystem }: DemoVolume, device: string): readonly [string, ...string[]] {
  const options = { ext4: ['-q', '-b', '4096'], xfs: ['-q'], vfat: [] }[filesystem]
  return [`mkfs.${filesystem}`, ...options, device]
}

async function partition(guest: Guest, disk: string, volumes: readonly DemoVolume[]): Promise<void> {
  const lines = volumes.map(
    ({ sizeMiB, filesystem }) => `size=${sizeMiB}MiB, type=${filesystem === 'vfat' ? 'uefi' : 'linux'}`,
  )
  await guest.run(['sfdisk', '--quiet', disk], { input: ['label: gpt', ...lines, ''].join('\n') })
}

async function makeRestoreTarget(guest: Guest, volume: DemoVolume): Promise<string> {
  const { name } = volume
  const device = `${guest.disks[0] ?? ''}${VOLUMES.findIndex((each) => each.name === name) + 1}`
  const mountPoint = `/mnt/restored/${name}`
  await guest.run(mkfs(volume, device))
  await guest.run(['mount', '--mkdir', device, mountPoint])
  return mountPoint
}

async function takeTruth(ec2: RunningEc2, instanceId: string): Promise<string[]> {
  const tags = { 'TagSpecification.1.Tag.1.Key': TRUTH, 'TagSpecification.1.Tag.1.Value': 'yes' }
  const parameters = {
    'InstanceSpecification.InstanceId': instanceId,
    'TagSpecification.1.ResourceType': 'snapshot',
    ...tags,
  }
  return (await ask(ec2, 'CreateSnapshots', parameters)).texts('snapshotId')
}

/** @param truth - snapshots by the index of their disk; replaced by what they are plugged in as */
async function mountTruth(
  guest: Guest,
  ec2: RunningEc2,
  instanceId: string,
  truth: Map<string, string>,
  { name, filesystem, disk, partition }: EbsVolume,
): Promise<string> {
  const known = truth.get(String(disk)) ?? ''
  const device = known.startsWith('/dev/')
    ? known
    : await plugIn(guest, ec2, instanceId, known, `/dev/sd${'op'[disk]!}`)
  truth.set(String(disk), device)
  const options = filesystem === 'xfs' ? 'ro,nouuid' : 'ro'
  await guest.run(['mount', '--mkdir', '-o', options, `${device}${partition ?? ''}`, `/mnt/truth/${name}`])
  return `/mnt/truth/${name}`
}

/** @returns the device that a new volume of a snapshot is */
async function plugIn(
  guest: Guest,
  ec2: RunningEc2,
  instanceId: string,
  snapshotId: string,
  device: string,
): Promise<string> {
  const made = await ask(ec2, 'CreateVolume', { SnapshotId: snapshotId, AvailabilityZone: ZONE })
  const [volumeId = ''] = made.texts('volumeId')
  await ask(ec2, 'AttachVolume', { VolumeId: volumeId, InstanceId: instanceId, Device: device })
  return await findDisk(guest, volumeId)
}

/** What the agent has made in EC2 and is still there, but for the snapshot of each disk that it keeps. */
async function findMarked(ec2: RunningEc2): Promise<string[]> {
  const ours = { 'Filter.1.Name': 'tag-key', 'Filter.1.Value.1': 'snapstream:host' }
  const volumes = (await ask(ec2, 'DescribeVolumes', ours)).texts('volumeId')
  const snapshots = await ask(ec2, 'DescribeSnapshots', ours)
  const origins = snapshots.texts('volumeId')
  const older = snapshots.texts('snapshotId').filter((_, index) => origins.indexOf(origins[index]!) < index)
  return [...new Set(volumes), ...older]
}

async function ask(
  ec2: RunningEc2,
  action: ActionName,
  parameters: Readonly<Record<string, string>>,
): Promise<Ec2Answer> {
  const answer = await askEc2(ec2, action, parameters)
  if (answer.code !== undefined) throw new Error(`${action}: ${answer.code}: ${answer.message ?? ''}`)
  return answer
}

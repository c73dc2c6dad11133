/** An EC2 instance on Nitro whose disks are what the stand-in for EC2 has attached to it, and a host that answers as its kernel would. */
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Ec2Tag } from '../../../agent/contract'
import { parseFindmnt, parseLsblk, type HostFilesystems } from '../../../agent/host/mounts'
import { findFilesystems } from '../../../agent/source/filesystems'
import { startEc2, type LaunchedInstance, type RunningEc2, type Settings } from '../../servers/ec2'
import { fakeClock } from '../../support/fake-clock'
import { fakeHost, type Answers } from '../../support/fake-host'
import { localDeps, type LocalDeps } from '../../support/host-deps'
import { snapshotRequestOf } from '../../support/snapshot-request'
import { clientOf } from './ec2-host'
import type { Clock } from '../../../agent/bucket/retries.io'
import type { Argv } from '../../../agent/context'
import type { Ec2 } from '../../../agent/ec2'
import type { EbsPlan } from '../../../agent/source/ebs/plan'
import type { SnapshotRequest, SnapshotSource } from '../../../agent/source/source'
import type { Machine } from '../../servers/ec2'

interface Disk {
  readonly serial: string
  readonly partitions: readonly number[]
}

/** `nvme0n1` has partitions 1 (vfat), 2 (ext4) and 3 (xfs); `nvme1n1`, `nvme2n1`, … have a filesystem each. */
export interface Scene extends AsyncDisposable {
  readonly service: RunningEc2
  readonly instance: LaunchedInstance
  readonly ec2: Ec2
  readonly clock: Clock
  readonly deps: LocalDeps & { readonly host: ReturnType<typeof fakeHost> }
  readonly filesystems: HostFilesystems
  /** What the kernel calls disks, by volume. */
  deviceOf(volumeId: string): string | undefined
  /** Actions and what they came to, since the last time. */
  asked(): string[]
}

export interface SceneOptions {
  readonly settings?: Partial<Settings>
  readonly answers?: Answers
  /** Beside the root; two unless told. */
  readonly dataDisks?: number
  /** Whether serials are shown, as by NVMe; true unless told. */
  readonly serials?: boolean
}

const START_MS = Date.UTC(2026, 0, 31, 4, 5, 6)
export const RUN = '20260131T040506Z-abz277'

export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const { dataDisks = 2, serials = true, settings = {}, answers = {} } = options
  const clock = fakeClock()
  const nowMs = () => START_MS + clock.nowSeconds() * 1000
  const disks = new Map<string, Disk>()
  const service = await startEc2({ settings, now: nowMs })
  const instance = await service.launch({
    machine: machineOf(disks),
    volumes: Array.from({ length: 1 + dataDisks }, () => ({ sizeGiB: 1 })),
  })
  const own = [...disks.keys()]
  // Copies have the partitions of what they are copies of: here, all have those of the root.
  const lsblk = async () => {
    // The stand-in plugs disks in by itself, as the system's clock goes.
    if (settings.attachingSeconds || settings.discoverySeconds) await sleep(60)
    return readLsblk()
  }
  const readLsblk = () =>
    JSON.stringify({
      blockdevices: [...disks].map(([kname, { partitions }]) => ({
        ...node(kname, numberOf(kname) * 256, 'disk'),
        ...(kname !== own[0] && own.includes(kname)
          ? {}
          : { children: partitions.map((part) => node(`${kname}p${part}`, numberOf(kname) * 256 + part, 'part')) }),
      })),
    })
  const sysfs = (argv: Argv) => {
    const lines = argv.slice(4).flatMap((file) => {
      const [name = '', ...rest] = file.replace('/sys/class/block/', '').split('/')
      const serial = serials ? disks.get(name)?.serial : undefined
      if (rest.join('/') === 'device/serial') return serial === undefined ? [] : [`${file}:${serial}            `]
      const partition = /p(\d+)$/.exec(name)?.[1]
      return rest.join('/') === 'partition' && partition !== undefined ? [`${file}:${partition}`] : []
    })
    return { status: 2, stdout: `${lines.join('\n')}\n` }
  }
  const findmnt = JSON.stringify({ filesystems: mountsOf(own) })
  /** What is mounted in namespaces, by mount point: the device's number. */
  const seen = new Map<string, string>()
  const nsenter = (argv: Argv) => {
    const word = (flag: string) => argv[argv.indexOf(flag) + 1] ?? ''
    const [, disk = '', part = '0'] = /^\/dev\/(nvme\d+n1)(?:p(\d+))?$/.exec(word('--source')) ?? []
    if (argv.includes('mount')) seen.set(word('--target'), `259:${numberOf(disk) * 256 + Number(part)}`)
    if (!argv.includes('findmnt')) return ''
    const filesystems = Array.from(seen, ([target, number]) => ({
      target,
      source: 'x',
      fstype: 'ext4',
      'maj:min': number,
    }))
    return JSON.stringify({ filesystems })
  }
  const host = fakeHost(
    {
      ...{ lsblk, grep: sysfs, findmnt, df: '', sync: '', nsenter, rmdir: '', find: '' },
      blkid: { status: 2 },
      realpath: '',
      ...answers,
    },
    // The holder of a namespace, without one.
    (argv) => argv.slice(argv.indexOf('cat')) as unknown as Argv,
  )
  const ec2 = await clientOf(service, instance, clock)
  const now = () => new Date(nowMs())
  let told = 0
  return {
    ...{ service, instance, ec2, clock },
    deps: { ...localDeps(), now, host, connectEc2: () => Promise.resolve(ec2) },
    filesystems: { mounts: parseFindmnt(findmnt), devices: parseLsblk(readLsblk()), usedBytes: new Map() },
    deviceOf: (volumeId) => [...disks].find(([, { serial }]) => serial === volumeId.replace('-', ''))?.[0],
    asked() {
      const since = service.requests.slice(told)
      told = service.requests.length
      return since.map(({ action, code }) => `${action}${code === undefined ? '' : ` ${code}`}`)
    },
    [Symbol.asyncDispose]: () => service.stop(),
  }
}

function machineOf(disks: Map<string, Disk>): Machine {
  return {
    async attachDisk({ serial }) {
      const free = Array.from({ length: 32 }, (_, index) => `nvme${index}n1`).find((name) => !disks.has(name))!
      disks.set(free, { serial, partitions: [1, 2, 3] })
      return `/dev/${free}`
    },
    async detachDisk(device) {
      disks.delete(basename(device))
      return true
    },
    paused: (work) => work(),
  }
}

function numberOf(kname: string): number {
  return Number(/^nvme(\d+)n1/.exec(kname)?.[1])
}

function node(kname: string, minor: number, type: string) {
  return { name: kname, kname, 'maj:min': `259:${minor}`, type, size: 2 ** 30 }
}

function mountsOf([root = '', ...data]: readonly string[]) {
  const mount = (target: string, device: string, minor: number, fstype: string, options = 'rw') => ({
    ...{ target, source: `/dev/${device}`, fstype, options },
    ...{ 'maj:min': `259:${minor}`, fsroot: '/', uuid: `id of ${target}` },
  })
  return [
    mount('/', `${root}p3`, 3, 'xfs'),
    mount('/boot', `${root}p2`, 2, 'ext4'),
    mount('/boot/efi', `${root}p1`, 1, 'vfat', 'rw,relatime,fmask=0077,dmask=0077,codepage=437,shortname=winnt'),
    ...data.map((device) => mount(`/srv/${device}`, device, numberOf(device) * 256, 'ext4')),
  ]
}

/** Plans of a run for all filesystems of the scene, or those at these mount points. */
export async function planScene(
  scene: Scene,
  source: SnapshotSource,
  request: Partial<SnapshotRequest> = {},
  ...mountPoints: readonly string[]
): Promise<readonly EbsPlan[]> {
  const found = findFilesystems(scene.filesystems)
  const survey = await source.survey(scene.deps, scene.filesystems, found)
  const volumes = found.flatMap((one) => {
    const claim = survey.claim(one)
    return claim && 'volume' in claim ? [claim.volume] : []
  })
  const chosen = volumes.filter(({ mountPoint }) => mountPoints.length === 0 || mountPoints.includes(mountPoint))
  const plans = survey.plan(chosen, snapshotRequestOf({ run: RUN, ...request }))
  scene.asked()
  return plans as readonly EbsPlan[]
}

/** What bears the instance's mark in EC2. */
export async function markedIn(scene: Scene) {
  const tags = { [Ec2Tag.host]: scene.ec2.instance.arn }
  const volumes = await scene.ec2.describeVolumes({ tags }, scene.deps.signal)
  const snapshots = await scene.ec2.describeSnapshots({ tags }, scene.deps.signal)
  scene.asked()
  return { volumes, snapshots }
}

/** A host whose volumes lie on LVM: its disks, volume groups, volumes and mounts. */
import { bootGuest, type Guest } from '../test/guest/guest'
import type { DemoHost, DemoVolume } from './host'

interface LvmVolume extends DemoVolume {
  readonly filesystem: 'ext4' | 'xfs'
  readonly group: string
  /** Within its volume group. */
  readonly thin: boolean
  /** Disks that it is striped over; 1 unless told. */
  readonly stripes?: number
}

const MIB = 1024 * 1024
const live = true

/** `app-data` lies within `host`, and `home` within `app-data`. */
const VOLUMES: readonly LvmVolume[] = [
  {
    ...{ group: 'system', name: 'host', thin: false, filesystem: 'ext4', mountPoint: '/srv/host', live },
    ...{ sizeMiB: 800, stripes: 2 },
    filled: { from: ['/etc', '/usr/bin', '/usr/sbin', '/usr/lib/python3'], bytes: 110 * MIB, files: 3500 },
  },
  {
    ...{ group: 'system', name: 'app-data', thin: false, filesystem: 'xfs', mountPoint: '/srv/host/var', live },
    sizeMiB: 600,
    filled: { from: ['/usr/lib/git-core', '/usr/share', '/usr/lib'], bytes: 60 * MIB, files: 3000 },
  },
  {
    ...{ group: 'fast', name: 'home', thin: true, filesystem: 'ext4', mountPoint: '/srv/host/var/home', live },
    sizeMiB: 600,
    filled: { from: ['/usr/share/zoneinfo', '/usr/share/doc', '/usr/share/perl'], bytes: 30 * MIB, files: 2500 },
  },
  { group: 'fast', name: 'db', thin: true, filesystem: 'xfs', mountPoint: '/srv/db', live, sizeMiB: 600 },
]

/** A volume that its owner does not want backed up. */
const SCRATCH = { group: 'system', name: 'scratch', mountPoint: '/srv/scratch', tag: 'snapstream.skip' } as const

const DISKS_MIB = { system: [2048, 2048], fast: [4096], restored: [6144] } as const
const POOL = { group: 'fast', name: 'pool', sizeMiB: 3072 } as const
const MEMORY_MIB = 1536

export async function bootLvmHost(): Promise<DemoHost> {
  const guest = await bootGuest({ memoryMiB: MEMORY_MIB, disksMiB: Object.values(DISKS_MIB).flat() })
  return {
    ...{ name: 'host-with-lvm', title: 'with LVM', guest, volumes: VOLUMES, agentOptions: [], agentEnvironment: {} },
    truthCommands: truthCommands(),
    makeVolumes: () => makeVolumes(guest),
    mountTruth: (volume) => mountTruth(guest, volume as LvmVolume),
    makeRestoreTarget: (volume) => makeRestoreTarget(guest, volume as LvmVolume),
    findSnapshots: () => findSnapshots(guest),
    [Symbol.asyncDispose]: () => guest.stop(),
  }
}

function deviceOf({ group, name }: Pick<LvmVolume, 'group' | 'name'>): string {
  return `/dev/${group}/${name}`
}

/** Volume group `system` lies on two disks, and its volume `host` is striped over both; `fast` has a thin pool. */
async function makeVolumes(guest: Guest): Promise<void> {
  const disks = [...guest.disks]
  for (const [group, sizes] of Object.entries(DISKS_MIB)) {
    await guest.run(['vgcreate', '--quiet', group, ...disks.splice(0, sizes.length)])
  }
  await guest.run(['lvcreate', '--quiet', '--type', 'thin-pool', '-L', `${POOL.sizeMiB}M`, '-n', POOL.name, POOL.group])
  for (const volume of VOLUMES) {
    await createVolume(guest, volume)
    await mountVolume(guest, volume)
  }
  await guest.run(['lvcreate', '--quiet', '--addtag', SCRATCH.tag, '-L', '64M', '-n', SCRATCH.name, SCRATCH.group])
  await guest.run(['mkfs.ext4', '-q', deviceOf(SCRATCH)])
  await mountVolume(guest, SCRATCH)
}

async function makeRestoreTarget(guest: Guest, volume: LvmVolume): Promise<string> {
  const target = { ...volume, group: 'restored', thin: false, stripes: 1, mountPoint: `/mnt/restored/${volume.name}` }
  await createVolume(guest, target)
  await mountVolume(guest, target)
  return target.mountPoint
}

async function mountTruth(guest: Guest, { group, name, thin, filesystem }: LvmVolume): Promise<string> {
  const mountPoint = `/mnt/truth/${name}`
  // A thin snapshot is not active before it is asked for, a thick one always is.
  if (thin) await guest.run(['lvchange', '--quiet', '-ay', '-K', `${group}/${truthName(name)}`])
  const options = `ro,X-mount.mkdir${filesystem === 'xfs' ? ',nouuid' : ''}`
  await guest.run(['mount', '-o', options, deviceOf({ group, name: truthName(name) }), mountPoint])
  return mountPoint
}

function truthCommands(): string[] {
  return VOLUMES.map(({ group, name, thin, sizeMiB }) => {
    const space = thin ? '' : `--size ${sizeMiB / 4}M `
    return `lvcreate --quiet --snapshot ${space}--addtag ${SCRATCH.tag} --name ${truthName(name)} ${group}/${name}`
  })
}

function truthName(volume: string): string {
  return `truth_${volume}`
}

async function findSnapshots(guest: Guest): Promise<string[]> {
  const ours = 'lv_tags = snapstream || lv_name =~ "^snapstream_"'
  const found = await guest.run(['lvs', '--noheadings', '--options', 'lv_full_name', '--select', ours])
  return found.split('\n').flatMap((line) => line.trim() || [])
}

async function createVolume(guest: Guest, volume: LvmVolume): Promise<void> {
  const { group, name, thin, filesystem, sizeMiB, stripes = 1 } = volume
  const space = thin
    ? ['--virtualsize', `${sizeMiB}M`, '--thinpool', POOL.name]
    : ['--size', `${sizeMiB}M`, '--stripes', String(stripes)]
  await guest.run(['lvcreate', '--quiet', ...space, '--name', name, group])
  await guest.run([`mkfs.${filesystem}`, '-q', deviceOf(volume)])
}

async function mountVolume(guest: Guest, volume: Pick<LvmVolume, 'group' | 'name' | 'mountPoint'>): Promise<void> {
  await guest.run(['mount', '-o', 'X-mount.mkdir', deviceOf(volume), volume.mountPoint])
}

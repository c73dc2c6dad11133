/** The machine that is backed up: its disks, volume groups, volumes and mounts. */
import { bootGuest, type Guest } from '../test/guest/guest'

export interface Volume {
  readonly group: string
  readonly name: string
  /** Within its volume group. */
  readonly thin: boolean
  readonly filesystem: 'ext4' | 'xfs'
  readonly mountPoint: string
  readonly sizeMiB: number
  /** Disks that it is striped over; 1 unless told. */
  readonly stripes?: number
}

/** In the order in which they have to be mounted: `app-data` lies within `host`, and `home` within `app-data`. */
export const VOLUMES: readonly Volume[] = [
  { group: 'system', name: 'host', thin: false, filesystem: 'ext4', mountPoint: '/srv/host', sizeMiB: 800, stripes: 2 },
  { group: 'system', name: 'app-data', thin: false, filesystem: 'xfs', mountPoint: '/srv/host/var', sizeMiB: 600 },
  { group: 'fast', name: 'home', thin: true, filesystem: 'ext4', mountPoint: '/srv/host/var/home', sizeMiB: 600 },
  { group: 'fast', name: 'db', thin: true, filesystem: 'xfs', mountPoint: '/srv/db', sizeMiB: 600 },
]

/** A volume that its owner does not want backed up. */
const SCRATCH = { group: 'system', name: 'scratch', mountPoint: '/srv/scratch', tag: 'snapstream.skip' } as const

const DISKS_MIB = { system: [2048, 2048], fast: [4096], restored: [6144] } as const
const POOL = { group: 'fast', name: 'pool', sizeMiB: 3072 } as const
const MEMORY_MIB = 1536

export function deviceOf({ group, name }: Pick<Volume, 'group' | 'name'>): string {
  return `/dev/${group}/${name}`
}

export async function bootMachine(): Promise<Guest> {
  return await bootGuest({ memoryMiB: MEMORY_MIB, disksMiB: Object.values(DISKS_MIB).flat() })
}

/** Volume group `system` lies on two disks, and its volume `host` is striped over both; `fast` has a thin pool. */
export async function makeVolumes(guest: Guest): Promise<void> {
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

/** An empty filesystem to restore into, of the same kind and size; returns where it is mounted. */
export async function makeRestoreTarget(guest: Guest, volume: Volume): Promise<string> {
  const target = { ...volume, group: 'restored', thin: false, stripes: 1, mountPoint: `/mnt/restored/${volume.name}` }
  await createVolume(guest, target)
  await mountVolume(guest, target)
  return target.mountPoint
}

/** The demo's own snapshot of a volume, taken while the writers stood still; returns where it is mounted. */
export async function mountTruth(guest: Guest, { group, name, thin, filesystem }: Volume): Promise<string> {
  const mountPoint = `/mnt/truth/${name}`
  // A thin snapshot is not active before it is asked for, a thick one always is.
  if (thin) await guest.run(['lvchange', '--quiet', '-ay', '-K', `${group}/${truthName(name)}`])
  const options = `ro,X-mount.mkdir${filesystem === 'xfs' ? ',nouuid' : ''}`
  await guest.run(['mount', '-o', options, deviceOf({ group, name: truthName(name) }), mountPoint])
  return mountPoint
}

/** Takes the demo's own snapshots: lines for a shell script. */
export function truthCommands(): string[] {
  return VOLUMES.map(({ group, name, thin, sizeMiB }) => {
    const space = thin ? '' : `--size ${sizeMiB / 4}M `
    return `lvcreate --quiet --snapshot ${space}--addtag ${SCRATCH.tag} --name ${truthName(name)} ${group}/${name}`
  })
}

function truthName(volume: string): string {
  return `truth_${volume}`
}

async function createVolume(guest: Guest, volume: Volume): Promise<void> {
  const { group, name, thin, filesystem, sizeMiB, stripes = 1 } = volume
  const space = thin
    ? ['--virtualsize', `${sizeMiB}M`, '--thinpool', POOL.name]
    : ['--size', `${sizeMiB}M`, '--stripes', String(stripes)]
  await guest.run(['lvcreate', '--quiet', ...space, '--name', name, group])
  await guest.run([`mkfs.${filesystem}`, '-q', deviceOf(volume)])
}

async function mountVolume(guest: Guest, volume: Pick<Volume, 'group' | 'name' | 'mountPoint'>): Promise<void> {
  await guest.run(['mount', '-o', 'X-mount.mkdir', deviceOf(volume), volume.mountPoint])
}

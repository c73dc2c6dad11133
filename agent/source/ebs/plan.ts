/** What is made of which disks, how it is marked, and how it is mounted. */
import { Ec2Tag, MOUNT_ROOT, RUN_SECONDS_MAX } from '../../contract'
import type { Argv } from '../../context'
import type { EbsSnapshot, Ec2Tags, InstanceFacts, SnapshotsRequest } from '../../ec2'
import { excludesWithin, tarCreate } from '../../tar/commands'
import { mountReadOnly } from '../mount'
import type { SnapshotPlan, SnapshotRequest } from '../source'
import { freeSlots, type EbsFilesystem, type EbsState } from './claim'
import type { EbsSource } from './record'

/** API_InstanceSpecification: ExcludeDataVolumeIds. */
const EXCLUDED_MAX = 40
/** For whoever backs up once a month, the last snapshot is there a few days longer (design limit). */
const KEPT_SECONDS = 35 * 86_400
/** More than one at a time, since EC2 takes its time; few, since each is attached for as long as the slowest is read (design limit). */
const DISKS_PER_WAVE_MAX = 4

/** One filesystem of a disk whose snapshot is taken together with those of the others. */
export interface EbsPlan extends SnapshotPlan {
  readonly origin: EbsFilesystem
  readonly source: EbsSource
  readonly run: string
  /** Of all of them. */
  readonly request: SnapshotsRequest
  readonly freeze: boolean
  readonly keepLast: boolean
  readonly disksPerWave: number
}

export function planSnapshots(
  state: EbsState,
  volumes: readonly EbsFilesystem[],
  { run, exclude, tags, freeze, ebsKeepLast, ebsEngine }: SnapshotRequest,
): EbsPlan[] {
  const keepLast = ebsKeepLast && ebsEngine === 'snapshot'
  const wanted = new Set(volumes.map(({ volumeId }) => volumeId))
  const request = { ...chooseDisks(state.facts, wanted), tags: tagsOf(state.instance.arn, run, keepLast) }
  const disksPerWave = Math.min(freeSlots(state) ?? 1, DISKS_PER_WAVE_MAX)
  return volumes.map((origin) => {
    const { volumeId, partition, volume } = origin
    // Side by side, not one in another: what tar sees of a directory that something is mounted on is not the directory.
    const mountPoint = `${MOUNT_ROOT}/${run}/${volume}`
    const place = { volumeId, ...(partition !== undefined && { partition }) }
    return {
      ...{ origin, run, request, freeze, keepLast, disksPerWave, mountPoint },
      source: { kind: 'ebs', ...place, engine: ebsEngine, consistency: 'crash' },
      tar: tarCreate(mountPoint, excludesWithin(origin.mountPoint, exclude), tags),
      originName: partition === undefined ? volumeId : `${volumeId}, partition ${partition}`,
      description:
        ebsEngine === 'clone' ? 'copy in EBS' : `snapshot in EBS${keepLast ? ', the last of which is kept' : ''}`,
    }
  })
}

/** All disks but those that are wanted are left out; of very many, some cannot be. The root is left out by another name. */
function chooseDisks({ rootVolumeId, volumes }: InstanceFacts, wanted: ReadonlySet<string>) {
  const without = volumes.map(({ volumeId }) => volumeId).filter((id) => id !== rootVolumeId && !wanted.has(id))
  return {
    withoutRoot: rootVolumeId !== undefined && !wanted.has(rootVolumeId),
    without: without.slice(0, EXCLUDED_MAX),
  }
}

/** Whatever is made has these from its creation: nothing is found by anything else, nor by policies. */
export function tagsOf(arn: string, run: string, keepLast: boolean): Ec2Tags {
  const seconds = keepLast ? KEPT_SECONDS : RUN_SECONDS_MAX
  const expires = new Date(startOf(run) + seconds * 1000).toISOString()
  return { [Ec2Tag.host]: arn, [Ec2Tag.run]: run, [Ec2Tag.expires]: expires }
}

/**
 * The request of an attempt: each has an expiry of its own, by milliseconds, so that what two of them made can be told apart.
 *
 * @param attempt - 0 for the first
 */
export function attemptOf([first]: readonly EbsPlan[], attempt: number): SnapshotsRequest {
  if (!first) throw new RangeError('nothing is to be taken')
  const { request } = first
  const expires = new Date(Date.parse(request.tags[Ec2Tag.expires] ?? '') + attempt).toISOString()
  return { ...request, tags: { ...request.tags, [Ec2Tag.expires]: expires } }
}

/** By volume, one for each disk; undefined where one of them is missing. */
export function ofDisks(
  plans: readonly EbsPlan[],
  snapshots: readonly EbsSnapshot[],
): ReadonlyMap<string, EbsSnapshot> | undefined {
  const found = new Map<string, EbsSnapshot>()
  for (const { origin } of plans) {
    const snapshot = snapshots.find(({ volumeId }) => volumeId === origin.volumeId)
    if (!snapshot) return undefined
    found.set(origin.volumeId, snapshot)
  }
  return found
}

/** Of copies, none of which is ever kept. */
export function volumeTags({ [Ec2Tag.host]: arn = '', [Ec2Tag.run]: run = '' }: Ec2Tags): Ec2Tags {
  return tagsOf(arn, run, false)
}

/** Milliseconds since 1970, by a run's name; not a number for what is none. */
export function startOf(run: string): number {
  return Date.parse(run.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z'))
}

/** Whole disks in each: all partitions of one come from one copy of it. */
export function planWaves(plans: readonly EbsPlan[]): (readonly EbsPlan[])[] {
  const disks = [...Map.groupBy(plans, ({ origin }) => origin.volumeId).values()]
  const size = Math.max(1, plans[0]?.disksPerWave ?? 1)
  const waves = Map.groupBy(disks.entries(), ([index]) => Math.floor(index / size))
  return Array.from(waves.values(), (wave) => wave.flatMap(([, ofDisk]) => ofDisk))
}

/** What makes a vfat's owners and modes, which it has none of, and its names. */
const VFAT_OPTION = /^(uid|gid|umask|fmask|dmask|codepage|iocharset|shortname|utf8)(=[\w-]+)?$/

/** By its device, never by an id or label: the disk that it is a copy of has the same. */
export function mountCopy({ filesystem, mountOptions }: EbsFilesystem, device: string, mountPoint: string): Argv {
  const mount = mountReadOnly(filesystem, device, mountPoint)
  if (filesystem !== 'vfat') return mount
  const options = mountOptions.split(',').filter((option) => VFAT_OPTION.test(option))
  const at = mount.indexOf('--options') + 1
  return mount.map((word, index) => (index === at ? [word, ...options].join(',') : word)) as [string, ...string[]]
}

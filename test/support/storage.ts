import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLvs, parseVgs, type LogicalVolume, type LvmState, type VolumeGroup } from '../../agent/source/lvm/reports'
import { parseFindmnt, parseLsblk, type BlockDevice, type HostFilesystems, type Mount } from '../../agent/host/mounts'
import { AUTOMATIC } from '../../agent/source/choice'
import { planSnapshots } from '../../agent/source/lvm/plan'
import { surveyLvm } from '../../agent/source/lvm/survey'
import type { LvmVolume } from '../../agent/source/lvm/claim'
import { selectVolumes } from '../../agent/source/select'
import type { HostSurvey } from '../../agent/source/source'
import type { SnapshotSize } from '../../agent/options/types'
import { snapshotRequestOf } from './snapshot-request'

/** All that a host says of its storage. */
export type HostStorage = LvmState & HostFilesystems

export function surveyOf(host: HostStorage): HostSurvey {
  return { filesystems: host, choice: AUTOMATIC, surveys: [surveyLvm(host, host)] }
}

/** Snapshots of all its volumes. */
export function planAll(host: HostStorage, size: SnapshotSize = { kind: 'auto' }, run = '20260131T040506Z-abz277') {
  const { volumes } = selectVolumes(surveyOf(host))
  return planSnapshots(host, volumes as LvmVolume[], snapshotRequestOf({ run, size }))
}

/** What a command answered on the host of test/guest/volumes.ts; test/guest/capture-fixtures.ts asked. */
export function captured(command: 'lvs' | 'vgs' | 'pvs' | 'findmnt' | 'lsblk'): string {
  return readFileSync(join(__dirname, '..', 'fixtures', 'lvm-2.03.16', `${command}.json`), 'utf8')
}

export function capturedStorage(): HostStorage {
  return {
    logicalVolumes: parseLvs(captured('lvs')),
    groups: parseVgs(captured('vgs')),
    mounts: parseFindmnt(captured('findmnt')),
    devices: parseLsblk(captured('lsblk')),
    usedBytes: new Map(),
  }
}

const MIB = 1024 * 1024

/** A host with the volume group `vg` and what is given; volumes have device numbers in their order, from 254:0. */
export function storage(
  given: {
    readonly freeMiB?: number
    readonly logicalVolumes?: readonly (Partial<LogicalVolume> & { readonly sizeMiB?: number })[]
    readonly mounts?: readonly (Partial<Mount> & { readonly of: number | string })[]
    readonly devices?: readonly BlockDevice[]
  } = {},
): HostStorage {
  const { freeMiB = 1024, logicalVolumes = [], mounts = [], devices = [] } = given
  return {
    groups: [group(freeMiB)],
    logicalVolumes: logicalVolumes.map(({ sizeMiB = 1024, ...rest }, index) => ({
      group: 'vg',
      name: `lv${index}`,
      device: `/dev/mapper/vg-${rest.name ?? `lv${index}`}`,
      deviceNumber: `254:${index}`,
      sizeBytes: sizeMiB * MIB,
      tags: [],
      invalid: false,
      health: '',
      ...rest,
    })),
    mounts: mounts.map(({ of, ...rest }) => ({
      target: '/srv',
      source: typeof of === 'number' ? `/dev/mapper/vg-${logicalVolumes[of]?.name ?? `lv${of}`}` : of,
      filesystem: 'ext4',
      options: 'rw',
      deviceNumber: typeof of === 'number' ? `254:${of}` : '0:99',
      root: '/',
      ...rest,
    })),
    devices,
    usedBytes: new Map(),
  }
}

/** Volumes of these sizes, all mounted. */
export function thick(freeMiB: number, ...sizesMiB: number[]): HostStorage {
  return storage({
    freeMiB,
    logicalVolumes: sizesMiB.map((sizeMiB) => ({ sizeMiB })),
    mounts: sizesMiB.map((_, of) => ({ of, target: `/${of}` })),
  })
}

/** A volume in a thin pool that is like this. */
export function thin(pool: { dataPercent: number; metadataPercent?: number; health?: string }): HostStorage {
  return storage({
    logicalVolumes: [{ thinPool: 'pool' }, { name: 'pool', metadataPercent: 10, ...pool }],
    mounts: [{ of: 0 }],
  })
}

function group(freeMiB: number): VolumeGroup {
  return { name: 'vg', sizeBytes: 1024 * 1024 * MIB, freeBytes: freeMiB * MIB, extentBytes: 4 * MIB }
}

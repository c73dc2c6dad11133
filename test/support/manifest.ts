import { catalogKey, dataKey, removedKey, type RunKey } from '../../agent/contract'
import type { Manifest, VolumeBackup } from '../../agent/run/manifest'

const place = { class: 'daily', host: 'host', run: '20260131T040506Z-abz277' }

/**
 * A volume's record as a good run writes it; `changes` replaces whole fields.
 *
 * @param at - the run that it is of
 */
export function volumeBackupOf(changes: Partial<VolumeBackup> = {}, at: RunKey = place): VolumeBackup {
  const { volume = 'vg0-home' } = changes
  const [, group = '', name = ''] = /^((?:[^-]|--)*)-((?:[^-]|--)*)$/.exec(volume) ?? []
  return {
    volume,
    source: {
      kind: 'lvm',
      group: group.replaceAll('--', '-'),
      name: name.replaceAll('--', '-'),
      snapshot: { type: 'thick', sizeBytes: 1 << 28 },
    },
    level: 'full',
    mountPoint: '/home',
    filesystem: 'ext4',
    uuid: '6c0b1b5c-6a2f-4b8e-9d0c-0a4f3c1f2e11',
    label: '',
    mountOptions: 'rw,relatime',
    sizeBytes: 1 << 30,
    usedBytes: 300_000_000,
    snapshot: { takenAt: '2026-01-31T04:05:07.000Z', livedSeconds: 12.5 },
    tarCommand: ['tar', '--create', '--file=-', '--directory', '/run/snapstream/x/home', '--', '.'],
    archive: {
      compression: 'zstd',
      frameBytes: 2 * 1024 * 1024,
      segments: [
        {
          key: dataKey(at, volume, 'zstd', 0),
          sizeBytes: 1000,
          crc32: '0badcafe',
          sha256: 'a'.repeat(64),
          rawOffset: 0,
          rawBytes: 20480,
        },
      ],
      catalog: { key: catalogKey(at, volume), sizeBytes: 300, crc32: '00c0ffee', sha256: 'b'.repeat(64) },
      rawBytes: 20480,
      storedBytes: 1000,
      entries: 3,
      frames: 1,
    },
    archiveSeconds: 3.25,
    ...changes,
  }
}

/** As `volumeBackupOf`, of a differential archive whose base is six days older. */
export function differentialOf(changes: Partial<VolumeBackup> = {}, at: RunKey = place): VolumeBackup {
  const backup = volumeBackupOf(changes, at)
  const base = { ...at, run: '20260125T040506Z-base77' }
  return {
    ...backup,
    level: 'differential',
    base: {
      run: base.run,
      takenAt: '2026-01-25T04:05:07.000Z',
      archive: volumeBackupOf({ volume: backup.volume }, base).archive,
    },
    removed: {
      key: removedKey(at, backup.volume),
      sizeBytes: 40,
      crc32: '00decade',
      sha256: 'c'.repeat(64),
      names: 2,
    },
    ...changes,
  }
}

/** A manifest as a good run writes it; `changes` replaces whole fields. */
export function manifestOf(changes: Partial<Manifest> = {}): Manifest {
  const at = { ...place, ...changes }
  return {
    format: 2,
    ...place,
    startedAt: '2026-01-31T04:05:06.000Z',
    finishedAt: '2026-01-31T04:06:06.000Z',
    status: 'complete',
    verified: 'checksum',
    consistency: { level: 'crash', snapshotSpreadSeconds: 0.4, heldSeconds: 0, hooks: [] },
    volumes: [volumeBackupOf({}, at)],
    failures: [],
    notBackedUp: [],
    agent: { version: '0.1.0', node: 'v24.0.0', tar: '1.34' },
    system: {
      hostname: 'db-1',
      kernel: '6.1.0',
      architecture: 'x64',
      osRelease: 'ID=debian\n',
      fstab: '/dev/vg0/home /home ext4 defaults 0 2\n',
      blockDevices: {},
      lvm: { lvs: {}, vgs: {}, pvs: {}, groupConfigurations: { vg0: 'vg0 {\n}\n' } },
    },
    ...changes,
  }
}

/** Of a host with nothing of LVM, so that a rebuild restores and no more. */
export function bareSystem(): Manifest['system'] {
  return {
    ...manifestOf().system,
    lvm: {
      ...{ lvs: { report: [{ lv: [] }] }, vgs: { report: [{ vg: [] }] }, pvs: { report: [{ pv: [] }] } },
      groupConfigurations: {},
    },
    blockDevices: { blockdevices: [] },
  }
}

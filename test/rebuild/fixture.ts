import { readFileSync } from 'node:fs'
import { formatArgv } from '../../agent/host/argv'
import type { RebuildPlan } from '../../agent/rebuild/rebuild'
import type { Manifest } from '../../agent/run/manifest'
import type { LvmLayout } from '../../agent/source/lvm/record'
import { manifestOf, volumeBackupOf } from '../support/manifest'

/** Reports of a real host: two groups, one of two disks, a thin pool, a foreign snapshot, swap. */
export const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(`test/fixtures/lvm-2.03.16/${name}.json`, 'utf8'))

export const volume = (name: string, mountPoint: string, filesystem: string, label = '') =>
  volumeBackupOf({ volume: name, mountPoint, filesystem, label, uuid: `uuid-of-${name}` })

export const SIGNATURES = `DEVNAME=/dev/mapper/vg0-swap
UUID=uuid-of-swap
LABEL=old\\ swap
TYPE=swap

DEVNAME=/dev/mapper/vg1-mail
UUID=uuid-of-mail
BLOCK_SIZE=512
TYPE=xfs

DEVNAME=/dev/mapper/vg0-secret
UUID=uuid-of-secret
TYPE=crypto_LUKS
`

const lvm: LvmLayout = {
  ...{ lvs: fixture('lvs'), vgs: fixture('vgs'), pvs: fixture('pvs'), groupConfigurations: {} },
  thinPools: {
    report: [
      {
        lv: [
          {
            ...{ vg_name: 'vg1', lv_name: 'pool', lv_metadata_size: '8388608' },
            ...{ chunk_size: '131072', zero: '', discards: 'nopassdown' },
          },
        ],
      },
    ],
  },
}
const system: Manifest['system'] = {
  ...manifestOf().system,
  lvm,
  blockDevices: fixture('lsblk'),
  signatures: SIGNATURES,
  fstab: [
    'UUID=uuid-of-vg0-home / ext4 defaults 0 1',
    '# a comment',
    '/dev/vg0/srv\t/srv xfs noatime 0 2',
    'UUID="uuid-of-swap" none swap sw 0 0',
    'UUID=1234-ABCD /boot/efi vfat umask=0077 0 1',
    'tmpfs /tmp tmpfs defaults 0 0',
    '',
  ].join('\n'),
}
export const manifest = manifestOf({
  volumes: [volume('vg0-srv', '/srv', 'xfs', 'data'), volume('vg0-home', '/', 'ext4')],
  notBackedUp: [{ mountPoint: '/boot', device: '/dev/ubda', filesystem: 'vfat', reason: 'it is not on LVM' }],
  system,
})
export const options = { bucket: 'backups', target: '/mnt', disks: [['/dev/ubdb', '/dev/nvme1n1']] as const }
/** A manifest that differs in what it says of the system. */
export const withSystem = (changes: Partial<Manifest['system']>) =>
  manifestOf({ ...manifest, system: { ...system, ...changes } })
export const withLvm = (changes: Partial<LvmLayout>) => withSystem({ lvm: { ...lvm, ...changes } })
export const commandsOf = ({ steps }: RebuildPlan) => steps.map(({ argv }) => formatArgv(argv))

import { readFileSync } from 'node:fs'
import { formatArgv } from '../../agent/plan/command'
import { formatRebuildScript, planRebuild } from '../../agent/plan/rebuild'
import { execFileSync } from 'node:child_process'
import { manifestOf, volumeBackupOf } from '../support/manifest'

/** Reports of a real host: two groups, one of two disks, a thin pool, a foreign snapshot, swap. */
const fixture = (name: string): unknown => JSON.parse(readFileSync(`test/fixtures/lvm-2.03.16/${name}.json`, 'utf8'))

const volume = (name: string, mountPoint: string, filesystem: string, label = '') =>
  volumeBackupOf({ volume: name, mountPoint, filesystem, label, uuid: `uuid-of-${name}` })

const manifest = manifestOf({
  volumes: [volume('vg0-srv', '/srv', 'xfs', 'data'), volume('vg0-home', '/', 'ext4')],
  notBackedUp: [{ mountPoint: '/boot', device: '/dev/ubda', filesystem: 'vfat', reason: 'it is not on LVM' }],
  system: { ...manifestOf().system, lvs: fixture('lvs'), vgs: fixture('vgs'), pvs: fixture('pvs') },
})
const options = { bucket: 'backups', target: '/mnt', disks: new Map([['/dev/ubdb', '/dev/nvme1n1']]) }
const plan = planRebuild(manifest, options)
const commands = plan.steps.map(({ argv }) => formatArgv(argv))

test('physical volumes and groups come first, on the disks that are there now', () => {
  expect(commands.slice(0, 5)).toEqual([
    'pvcreate /dev/nvme1n1',
    'pvcreate /dev/ubdc',
    'vgcreate --physicalextentsize 4194304b vg0 /dev/nvme1n1 /dev/ubdc',
    'pvcreate /dev/ubdd',
    'vgcreate --physicalextentsize 4194304b vg1 /dev/ubdd',
  ])
})

test('every logical volume is made again to the byte, pools before what is in them, snapshots not at all', () => {
  const lvcreate = commands.filter((command) => command.startsWith('lvcreate'))
  expect(lvcreate).toContain('lvcreate --wipesignatures y --size 314572800b --yes --name home vg0')
  expect(lvcreate).toContain(
    'lvcreate --wipesignatures y --size 8388608b --yes --name scratch --addtag snapstream.skip vg0',
  )
  expect(lvcreate.some((command) => command.includes('foreign'))).toBe(false)
  const pools = lvcreate.map((command) => command.includes('--type thin-pool'))
  expect(pools.indexOf(true)).toBeGreaterThanOrEqual(0)
  expect(pools.lastIndexOf(true)).toBeLessThan(lvcreate.findIndex((command) => command.includes('--type thin ')))
})

test('filesystems have their UUIDs and labels again, and are mounted from the root down', () => {
  expect(commands.slice(-7)).toEqual([
    'mkfs.ext4 -q -U uuid-of-vg0-home /dev/mapper/vg0-home',
    'mkfs.xfs -q -m uuid=uuid-of-vg0-srv -L data /dev/mapper/vg0-srv',
    'mkdir --parents -- /mnt',
    'mount /dev/mapper/vg0-home /mnt',
    'mkdir --parents -- /mnt/srv',
    'mount /dev/mapper/vg0-srv /mnt/srv',
    'snapstream restore --bucket backups --class daily --host host --run 20260131T040506Z-abz277 --target /mnt',
  ])
})

test('what no command does is said', () => {
  expect(plan.notes).toContainEqual('/boot was not backed up: it is not on LVM.')
  expect(plan.notes).toContainEqual(expect.stringMatching(/^\/dev\/mapper\/vg0-swap was not backed up and stays empty/))
  expect(plan.notes).toContainEqual(expect.stringMatching(/boot loader/))
})

test('the script is one that a shell reads, and says what it does before it does it', () => {
  const script = formatRebuildScript(manifest, plan)
  execFileSync('sh', ['-n'], { input: script })
  expect(script).toMatch(/^#!\/bin\/sh\n# Rebuilds the volumes of host as they were in run .*\n# It DESTROYS/)
  expect(script).toContain('\n# /dev/nvme1n1 becomes a physical volume: what is on it is lost\npvcreate /dev/nvme1n1\n')
})

test('reports that are not understood are not guessed at', () => {
  const odd = { ...manifest, system: { ...manifest.system, lvs: { report: [] } } }
  expect(() => planRebuild(odd, options)).toThrow('the report of lvs in the manifest is not understood')
})

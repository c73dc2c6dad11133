import type { Manifest } from '../../agent/run/manifest'
import { planRebuild } from '../../agent/rebuild/rebuild'
import { manifestOf } from '../support/manifest'
import { refusal } from '../support/refusal'
import { commandsOf, fixture, manifest, options, volume, withLvm, withSystem } from './fixture'

const plan = planRebuild(manifest, options)
const commands = commandsOf(plan)
const starting = (program: string, of = commands) => of.filter((command) => command.startsWith(program))
test('the disks that are there now are looked at, then all become physical volumes, then groups', () => {
  expect(commands.slice(0, 6)).toEqual([
    'lsblk --output NAME,SIZE,TYPE,FSTYPE,LABEL,MOUNTPOINT /dev/nvme1n1 /dev/ubdc /dev/ubdd',
    'pvcreate /dev/nvme1n1',
    'pvcreate /dev/ubdc',
    'pvcreate /dev/ubdd',
    'vgcreate --physicalextentsize 4194304b vg0 /dev/nvme1n1 /dev/ubdc',
    'vgcreate --physicalextentsize 4194304b vg1 /dev/ubdd',
  ])
})

test('every logical volume is made again to the byte, pools before what is in them, snapshots not at all', () => {
  const lvcreate = starting('lvcreate')
  expect(lvcreate).toContain('lvcreate --wipesignatures y --size 314572800b --yes --name home vg0')
  expect(lvcreate).toContain(
    'lvcreate --wipesignatures y --size 8388608b --yes --name scratch --addtag snapstream.skip vg0',
  )
  expect(lvcreate.some((command) => command.includes('foreign'))).toBe(false)
  const pools = lvcreate.map((command) => command.includes('--type thin-pool'))
  expect(pools.indexOf(true)).toBeGreaterThanOrEqual(0)
  expect(pools.lastIndexOf(true)).toBeLessThan(lvcreate.findIndex((command) => command.includes('--type thin ')))
})

test('a thin pool has its chunks, its metadata and its ways again, where the manifest tells of them', () => {
  const own = '--poolmetadatasize 8388608b --chunksize 131072b --zero n --discards nopassdown '
  expect(commands).toContain(`lvcreate --type thin-pool --size 167772160b ${own}--yes --name pool vg1`)
  const older = planRebuild(withLvm({ thinPools: undefined }), options)
  expect(starting('lvcreate --type thin-pool', commandsOf(older))).toEqual([
    'lvcreate --type thin-pool --size 167772160b --yes --name pool vg1',
  ])
})

test('filesystems have their UUIDs and labels again, and are mounted from the root down', () => {
  expect(commands.slice(-9)).toEqual([
    'mkfs.ext4 -q -U uuid-of-vg0-home /dev/mapper/vg0-home',
    'mkfs.xfs -q -m uuid=uuid-of-vg0-srv -L data /dev/mapper/vg0-srv',
    "mkswap -U uuid-of-swap -L 'old swap' /dev/mapper/vg0-swap",
    'mkfs.xfs -q -m uuid=uuid-of-mail /dev/mapper/vg1-mail',
    'mkdir --parents -- /mnt',
    'mount /dev/mapper/vg0-home /mnt',
    'mkdir --parents -- /mnt/srv',
    'mount /dev/mapper/vg0-srv /mnt/srv',
    'snapstream restore --bucket backups --class daily --host host --run 20260131T040506Z-abz277 --target /mnt',
  ])
})

test('filesystems are made of what they were made of, where the manifest tells', () => {
  const described = planRebuild(
    withSystem({
      filesystems: { 'vg0-home': 'Block size:               1024\n', 'vg0-srv': ' = crc=0  finobt=0\n' },
    }),
    options,
  )
  expect(starting('mkfs', commandsOf(described)).slice(0, 2)).toEqual([
    'mkfs.ext4 -q -b 1024 -U uuid-of-vg0-home /dev/mapper/vg0-home',
    'mkfs.xfs -q -m crc=0,finobt=0 -m uuid=uuid-of-vg0-srv -L data /dev/mapper/vg0-srv',
  ])
})

test('the restore goes to the bucket that the plan was read from', () => {
  const elsewhere = { ...options, region: 'eu-west-1', endpointUrl: 'https://s3.example.net' }
  expect(commandsOf(planRebuild(manifest, elsewhere)).at(-1)).toContain(
    ' --bucket backups --region eu-west-1 --endpoint-url https://s3.example.net ',
  )
})

describe('disks', () => {
  const disks = (...pairs: (readonly [string, string])[]) => ({ ...options, disks: pairs })

  test('may all move up by one', () => {
    const moved = disks(['/dev/ubdb', '/dev/ubdc'], ['/dev/ubdc', '/dev/ubdd'], ['/dev/ubdd', '/dev/ubde'])
    expect(starting('vgcreate', commandsOf(planRebuild(manifest, moved)))).toEqual([
      'vgcreate --physicalextentsize 4194304b vg0 /dev/ubdc /dev/ubdd',
      'vgcreate --physicalextentsize 4194304b vg1 /dev/ubde',
    ])
  })

  test('of one group may become one', () => {
    const one = disks(['/dev/ubdb', '/dev/sda'], ['/dev/ubdc', '/dev/sda'])
    expect(starting('pvcreate', commandsOf(planRebuild(manifest, one)))).toEqual([
      'pvcreate /dev/sda',
      'pvcreate /dev/ubdd',
    ])
  })

  test.each([
    ['that the host did not have', ['/dev/sdb', '/dev/sda'], [], 'nothing that was backed up was on a disk /dev/sdb'],
    ['of another group', ['/dev/ubdb', '/dev/ubdd'], [], '/dev/ubdd is to hold both vg0 and vg1'],
    ['in two places', ['/dev/ubdb', '/dev/sda'], ['/dev/ubdb', '/dev/sdb'], '--disk /dev/ubdb=… is given twice'],
  ])('%s are refused', (_, first, second, message) => {
    const pairs = [first, second].filter((pair): pair is [string, string] => pair.length === 2)
    expect(refusal(() => planRebuild(manifest, disks(...pairs)))).toEqual({
      code: 'USAGE',
      message,
      hint: 'Give --disk OLD=NEW for these of the host: /dev/ubdb, /dev/ubdc, /dev/ubdd. Those without it keep their names.',
    })
  })

  test.each([
    [
      'too small together',
      [200, 200],
      [/^TOO SMALL: \/dev\/nvme1n1 and \/dev\/ubdc .* have 392 MiB for vg0, .* 412 MiB\.$/],
    ],
    ['large enough', [200, 240], []],
    ['not of this machine', [200], []],
  ])('%s', (_, sizesMiB, notes) => {
    const sizes = new Map(sizesMiB.map((size, index) => [['/dev/nvme1n1', '/dev/ubdc'][index]!, size * 1024 * 1024]))
    expect(plan.layout.notesOnSizes(sizes)).toEqual(notes.map((note) => expect.stringMatching(note) as unknown))
  })
})

test.each([
  ['reports that are not understood', { lvs: { report: [] } }, 'lvs'],
  [
    'names that LVM does not have',
    { vgs: { report: [{ vg: [{ vg_name: '--config=x', vg_extent_size: '1' }] }] } },
    'vgs',
  ],
  [
    'disks that are options',
    { pvs: { report: [{ pv: [{ pv_name: '--config=x', vg_name: 'vg0', pv_size: '1' }] }] } },
    'pvs',
  ],
])('%s are not guessed at', (_, changes, command) => {
  expect(refusal(() => planRebuild(withLvm(changes), options))).toMatchObject({
    code: 'OUTPUT_UNREADABLE',
    message: `the report of ${command} in the manifest is not understood`,
    hint: expect.stringMatching(/vgcfgbackup/),
  })
})

describe('a manifest that somebody wrote to have the rebuilt host do what he wants', () => {
  const rebuildOf = (changes: Partial<Manifest['volumes'][number]>) => () =>
    planRebuild(manifestOf({ ...manifest, volumes: [{ ...volume('vg0-srv', '/srv', 'xfs'), ...changes }] }), options)

  test.each<[string, Partial<Manifest['volumes'][number]>]>([
    ['a program of his that is called mkfs.something', { filesystem: 'evil' }],
    ['swap made of a volume that was backed up', { filesystem: 'swap' }],
    ['another option of mkfs behind the UUID', { uuid: 'x,agcount=1' }],
    ['an order to mkfs in the place of a UUID', { uuid: 'random' }],
    ['a label that hides lines of the script', { label: 'x\x1b[1A\x1b[2K' }],
    ['a label that turns the direction of the line', { label: '\u202ereverse' }],
    ['a mount point outside of the target', { mountPoint: '/../etc' }],
    ['a mount point that is the target again', { mountPoint: '/./' }],
    ['a mount point with an empty name', { mountPoint: '/srv//data' }],
    ['a device outside of the mapper', { volume: '..' }],
  ])('is refused: %s', (_, changes) => {
    expect(rebuildOf(changes)).toThrow(expect.objectContaining({ code: 'ARCHIVE_DAMAGED' }))
  })

  const withRow = (report: 'lvs' | 'pvs', column: string, value: string) => () =>
    planRebuild(withLvm({ [report]: JSON.parse(changedRow(report, column, value)) }), options)
  const changedRow = (report: 'lvs' | 'pvs', column: string, value: string) =>
    JSON.stringify(fixture(report)).replace(new RegExp(`"${column}":"[^"]*"`), `"${column}":${JSON.stringify(value)}`)

  test.each<['lvs' | 'pvs', string, string]>([
    ['pvs', 'pv_name', '/dev/../etc/shadow'],
    ['pvs', 'pv_name', '/dev//ubdb'],
    ['pvs', 'vg_name', '..'],
    ['lvs', 'lv_name', '.'],
    ['lvs', 'lv_name', '--config'],
    ['lvs', 'lv_dm_path', '/dev/mapper/../../etc'],
    ['lvs', 'lv_size', '99999999999999999999'],
  ])('has no report of %s with a %s of %s', (report, column, value) => {
    expect(withRow(report, column, value)).toThrow(expect.objectContaining({ code: 'OUTPUT_UNREADABLE' }))
  })

  test('does not have the first backup of the rebuilt host remove a volume, by a tag that marks leftovers', () => {
    const lvs = JSON.stringify(fixture('lvs')).replace(
      '"snapstream.skip"',
      '"snapstream,snapstream.run=x,snapstream.skip,mine"',
    )
    const commands = commandsOf(planRebuild(withLvm({ lvs: JSON.parse(lvs) }), options)).join('\n')
    expect(commands).toContain('--addtag snapstream.skip --addtag mine')
    expect(commands).not.toMatch(/--addtag snapstream(?!\.skip)/)
  })
})

import { formatArgv } from '../../agent/host/argv'
import { planDevices } from '../../agent/source/rebuild'
import type { HostLayouts } from '../../agent/source/record'
import type { ReplacedDisks } from '../../agent/source/rebuild-step'
import { dosTable, gptTable } from '../support/partition-tables'
import { refusal } from '../support/refusal'
import { captured } from '../support/storage'

const MIB = 1024 * 1024
const report = (command: 'lvs' | 'vgs' | 'pvs'): unknown => JSON.parse(captured(command))
const lvm: NonNullable<HostLayouts['lvm']> = {
  ...{ lvs: report('lvs'), vgs: report('vgs'), pvs: report('pvs') },
  groupConfigurations: {},
}
const partitionTables = { '/dev/nvme0n1': gptTable('/dev/nvme0n1'), '/dev/nvme2n1': dosTable('/dev/nvme2n1') }
const onDisk = (...devices: string[]) => devices.map((device) => ({ device, mountPoint: '/srv', sizeBytes: 64 * MIB }))
const commandsOf = (...plan: Parameters<typeof planDevices>) =>
  planDevices(...plan).steps.map(({ argv }) => formatArgv(argv))

test('what was on LVM is made again by LVM, on the disks that are there', () => {
  const layout = planDevices({ lvm }, [], [['/dev/ubdb', '/dev/nvme1n1']])
  expect(layout.disks).toContain('/dev/nvme1n1')
  expect(layout.formerDisks).toContain('/dev/ubdb')
  expect(layout.biosDisks).toEqual([])
})

describe('a host without LVM', () => {
  const volumes = onDisk('/dev/nvme0n1p4', '/dev/nvme0n1p2', '/dev/nvme1n1')
  const disks: ReplacedDisks = [['/dev/nvme0n1', '/dev/sdb'], ['/dev/nvme1n1', '/dev/sdc']] // prettier-ignore

  test('has its partitions again, once all of the disks are known to be empty', () => {
    const commands = commandsOf({ partitionTables }, volumes, disks)
    expect(commands.map((command) => command.replace(/^sh -euc '.*' (?=sh )/, 'check '))).toEqual([
      'check sh /dev/sdb',
      'check sh /dev/sdc',
      'sfdisk --quiet --wipe always --wipe-partitions always /dev/sdb',
      "sh -euc 'if command -v udevadm >/dev/null; then udevadm settle; fi'",
    ])
  })

  test('is started by a BIOS from the disk with a place for its code', () => {
    expect(planDevices({ partitionTables }, volumes, disks).biosDisks).toEqual(['/dev/sdb'])
  })

  test('needs no disk in the place of one of which nothing was backed up', () => {
    expect(planDevices({ partitionTables }, volumes, disks).formerDisks).toEqual(['/dev/nvme0n1', '/dev/nvme1n1'])
    expect(refusal(() => planDevices({ partitionTables }, volumes, [['/dev/nvme2n1', '/dev/sdd']]))).toEqual({
      code: 'USAGE',
      message: 'nothing that was backed up was on a disk /dev/nvme2n1',
      hint: 'Give --disk OLD=NEW for these of the host: /dev/nvme0n1, /dev/nvme1n1. Those without it keep their names.',
    })
  })

  test('has no two disks made of one', () => {
    const one: ReplacedDisks = [['/dev/nvme0n1', '/dev/sdb'], ['/dev/nvme1n1', '/dev/sdb']] // prettier-ignore
    expect(refusal(() => planDevices({ partitionTables }, volumes, one))).toMatchObject({
      ...{ code: 'USAGE', message: '/dev/sdb is to be in the place of two disks' },
    })
  })

  test('has no filesystem on what is no device', () => {
    expect(refusal(() => planDevices({}, onDisk('tmpfs'), []))).toMatchObject({ code: 'OUTPUT_UNREADABLE' })
  })
})

describe('a host with LVM on a partition', () => {
  // The first of its physical volumes is the last partition of its first disk.
  const pvs = JSON.parse(captured('pvs').replaceAll('/dev/ubdb', '/dev/nvme0n1p4')) as unknown
  const layouts = { lvm: { ...lvm, pvs }, partitionTables }
  const volumes = onDisk('/dev/nvme0n1p3')

  test('has partitions, then physical volumes, each at its place on the new disk', () => {
    const commands = commandsOf(layouts, volumes, [['/dev/nvme0n1', '/dev/nvme5n1'], ['/dev/ubdc', '/dev/sdx']]) // prettier-ignore
    const order = commands.map((command) => command.replace(/^sh .* /, '')).slice(0, 8)
    expect(order).toEqual([
      '/dev/nvme5n1',
      '/dev/sdx',
      '/dev/ubdd',
      'sfdisk --quiet --wipe always --wipe-partitions always /dev/nvme5n1',
      expect.stringContaining("fi'"),
      'pvcreate /dev/nvme5n1p4',
      'pvcreate /dev/sdx',
      'pvcreate /dev/ubdd',
    ])
  })

  test('has filesystems on partitions and on logical volumes, and looks at whole disks only', () => {
    const layout = planDevices(layouts, volumes, [])
    expect(layout.disks).toEqual(['/dev/nvme0n1', '/dev/ubdc', '/dev/ubdd'])
    expect(layout.formerDisks).toEqual(layout.disks)
    const devices = layout.devices.map(({ device }) => device)
    expect(devices).toEqual(expect.arrayContaining(['/dev/nvme0n1p3', '/dev/mapper/vg0-home']))
    expect(devices).not.toContain('/dev/nvme0n1p4')
  })

  test.each<[string, number, string[]]>([
    ['enough for a group', 320, []],
    [
      'too small for a group',
      300,
      ['TOO SMALL: /dev/nvme0n1p4 and /dev/ubdc of this machine have 392 MiB for vg0, which needs 412 MiB.'],
    ],
  ])('is told whether a partition, with the size that it will have, and a disk are %s', (_, sizeMiB, notes) => {
    const sizes = new Map([['/dev/nvme0n1', 1024 * MIB], ['/dev/ubdc', sizeMiB * MIB]]) // prettier-ignore
    expect(planDevices(layouts, volumes, []).notesOnSizes(sizes)).toEqual(notes)
  })
})

test('a manifest that says nothing of disks leaves the way by hand', () => {
  expect(refusal(() => planDevices({}, [], []))).toMatchObject({
    code: 'OUTPUT_UNREADABLE',
    hint: expect.stringContaining('"snapstream restore"') as string,
  })
})

import { findPartitions, isStartedByBios, planDisks, readDisks } from '../../../agent/source/disks/rebuild'
import { formatArgv } from '../../../agent/host/argv'
import { dosTable, gptTable } from '../../support/partition-tables'
import { refusal } from '../../support/refusal'

const MIB = 1024 * 1024
const disksOf = (tables: Record<string, string>) => readDisks(tables, Object.keys(tables))
const root = disksOf({ '/dev/nvme0n1': gptTable('/dev/nvme0n1') })
const nowOf = (disk: string) => ({ '/dev/nvme0n1': '/dev/sdb', '/dev/nvme1n1': '/dev/sdc' })[disk] ?? disk

test('a disk gets its partitions again, and they their names on the new disk', () => {
  const { disks, formerDisks, steps, devices } = planDisks(root, [], new Set(), nowOf)
  expect([disks, formerDisks]).toEqual([['/dev/sdb'], ['/dev/nvme0n1']])
  expect(steps.map(({ argv }) => formatArgv(argv))).toEqual([
    'sfdisk --quiet --wipe always --wipe-partitions always /dev/sdb',
  ])
  expect(steps[0]?.input).toContain('\n/dev/sdb3 : start=135168, size=409600, ')
  expect(devices.map(({ device, former }) => [device, former])).toEqual([
    ['/dev/sdb2', '/dev/nvme0n1p2'],
    ['/dev/sdb3', '/dev/nvme0n1p3'],
    ['/dev/sdb4', '/dev/nvme0n1p4'],
  ])
})

test('an fstab may name a partition by its ids', () => {
  const { devices } = planDisks(root, [], new Set(), nowOf)
  expect(devices[0]?.aliases).toEqual(['PARTUUID=a6a7de96-52a6-654a-aaef-97123fd8c541', 'PARTLABEL=EFI'])
  const dos = planDisks(disksOf({ '/dev/sda': dosTable('/dev/sda') }), [], new Set(), nowOf)
  expect(dos.devices.map(({ aliases }) => aliases)).toEqual([['PARTUUID=1b2c3d4e-01'], ['PARTUUID=1b2c3d4e-05']])
})

test('no filesystem is made where a physical volume will be, a boot loader’s code, or other partitions', () => {
  const held = planDisks(root, [], new Set(['/dev/nvme0n1p4']), nowOf)
  expect(held.devices.map(({ former }) => former)).toEqual(['/dev/nvme0n1p2', '/dev/nvme0n1p3'])
})

test('a filesystem on a disk without partitions is on such a disk again', () => {
  const { steps, devices } = planDisks(
    [],
    [{ device: '/dev/nvme1n1', mountPoint: '/srv', sizeBytes: MIB }],
    new Set(),
    nowOf,
  )
  expect(steps).toEqual([])
  expect(devices).toEqual([{ device: '/dev/sdc', former: '/dev/nvme1n1', aliases: [] }])
})

test('what is too small is said, down to the copy that GPT keeps at the end', () => {
  const plan = planDisks(root, [{ device: '/dev/nvme1n1', mountPoint: '/srv', sizeBytes: 3 * MIB }], new Set(), nowOf)
  const sectors = 544768 + 204800 + 33
  const sizes = (bytes: number, dataBytes: number) => new Map([['/dev/sdb', bytes], ['/dev/sdc', dataBytes]]) // prettier-ignore
  expect(plan.notesOnSizes(sizes(sectors * 512, 3 * MIB))).toEqual([])
  expect(plan.notesOnSizes(new Map())).toEqual([])
  expect(plan.notesOnSizes(sizes(sectors * 512 - 1, 2 * MIB))).toEqual([
    'TOO SMALL: /dev/sdb of this machine has 366 MiB for what needs 366 MiB.',
    'TOO SMALL: /dev/sdc of this machine has 2 MiB for what needs 3 MiB.',
  ])
})

describe('a BIOS starts the host', () => {
  const dos = dosTable('/dev/sda').replace(', bootable', '')
  test.each<[string, string, string, boolean]>([
    ['from a table of GPT with a place for its code', gptTable('/dev/sda'), '/srv', true],
    ['not from one without such a place', gptTable('/dev/sda').replace(/^.*21686148.*\n/m, ''), '/', false],
    ['from a table of DOS that is marked', dosTable('/dev/sda'), '/srv', true],
    ['from one with its root', dos, '/', true],
    ['from one with its /boot', dos, '/boot', true],
    ['not from one with data alone', dos, '/srv', false],
  ])('%s', (_, dump, mountPoint, isStarted) => {
    const filesystems = [{ device: '/dev/sda1', mountPoint, sizeBytes: 1 }]
    expect(isStartedByBios(disksOf({ '/dev/sda': dump })[0]!, filesystems)).toBe(isStarted)
  })
})

test('partitions are found by what the host called them, on disks that are wanted', () => {
  const tables = { '/dev/sda': dosTable('/dev/sda'), '/dev/sdb': 'label: sun\n' }
  expect([...findPartitions(readDisks(tables, ['/dev/sda1'])).keys()]).toEqual(['/dev/sda1', '/dev/sda2', '/dev/sda5'])
})

test('a table of what is no device is refused', () => {
  expect(refusal(() => disksOf({ '--force': gptTable('--force') }))).toMatchObject({ code: 'OUTPUT_UNREADABLE' })
  expect(refusal(() => disksOf({ '/dev/../x': gptTable('/dev/../x') }))).toMatchObject({ code: 'OUTPUT_UNREADABLE' })
})

import { formatPartitionTable, parsePartitionTable, partitionDevice } from '../../../agent/source/disks/table'
import { refusal } from '../../support/refusal'

/** `sfdisk --dump` 2.38.1 of a disk with a place for GRUB, an ESP, /boot and a root. */
const GPT = `label: gpt
label-id: 2C015F72-B5D5-1948-B12A-A01FC0576EB7
device: /dev/nvme0n1
unit: sectors
first-lba: 34
last-lba: 4194270
sector-size: 512

/dev/nvme0n1p1 : start=      659456, size=     3532800, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=0D02CDD3-7C9C-4C4C-9167-5E31CE7BECC7, name="root, and \\x22more\\x22"
/dev/nvme0n1p14 : start=        2048, size=        2048, type=21686148-6449-6E6F-744E-656564454649, uuid=CC63446A-4238-C844-B56D-48242883C303, attrs="LegacyBIOSBootable GUID:48,63"
/dev/nvme0n1p128 : start=        4096, size=      131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=A6A7DE96-52A6-654A-AAEF-97123FD8C541
`
const DOS = `label: dos
label-id: 0x1b2c3d4e
device: /dev/sda
unit: sectors
sector-size: 512

/dev/sda1 : start=        2048, size=      204800, type=83, bootable
/dev/sda2 : start=      206848, size=      409600, type=5
/dev/sda5 : start=      208896, size=      102400, type=82
`

test('a table of GPT goes to a disk of another name and size, with all its ids', () => {
  expect(formatPartitionTable('/dev/sdb', parsePartitionTable('/dev/nvme0n1', GPT))).toBe(`label: gpt
label-id: 2C015F72-B5D5-1948-B12A-A01FC0576EB7
unit: sectors
first-lba: 34

/dev/sdb1 : start=659456, size=3532800, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=0D02CDD3-7C9C-4C4C-9167-5E31CE7BECC7, name="root, and \\x22more\\x22"
/dev/sdb14 : start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, uuid=CC63446A-4238-C844-B56D-48242883C303, attrs="LegacyBIOSBootable GUID:48,63"
/dev/sdb128 : start=4096, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=A6A7DE96-52A6-654A-AAEF-97123FD8C541
`)
})

test('so does one of DOS, with partitions within a partition', () => {
  expect(formatPartitionTable('/dev/nvme1n1', parsePartitionTable('/dev/sda', DOS))).toBe(`label: dos
label-id: 0x1b2c3d4e
unit: sectors

/dev/nvme1n1p1 : start=2048, size=204800, type=83, bootable
/dev/nvme1n1p2 : start=206848, size=409600, type=5
/dev/nvme1n1p5 : start=208896, size=102400, type=82
`)
})

test('a table of an unusual length has it again', () => {
  const table = parsePartitionTable(
    '/dev/sda',
    GPT.replace('unit:', 'table-length: 56\nunit:').replaceAll('nvme0n1p', 'sda'),
  )
  expect(formatPartitionTable('/dev/sda', table)).toContain('\ntable-length: 56\n')
})

test.each([
  ['/dev/sda', '/dev/sda3'],
  ['/dev/xvda', '/dev/xvda3'],
  ['/dev/nvme0n1', '/dev/nvme0n1p3'],
  ['/dev/md127', '/dev/md127p3'],
])('the third partition of %s is %s', (disk, partition) => {
  expect(partitionDevice(disk, 3)).toBe(partition)
})

describe('what somebody wrote to have sfdisk do something else is refused', () => {
  test.each<[string, string, string]>([
    ['a line that is no partition', 'uuid=0D02', 'write\n/dev/nvme0n1p1 : uuid=0D02'],
    ['a field that is no partition’s', ', name="root', ', device=/dev/sdz, name="root'],
    ['a name that ends early', 'name="root', 'name="x", size=1, name="root'],
    ['a name that goes on in another line', 'name="root', 'name="x\u2028'],
    ['a name with an escape of its own', 'and \\x22', 'and \\n'],
    ['an id that is none', '2C015F72-B5D5', '2C015F72 B5D5'],
    ['a type that is a word', 'type=0FC63DAF-8483-4772-8E79-3D69D8477DE4', 'type=swap'],
    ['a partition of another disk', '/dev/nvme0n1p14', '/dev/sda14'],
    ['a size that is none', 'size=     3532800', 'size=+'],
    ['a start that is missing', 'start=        4096, ', ''],
    ['a kind of table that is none', 'label: gpt', 'label: script'],
    ['a place of the first sector that is none', 'first-lba: 34', 'first-lba: -1'],
  ])('%s', (_, part, instead) => {
    expect(GPT).toContain(part)
    const dump = GPT.replace(part, instead)
    expect(refusal(() => formatPartitionTable('/dev/sdb', parsePartitionTable('/dev/nvme0n1', dump)))).toMatchObject({
      code: 'OUTPUT_UNREADABLE',
      hint: expect.stringContaining('system.partitionTables') as string,
    })
  })

  test('a field of GPT in a table of DOS', () => {
    expect(refusal(() => parsePartitionTable('/dev/sda', DOS.replace('bootable', 'name="x"')))).toMatchObject({
      code: 'OUTPUT_UNREADABLE',
    })
  })

  test('no table at all', () => {
    expect(refusal(() => parsePartitionTable('/dev/sda', ''))).toMatchObject({ code: 'OUTPUT_UNREADABLE' })
  })
})

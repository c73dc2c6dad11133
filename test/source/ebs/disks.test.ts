import {
  devicesOf,
  disksBelow,
  findDevice,
  parseDisks,
  parsePhysicalVolumes,
  parseSysfs,
  readSysfs,
  volumeIdOf,
  type Disks,
} from '../../../agent/source/ebs/disks'

const node = (kname: string, type: string, ...children: readonly object[]) => ({
  ...{ name: kname, kname, 'maj:min': `259:${kname.length}`, type, size: 1024 },
  ...(children.length > 0 && { children }),
})
const raid = node('md0', 'raid1')
const LSBLK = JSON.stringify({
  blockdevices: [
    node('nvme0n1', 'disk', node('nvme0n1p1', 'part'), node('nvme0n1p128', 'part')),
    node('nvme1n1', 'disk', raid),
    node('nvme2n1', 'disk', raid),
  ],
})
const SYSFS = `/sys/class/block/nvme0n1/device/serial:vol0123456789abcdef0
/sys/class/block/nvme0n1p1/partition:1
/sys/class/block/nvme0n1p128/partition:128
/sys/class/block/nvme1n1/device/serial:vol-0aaaaaaaaaaaaaaaa
/sys/class/block/nvme1n1/serial:another
`
const disks: Disks = { devices: parseDisks(LSBLK), ...parseSysfs(SYSFS) }
const named = (name: string) => disks.devices.find((device) => device.name === name)!

test('a device knows what it lies on, however many disks that are', () => {
  expect(named('nvme0n1p1')).toEqual({
    ...{ name: 'nvme0n1p1', deviceNumber: '259:9', type: 'part', sizeBytes: 1024, parents: ['nvme0n1'] },
  })
  expect(disksBelow(disks, named('md0')).map(({ name }) => name)).toEqual(['nvme1n1', 'nvme2n1'])
  expect(disksBelow(disks, named('nvme0n1'))).toEqual([named('nvme0n1')])
  expect(devicesOf(disks, named('nvme0n1')).map(({ name }) => name)).toEqual(['nvme0n1', 'nvme0n1p1', 'nvme0n1p128'])
})

test('what lsblk of another version prints is understood, and what is none of its output is refused', () => {
  // A size in words, as before util-linux 2.33 even with --bytes; no children; nothing at all.
  const old = { blockdevices: [{ kname: 'sda', 'maj:min': ' 8:0 ', type: 'disk', size: '1024', extra: true }] }
  expect(parseDisks(JSON.stringify(old))).toEqual([
    { name: 'sda', deviceNumber: '8:0', type: 'disk', sizeBytes: 1024, parents: [] },
  ])
  expect(parseDisks('{"blockdevices":[]}')).toEqual([])
  expect(() => parseDisks('[]')).toThrow(/lsblk is not understood/)
})

test.each([
  ['vol0123456789abcdef0', 'vol-0123456789abcdef0'],
  ['vol-0123456789abcdef0', 'vol-0123456789abcdef0'],
  ['vol12345678', 'vol-12345678'],
  ['AWS22222222222222222', undefined],
  ['vol0123', undefined],
  ['(null)', undefined],
  [undefined, undefined],
])('the serial %s is that of volume %s', (serial, volumeId) => {
  expect(volumeIdOf(serial)).toBe(volumeId)
})

test('the serial of the controller comes before that of the disk', () => {
  expect(disks.serials.get('nvme1n1')).toBe('vol-0aaaaaaaaaaaaaaaa')
  expect(readSysfs([{ name: 'nvme1n1' }])).toEqual([
    ...['grep', '--no-messages', '--with-filename', ''],
    ...['device/serial', 'serial', 'partition'].map((file) => `/sys/class/block/nvme1n1/${file}`),
  ])
})

test('a copy is found by its serial, and its partition by its number', () => {
  expect(findDevice(disks, 'vol-0123456789abcdef0')?.name).toBe('nvme0n1')
  expect(findDevice(disks, 'vol-0123456789abcdef0', 128)?.name).toBe('nvme0n1p128')
  expect(findDevice(disks, 'vol-0123456789abcdef0', 2)).toBeUndefined()
  expect(findDevice(disks, 'vol-0bbbbbbbbbbbbbbbb')).toBeUndefined()
})

test('blkid tells which devices LVM has', () => {
  const output = `DEVNAME=/dev/nvme0n1p1
UUID=1
TYPE=ext4

DEVNAME=/dev/nvme1n1
TYPE=LVM2_member
`
  expect(parsePhysicalVolumes(output)).toEqual(['nvme1n1'])
  expect(parsePhysicalVolumes('')).toEqual([])
})

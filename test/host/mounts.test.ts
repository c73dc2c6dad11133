import { parseDf, parseFindmnt, parseLsblk } from '../../agent/host/mounts'
import { captured } from '../support/storage'

test('understands what findmnt says: bind mounts, labels, filesystems without a device', () => {
  const mounts = parseFindmnt(captured('findmnt'))
  const at = (target: string) => mounts.find((mount) => mount.target === target)
  expect(at('/srv')).toMatchObject({ source: '/dev/mapper/vg0-srv', filesystem: 'ext4', root: '/', label: 'service' })
  expect(at('/mnt/part')).toMatchObject({ source: '/dev/mapper/vg0-home', root: '/part' })
  expect(at('/proc')).toMatchObject({ filesystem: 'proc', deviceNumber: '0:16' })
  expect(at('/proc')?.uuid).toBeUndefined()
})

test('knows from lsblk what lies on what, also of a volume on two disks', () => {
  const devices = parseLsblk(captured('lsblk'))
  const mounts = parseFindmnt(captured('findmnt'))
  const deviceOf = (target: string) => {
    const number = mounts.find((mount) => mount.target === target)?.deviceNumber
    return devices.filter(({ deviceNumber }) => deviceNumber === number)
  }
  expect(deviceOf('/srv/home')).toEqual([expect.objectContaining({ type: 'lvm', below: ['disk'] })])
  expect(deviceOf('/secret')).toEqual([expect.objectContaining({ type: 'crypt', below: ['disk', 'lvm'] })])
  expect(deviceOf('/srv/plain')).toEqual([expect.objectContaining({ type: 'disk', below: [] })])
})

test('device numbers may be padded, as older versions of lsblk write them', () => {
  const json = '{"blockdevices":[{"name":"a","maj:min":" 8:0 ","type":"disk"}]}'
  expect(parseLsblk(json)).toEqual([{ deviceNumber: '8:0', type: 'disk', below: [] }])
})

test('what df says of use is found by device, and nothing where there is no such filesystem', () => {
  const text = '     Used Filesystem\n    17408 /dev/mapper/vg0-srv\n 17694720 /dev/mapper/vg0-home\n'
  expect(parseDf(text).get('/dev/mapper/vg0-home')).toBe(17694720)
  expect(parseDf('')).toEqual(new Map())
})

test('a mount of which findmnt knows next to nothing costs itself at most', () => {
  const odd = (row: string) => captured('findmnt').replace('"filesystems": [', `"filesystems": [ ${row},`)
  const numberless = parseFindmnt(odd('{"target":"/odd","source":null,"fstype":null,"options":null,"maj:min":null}'))
  expect(numberless[0]).toMatchObject({ target: '/odd', source: '', deviceNumber: '0:0', root: '/' })
  expect(parseFindmnt(odd('{"target":null,"maj:min":"0:5"}'))).toEqual(parseFindmnt(captured('findmnt')))
})

import { flattenBlockDevices } from '../../agent/host/block-devices'

test('all devices are found, each before what lies on it', () => {
  const lvm = { name: 'vg0-home', type: 'lvm' }
  const report = { blockdevices: [{ name: 'sda', type: 'disk', children: [{ name: 'sda1', type: 'part', children: [lvm] }] }, { name: 'sdb', type: 'disk' }] } // prettier-ignore
  expect(flattenBlockDevices(report).map(({ name, type }) => [name, type])).toEqual([
    ['sda', 'disk'],
    ['sda1', 'part'],
    ['vg0-home', 'lvm'],
    ['sdb', 'disk'],
  ])
})

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['a word', 'sda'],
  ['a list', ['sda']],
  ['devices that are none', { blockdevices: [null, 1, 'sda', { name: 'sda' }, { children: 'sda' }] }],
])('a report that is %s has nothing in it', (_, report) => {
  expect(flattenBlockDevices(report)).toEqual([])
})

test('what lies on something that is not understood is found all the same', () => {
  const children = [{ name: 'sda1', type: 'part' }]
  expect(flattenBlockDevices({ blockdevices: [{ children }] }).map(({ name }) => name)).toEqual(['sda1'])
})

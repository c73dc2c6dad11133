import { deviceMapperName, lvmLayoutSchema, lvmSourceSchema } from '../../../agent/source/lvm/record'

const thin = { kind: 'lvm', group: 'vg0', name: 'home', snapshot: { type: 'thin', sizeBytes: 0 } }
const layout = {
  lvs: { report: [] },
  vgs: { report: [] },
  pvs: { report: [] },
  groupConfigurations: { vg0: 'vg0 {\n}\n' },
}

test.each([
  ['vg0', 'home', 'vg0-home'],
  ['vg-0', 'home', 'vg--0-home'],
  ['vg0', 'db-1-', 'vg0-db--1--'],
  ['a-', 'b', 'a---b'],
  ['a', '-b', 'a---b'],
])('%s/%s is called %s by the device mapper', (group, name, expected) => {
  expect(deviceMapperName({ group, name })).toBe(expected)
})

test('what a backup writes of its source is read back as it was', () => {
  expect(lvmSourceSchema.parse(thin)).toEqual(thin)
})

test.each<[string, object]>([
  ['a group that is a path', { group: '../etc' }],
  ['a volume that is a path', { name: 'a/b' }],
  ['a volume that is the directory itself', { name: '.' }],
  ['a volume without a name', { name: '' }],
  ['a snapshot of no known type', { snapshot: { type: 'mirror', sizeBytes: 0 } }],
  ['a snapshot of less than nothing', { snapshot: { type: 'thick', sizeBytes: -1 } }],
  ['a snapshot of half a byte', { snapshot: { type: 'thick', sizeBytes: 0.5 } }],
])('%s is refused', (_, changes) => {
  expect(lvmSourceSchema.safeParse({ ...thin, ...changes }).success).toBe(false)
})

test('a run that was made before thin pools were recorded has none', () => {
  expect(lvmLayoutSchema.parse(layout)).not.toHaveProperty('thinPools')
})

test.each<[string, object]>([
  ['without the text of its groups', { groupConfigurations: undefined }],
  ['whose configurations are no text', { groupConfigurations: { vg0: 1 } }],
  ['of a group whose name would speak to a terminal', { groupConfigurations: { 'vg\u001b[2K': '' } }],
])('a layout %s is refused', (_, changes) => {
  expect(lvmLayoutSchema.safeParse({ ...layout, ...changes }).success).toBe(false)
})

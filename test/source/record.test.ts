import {
  describeSource,
  isOfOneMoment,
  layoutsSchema,
  SOURCE_KINDS,
  sourceSchema,
  volumeNameOf,
} from '../../agent/source/record'
import { SNAPSHOT_SOURCES } from '../../agent/contract'
import { SOURCES } from '../../agent/source/sources.io'

const thick = { kind: 'lvm', group: 'vg0', name: 'home', snapshot: { type: 'thick', sizeBytes: 4096 } }

test('a manifest may name the sources that there are, and no others', () => {
  expect(SOURCE_KINDS).toEqual(SOURCES.map(({ kind }) => kind))
  expect(SNAPSHOT_SOURCES).toEqual(expect.arrayContaining([...SOURCE_KINDS]))
  expect(sourceSchema.safeParse(thick).success).toBe(true)
  expect(sourceSchema.safeParse({ ...thick, kind: 'zfs' }).success).toBe(false)
  expect(sourceSchema.safeParse({ ...thick, kind: undefined }).success).toBe(false)
})

test('a volume is called after its source', () => {
  expect(volumeNameOf({ source: sourceSchema.parse(thick), mountPoint: '/home' })).toBe('vg0-home')
})

test('a host without LVM has no layout of it, and none has one of what this agent does not know', () => {
  expect(layoutsSchema.parse({})).toEqual({})
  expect(layoutsSchema.parse({ zfs: {} })).toEqual({})
  expect(layoutsSchema.safeParse({ lvm: 'none' }).success).toBe(false)
})

test.each([
  [thick, 'snapshot lived 12 s', true],
  [
    { kind: 'ebs', volumeId: 'vol-0123456789abcdef0', engine: 'snapshot', consistency: 'frozen' },
    'EBS snapshot, frozen meanwhile, lived 12 s',
    true,
  ],
  [
    { kind: 'ebs', volumeId: 'vol-0123456789abcdef0', engine: 'clone', consistency: 'crash' },
    'EBS clone, lived 12 s',
    true,
  ],
  [{ kind: 'quiet', consistency: 'stable-read' }, 'read in place, twice alike', false],
])('an operator reads how consistent each volume is: %#', (record, text, ofOneMoment) => {
  const source = sourceSchema.parse(record)
  expect(describeSource(source, '12 s')).toBe(text)
  expect(isOfOneMoment(source)).toBe(ofOneMoment)
})

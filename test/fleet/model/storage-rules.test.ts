import type { LifecycleRule } from '@aws-sdk/client-s3'
import { SUPERSEDED_TAG } from '../../../agent/contract'
import { findUnguarded, toStorageRules } from '../../../fleet/model/storage-rules'

const OURS = { Key: SUPERSEDED_TAG.key, Value: SUPERSEDED_TAG.value }
const expiry = (rule: Partial<LifecycleRule>) =>
  toStorageRules([{ ID: 'x', Status: 'Enabled', Expiration: { Days: 35 }, ...rule }])

test.each<[string, Partial<LifecycleRule>, { prefix: string; needsTag: boolean }]>([
  ['of a prefix', { Filter: { Prefix: 'data/' } }, { prefix: 'data/', needsTag: false }],
  ['of the whole bucket', {}, { prefix: '', needsTag: false }],
  ['from before there were filters', { ['Prefix' as string]: 'data/' }, { prefix: 'data/', needsTag: false }],
  ['of our tag anywhere', { Filter: { Tag: OURS } }, { prefix: '', needsTag: true }],
  ['of both', { Filter: { And: { Prefix: 'data/', Tags: [OURS] } } }, { prefix: 'data/', needsTag: true }],
])('a rule %s', (_, rule, found) => {
  expect(expiry(rule)).toEqual([{ ...found, expireAfterDays: 35, transitions: [] }])
})

test.each<[string, Partial<LifecycleRule>]>([
  ['that is switched off', { Status: 'Disabled' }],
  ['of a tag of somebody else', { Filter: { Tag: { Key: 'costs', Value: 'a' } } }],
  ['of our tag with another value', { Filter: { Tag: { ...OURS, Value: 'no' } } }],
  ['of a tag beside ours', { Filter: { And: { Tags: [OURS, { Key: 'costs', Value: 'a' }] } } }],
  ['of delete markers', { Expiration: { ExpiredObjectDeleteMarker: true } }],
])('a rule %s says nothing of any object that is known', (_, rule) => {
  expect(expiry(rule)).toEqual([])
})

test.each<[string, Partial<LifecycleRule>, string]>([
  ['large objects', { Filter: { ObjectSizeGreaterThan: 1000 } }, 'everything by its size'],
  [
    'small objects below a prefix',
    { Filter: { And: { Prefix: 'data/', ObjectSizeLessThan: 1000 } } },
    'what is below data/ by its size',
  ],
  ['all on a day in the calendar', { Expiration: { Date: new Date(0) } }, 'everything by its size, or on a day'],
])('a rule that expires %s without the tag is told of, and says nothing of when one goes', (_, rule, told) => {
  const found = expiry(rule)
  expect(found).toMatchObject([{ ofSome: true, transitions: [] }])
  expect(found[0]).not.toHaveProperty('expireAfterDays')
  expect(findUnguarded(found)).toEqual([expect.stringContaining(told)])
})

test('a rule that moves large objects, or expires them with the tag, expires no last backup', () => {
  const large = { Filter: { ObjectSizeGreaterThan: 1000 } }
  const Transitions = [{ Days: 30, StorageClass: 'GLACIER' as const }]
  expect(toStorageRules([{ ID: 'x', Status: 'Enabled', Transitions, ...large }])).toEqual([])
  const Filter = { And: { Tags: [OURS], ObjectSizeGreaterThan: 1000 } }
  expect(findUnguarded(expiry({ Filter }))).toEqual([])
})

const expires = (prefix: string, needsTag = false) => ({ prefix, needsTag, expireAfterDays: 35, transitions: [] })

test.each(['', 'd', 'data/', 'data/daily/', 'manifests/daily/arn:aws:', 'verdicts/', 'drills/daily/'])(
  'a rule without the tag that reaches into the backups by the prefix "%s" is told of',
  (prefix) => {
    expect(findUnguarded([expires(prefix)])).toHaveLength(1)
    expect(findUnguarded([expires(prefix, true)])).toEqual([])
  },
)

test.each(['fleet/', 'reports/', 'agent/', 'database/'])('a rule of %s concerns no backup', (prefix) => {
  expect(findUnguarded([expires(prefix)])).toEqual([])
})

test('a rule that only moves objects expires none', () => {
  const transitions = [{ afterDays: 30, storageClass: 'GLACIER' }]
  expect(findUnguarded([{ prefix: 'data/', needsTag: false, transitions }])).toEqual([])
})

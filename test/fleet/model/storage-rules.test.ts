import type { LifecycleRule } from '@aws-sdk/client-s3'
import { SUPERSEDED_TAG } from '../../../agent/contract'
import { toStorageRules } from '../../../fleet/model/storage-rules'

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
  ['of large objects', { Filter: { ObjectSizeGreaterThan: 1000 } }],
  ['of small objects below a prefix', { Filter: { And: { Prefix: 'data/', ObjectSizeLessThan: 1000 } } }],
  ['of a day in the calendar', { Expiration: { Date: new Date(0) } }],
  ['of delete markers', { Expiration: { ExpiredObjectDeleteMarker: true } }],
])('a rule %s says nothing of any object that is known', (_, rule) => {
  expect(expiry(rule)).toEqual([])
})

/** How EC2 takes requests, whatever they ask for. */
import { setTimeout as sleep } from 'node:timers/promises'
import { askEc2 } from './ask'
import { HANG_UP, startEc2, type LaunchedInstance, type RunningEc2 } from './index'
import type { ActionName } from './actions'

let nowMs = Date.UTC(2026, 0, 31)
let ec2: RunningEc2
let host: LaunchedInstance

beforeEach(async () => {
  ec2 = await startEc2({ now: () => nowMs })
  host = await ec2.launch({ volumes: [{ sizeGiB: 1 }, { sizeGiB: 1, tags: { purpose: 'data', 'a*b': 'yes' } }] })
})
afterEach(() => ec2.stop())

const ask = (action: ActionName, parameters?: Record<string, string>) => askEc2(ec2, action, parameters)
const newVolume = { AvailabilityZone: 'us-east-1a', Size: '1' }
/** An attached one is named twice. */
const volumes = async (parameters?: Record<string, string>) => [
  ...new Set((await ask('DescribeVolumes', parameters)).texts('volumeId')),
]

/** @param filters - names and values */
function filtered(...filters: readonly [string, ...string[]][]): Record<string, string> {
  const entries = filters.flatMap(([name, ...values], index) => [
    [`Filter.${index + 1}.Name`, name] as const,
    ...values.map((value, number) => [`Filter.${index + 1}.Value.${number + 1}`, value] as const),
  ])
  return Object.fromEntries(entries)
}

test.each<[ActionName | 'ModifyVolume', Record<string, string>, string]>([
  ['ModifyVolume', {}, 'InvalidAction'],
  ['DescribeVolumes', { Version: '2009-01-01' }, 'InvalidAction'],
  ['DescribeVolumes', { Volumes: 'x' }, 'UnknownParameter'],
  ['DescribeVolumes', { 'VolumeId.1': 'snap-0123456789abcdef0' }, 'InvalidParameterValue'],
  ['DescribeVolumes', filtered(['tags:run', '1']), 'InvalidParameterValue'],
  ['DescribeVolumes', { MaxResults: '4' }, 'InvalidParameterValue'],
  ['DescribeVolumes', { NextToken: 'x' }, 'InvalidNextToken'],
  ['CreateVolume', { Size: '1' }, 'MissingParameter'],
  ['CreateVolume', { ...newVolume, Size: '0' }, 'InvalidParameterValue'],
  ['CreateVolume', { ...newVolume, DryRun: 'yes' }, 'InvalidParameterValue'],
  ['CreateVolume', { ...newVolume, ClientToken: 'x'.repeat(65) }, 'InvalidParameterValue'],
  ['CreateVolume', { ...newVolume, 'TagSpecification.1.ResourceType': 'snapshot' }, 'InvalidParameterValue'],
  ['DescribeInstances', { 'InstanceId.1': 'i-00000000000000000' }, 'InvalidInstanceID.NotFound'],
])('%s with %j is refused: %s', async (action, parameters, code) => {
  expect(await ask(action as ActionName, parameters)).toMatchObject({ status: 400, code })
  expect(await volumes()).toEqual(host.volumeIds)
})

test('a dry run does nothing, and says whether it may', async () => {
  const dryRun = { ...newVolume, DryRun: 'true' }
  expect(await ask('CreateVolume', dryRun)).toMatchObject({ status: 412, code: 'DryRunOperation' })
  ec2.configure({ denied: ['CreateVolume'] })
  expect(await ask('CreateVolume', dryRun)).toMatchObject({ status: 403, code: 'UnauthorizedOperation' })
  expect(await ask('CreateVolume', newVolume)).toMatchObject({ status: 403, code: 'UnauthorizedOperation' })
  expect(await volumes()).toEqual(host.volumeIds)
})

test('what is new is not found for a while', async () => {
  ec2.configure({ unseenSeconds: 2 })
  const [volume = ''] = (await ask('CreateVolume', newVolume)).texts('volumeId')
  expect(await ask('DescribeVolumes', { 'VolumeId.1': volume })).toMatchObject({ code: 'InvalidVolume.NotFound' })
  expect(await volumes()).toEqual(host.volumeIds)
  nowMs += 2000
  expect(await volumes({ 'VolumeId.1': volume })).toEqual([volume])
})

describe('faults', () => {
  test('throttle as often as they are told, and only their action', async () => {
    ec2.inject({ action: 'CreateVolume', code: 'RequestLimitExceeded', times: 2 })
    expect(await volumes()).toEqual(host.volumeIds)
    const statuses = []
    for (let count = 0; count < 3; count++) statuses.push((await ask('CreateVolume', newVolume)).status)
    expect(statuses).toEqual([503, 503, 200])
    expect(ec2.requests.map(({ action, code }) => [action, code])).toEqual([
      ['DescribeVolumes', undefined],
      ['CreateVolume', 'RequestLimitExceeded'],
      ['CreateVolume', 'RequestLimitExceeded'],
      ['CreateVolume', undefined],
    ])
  })

  test('lose the answer to what was done', async () => {
    ec2.inject({ action: 'CreateVolume', code: 'Unavailable', takesEffect: true })
    ec2.inject({ action: 'CreateVolume', code: HANG_UP, takesEffect: true })
    expect(await ask('CreateVolume', newVolume)).toMatchObject({ status: 503, code: 'Unavailable' })
    await expect(ask('CreateVolume', newVolume)).rejects.toThrow('fetch failed')
    expect(await volumes()).toHaveLength(4)
  })

  test('delay one answer, and no other', async () => {
    ec2.inject({ action: 'DescribeVolumes', delaySeconds: 0.3 })
    const ends: string[] = []
    const slow = volumes().then(() => ends.push('slow'))
    await sleep(50)
    await volumes().then(() => ends.push('quick'))
    await slow
    expect(ends).toEqual(['quick', 'slow'])
  })
})

test('filters match tags and states, any of their values, with wildcards', async () => {
  const [root = '', data = ''] = host.volumeIds
  const find = (...filters: readonly [string, ...string[]][]) => volumes(filtered(...filters))
  expect(await find(['tag:purpose', 'root', 'data'])).toEqual([data])
  expect(await find(['tag:purpose', 'd?t*'])).toEqual([data])
  expect(await find(['tag-key', 'a\\*b'])).toEqual([data])
  expect(await find(['tag-key', 'a\\*c'], ['status', 'in-use'])).toEqual([])
  expect(await find(['attachment.instance-id', host.id], ['attachment.device', '/dev/xvda'])).toEqual([root])
})

test('a page is cut before it is filtered, and may be empty', async () => {
  for (let count = 0; count < 5; count++) await ask('CreateVolume', newVolume)
  const request = { MaxResults: '5', ...filtered(['status', 'available']) }
  const first = await ask('DescribeVolumes', request)
  expect(first.texts('volumeId')).toHaveLength(3)
  const second = await ask('DescribeVolumes', { ...request, NextToken: first.texts('nextToken')[0]! })
  expect([second.texts('volumeId').length, second.texts('nextToken')]).toEqual([2, []])
  const withIds = { MaxResults: '5', 'VolumeId.1': host.volumeIds[0]! }
  expect(await ask('DescribeVolumes', withIds)).toMatchObject({ code: 'InvalidParameterCombination' })
})

test('tags change, all that were asked for or none', async () => {
  const [, data = ''] = host.volumeIds
  const tag = { 'Tag.1.Key': 'run', 'Tag.1.Value': '1' }
  const missing = 'vol-00000000000000000'
  expect(await ask('CreateTags', { 'ResourceId.1': data, 'ResourceId.2': missing, ...tag })).toMatchObject({
    code: 'InvalidVolume.NotFound',
  })
  expect(await volumes(filtered(['tag:run', '1']))).toEqual([])
  await ask('CreateTags', { 'ResourceId.1': data, ...tag })
  await ask('DeleteTags', { 'ResourceId.1': data, 'Tag.1.Key': 'run', 'Tag.1.Value': '2' })
  expect(await volumes(filtered(['tag:run', '1']))).toEqual([data])
  await ask('DeleteTags', { 'ResourceId.1': data, 'Tag.1.Key': 'run' })
  expect(await volumes(filtered(['tag:run', '1']))).toEqual([])
})

test('only what is signed for it, as it came, is looked at', async () => {
  const stranger = { ...ec2, secretAccessKey: 'another' }
  expect(await askEc2(stranger, 'DescribeVolumes')).toMatchObject({ status: 401, code: 'AuthFailure' })
  expect(await askEc2({ ...ec2, region: 'eu-west-1' }, 'DescribeVolumes')).toMatchObject({ code: 'AuthFailure' })
  expect((await fetch(ec2.endpoint, { method: 'POST' })).status).toBe(401)
})

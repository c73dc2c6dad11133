import { FLEET_STATE_KEY } from '../../agent/contract'
import { agentVersion } from '../../agent/backup/system-record.io'
import { AgentError } from '../../agent/errors'
import { forgetHost } from '../../fleet/evidence/forgotten.io'
import { readState, writeState } from '../../fleet/evidence/state-file.io'
import { fleetConfigSchema } from '../../fleet/model/config'
import { remember } from '../../fleet/model/memory'
import { observeFleet, type Observation, type ObserveDeps } from '../../fleet/observe.io'
import { fleetBucket, nightly } from '../support/fleet-bucket'

const ARN = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'
const config = fleetConfigSchema.parse({
  classes: [{ name: 'daily', maxAgeHours: 36, expireAfterDays: 35 }],
  schedules: [{ name: 'nightly', class: 'daily', tag: { key: 'Snapstream', value: 'daily' } }],
  accounts: [{ account: '111122223333', region: 'eu-west-1' }],
})

/** A bucket and an account, on the morning of 31 January. */
function fleet() {
  const bucket = fleetBucket()
  let hours = 0
  const none = () => Promise.resolve([])
  const tags = new Map([['Snapstream', 'daily']])
  const account = {
    findTagged: () => Promise.resolve([{ instanceId: 'i-0123456789abcdef0', power: 'running' as const, tags }]),
    ...{ findInstances: none, listManagedNodes: none },
    ...{ listFailedInvocations: none, listInvocations: none, listWindowExecutions: none },
  }
  const deps: ObserveDeps = {
    ...bucket.deps,
    now: () => new Date(Date.UTC(2026, 0, 31, 6 + hours)),
    openAccount: () => Promise.resolve(account),
  }
  const save = ({ view, memories, ...seen }: Observation) =>
    writeState(deps, {
      ...seen,
      version: agentVersion,
      memories: new Map(remember(view, memories).map((memory) => [memory.host, memory])),
    })
  const statesOf = ({ view }: Observation) => Object.fromEntries(view.hosts.map(({ host, state }) => [host, state]))
  return { ...bucket, deps, save, statesOf, wait: (more: number) => void (hours += more) }
}

test('what is expected is joined with what the bucket shows; nothing is written', async () => {
  const { deps, putRun, statesOf, vault } = fleet()
  putRun(nightly('nas1', 31))
  const seen = await observeFleet(deps, { config, inventory: 'ask' })
  expect(statesOf(seen)).toEqual({ [ARN]: 'never', nas1: 'protected' })
  expect(seen.at).toBe(Date.UTC(2026, 0, 31, 6) / 1000)
  expect(vault.written).toEqual([])
})

test("an operator's program sees what the auditor saw, with what is new, and asks no account", async () => {
  const { deps, putRun, save, statesOf, readOf, wait } = fleet()
  putRun(nightly('nas1', 31))
  await save(await observeFleet(deps, { config, inventory: 'ask' }))
  readOf('')
  wait(1)
  putRun(nightly(ARN, 31))
  const openAccount = () => Promise.reject(new Error('nobody asks'))
  const seen = await observeFleet({ ...deps, openAccount }, { inventory: 'remember' })
  expect(statesOf(seen)).toEqual({ [ARN]: 'protected', nas1: 'protected' })
  expect(seen.config).toEqual(config)
  expect(seen.view.accounts).toEqual([{ account: '111122223333', region: 'eu-west-1' }])
  expect(readOf('manifests/')).toHaveLength(1)
})

test('where the auditor has not come for hours, nobody knows who is there', async () => {
  const { deps, save, wait } = fleet()
  await save(await observeFleet(deps, { config, inventory: 'ask' }))
  wait(5)
  const { view } = await observeFleet(deps, { inventory: 'remember' })
  expect(view.accounts[0]?.problem).toBe('the auditor has not asked it for 5 hours')
})

test('hosts of an account that cannot be read for an hour are not missing, and it is known since when they lack backups', async () => {
  const { deps, save, statesOf, wait } = fleet()
  await save(await observeFleet(deps, { config, inventory: 'ask' }))
  const denied = () => Promise.reject(new AgentError('ACCESS_DENIED', 'sts:AssumeRole is denied', { hint: '' }))
  for (let hour = 0; hour < 40; hour += 10) {
    wait(10)
    const unread = await observeFleet({ ...deps, openAccount: denied }, { config, inventory: 'ask' })
    expect(statesOf(unread)).toEqual({ [ARN]: 'never' })
    expect(unread.view.hosts[0]?.power).toBeUndefined()
    await save(unread)
  }
  expect((await observeFleet(deps, { config, inventory: 'ask' })).view.overdue).toBe(1)
})

test('a bucket without an auditor is judged all the same, as nightly; and that is said', async () => {
  const { deps, putRun, statesOf, warnings, wait } = fleet()
  putRun(nightly('nas1', 31))
  expect(statesOf(await observeFleet(deps, { inventory: 'remember' }))).toEqual({ nas1: 'protected' })
  expect(warnings).toEqual([expect.stringMatching(/^no auditor has been here/)])
  wait(48)
  expect(statesOf(await observeFleet(deps, { inventory: 'remember' }))).toEqual({ nas1: 'stale' })
})

test('a host that may be forgotten is remembered as such', async () => {
  const { deps, putRun, save, statesOf } = fleet()
  putRun(nightly('nas1', 31))
  await save(await observeFleet(deps, { config, inventory: 'ask' }))
  await forgetHost(deps, 'nas1')
  const seen = await observeFleet(deps, { inventory: 'remember' })
  expect(seen.memories.get('nas1')?.forgottenAt).toBeGreaterThan(0)
  expect(statesOf(seen)['nas1']).toBeUndefined()
})

test('a damaged state is said to be one; everything is read anew', async () => {
  const { deps, putRun, put, readOf, warnings, statesOf } = fleet()
  putRun(nightly('nas1', 31))
  put(FLEET_STATE_KEY, 'nonsense')
  const seen = await observeFleet(deps, { config, inventory: 'ask' })
  expect(statesOf(seen)['nas1']).toBe('protected')
  expect(warnings).toHaveLength(1)
  expect(readOf('manifests/')).toHaveLength(1)
  expect(await readState(deps)).toBeUndefined()
})

test('a bucket that cannot be asked is an error, and not a fleet without hosts', async () => {
  const { deps, store } = fleet()
  const error = new AgentError('BUCKET_MISSING', 'no', { hint: '' })
  const readFacts = () => Promise.reject(error)
  const closed = { ...deps, vault: { ...deps.vault, store: { ...store, readFacts } } }
  await expect(observeFleet(closed, { config, inventory: 'ask' })).rejects.toBe(error)
})

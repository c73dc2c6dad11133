import { manifestKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { findHosts } from '../../agent/run/hosts'
import { memoryStore, type MemoryStore } from '../support/memory-store'

const { signal } = new AbortController()
const ARN = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890'
const OTHER = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0fff1234def567890'
const CHINESE = 'arn:aws-cn:ec2:cn-north-1:444455556666:instance/i-0abc1234def567890'
const RUN = '20260131T020000Z-k3xw7a'

async function bucketOf(...hosts: readonly (readonly [host: string, className: string, run?: string])[]) {
  const store = memoryStore()
  for (const [host, className, run = RUN] of hosts)
    await store.put(manifestKey({ host, class: className, run }), '{}', signal)
  return store
}

async function found(store: MemoryStore, className?: string): Promise<string[]> {
  const hosts: string[] = []
  for await (const { host, class: name } of findHosts({ store, signal }, className)) hosts.push(`${name} ${host}`)
  return hosts
}

test('instances and hosts with names of their own are found, each once in a class', async () => {
  const store = await bucketOf(
    [ARN, 'daily'],
    [ARN, 'daily', '20260201T020000Z-k3xw7a'],
    [ARN, 'monthly'],
    [OTHER, 'daily'],
    [CHINESE, 'daily'],
    ['db-1', 'daily'],
  )
  expect(await found(store)).toEqual([
    `daily ${CHINESE}`,
    `daily ${ARN}`,
    `daily ${OTHER}`,
    'daily db-1',
    `monthly ${ARN}`,
  ])
  expect(await found(store, 'monthly')).toEqual([`monthly ${ARN}`])
})

test('a fleet costs a request for a folder, not one for a run', async () => {
  const runs = Array.from(
    { length: 50 },
    (_, day) => `202601${String(day % 28).padStart(2, '0')}T020000Z-aaaa${String(day).padStart(2, '2')}`,
  )
  const store = await bucketOf(...runs.flatMap((run) => [[ARN, 'daily', run] as const, [OTHER, 'daily', run] as const]))
  const asked: string[] = []
  const counted: MemoryStore = {
    ...store,
    list: () => {
      throw new Error('runs are none of its business')
    },
    listFolders: (prefix, ...rest) => (asked.push(prefix), store.listFolders(prefix, ...rest)),
  }
  expect(await found(counted)).toEqual([`daily ${ARN}`, `daily ${OTHER}`])
  expect(asked).toEqual([
    'manifests/',
    'manifests/daily/',
    'manifests/daily/arn:aws:ec2:eu-west-1:111122223333:instance/',
  ])
})

test('what no host can be called is none', async () => {
  const store = await bucketOf(['-rf', 'daily'], ['a b', 'daily'], ['arn:aws:ec2:eu-west-1:1:instance/../..', 'daily'])
  expect(await found(store)).toEqual([])
})

test('a host that asks is told who may', async () => {
  const store: MemoryStore = {
    ...memoryStore(),
    async *listFolders() {
      throw new AgentError('ACCESS_DENIED', 'no', { hint: 'no' })
    },
  }
  await expect(found(store)).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
    hint: expect.stringContaining('restorer role'),
  })
})

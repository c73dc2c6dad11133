import { catalogKey, dataKey, manifestKey, type RunKey } from '../../../agent/contract'
import { AgentError } from '../../../agent/errors'
import { debris } from '../../../fleet/command/debris.io'
import { described, fleetDeps, fleetRequestOf } from '../../support/fleet-commands'
import { memoryStore, type MemoryStore } from '../../support/memory-store'
import { refusalOf } from '../../support/refusal'

const signal = new AbortController().signal
const now = () => new Date('2026-02-04T02:00:00Z')
const INSTANCE = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'
const GOOD: RunKey = { class: 'daily', host: 'db1', run: '20260130T020000Z-aaaaaa' }
const KILLED: RunKey = { class: 'daily', host: INSTANCE, run: '20260131T020000Z-bbbbbb' }
const YOUNG: RunKey = { class: 'weekly', host: 'db1', run: '20260203T020000Z-cccccc' }

let store: MemoryStore

beforeEach(async () => {
  store = memoryStore()
  await store.put(dataKey(GOOD, 'vg0-srv', 'zstd', 0), 'good', signal)
  await store.put(catalogKey(GOOD, 'vg0-srv'), 'good', signal)
  await store.put(manifestKey(GOOD), '{}', signal)
})

const look = (where: MemoryStore = store, ...argv: string[]) =>
  described('debris', debris(fleetDeps(where, { now }), fleetRequestOf('debris', argv)))

test('a bucket of finished runs has none', async () => {
  expect(await look()).toMatchObject({
    status: 0,
    summary: 'All data of 1 host belongs to runs that have a manifest.',
    json: { hostsSeen: 1, totalHosts: 0, hosts: [], totalUploads: 0 },
  })
})

test('a bucket of something else is not one in which all is in order', async () => {
  const other = memoryStore()
  await other.put('photos/cat.jpg', 'meow', signal)
  expect(await look(other)).toMatchObject({ summary: 'No host has any data in backups. Is this the right bucket?' })
})

test('the host with most of it comes first, and what may still be running is told apart', async () => {
  await store.put(dataKey(KILLED, 'vg0-srv', 'zstd', 0), 'x'.repeat(2000), signal)
  await store.put(catalogKey(KILLED, 'vg0-srv'), 'x'.repeat(48), signal)
  await store.put(dataKey(YOUNG, 'vg0-srv', 'zstd', 0), 'x', signal)
  await store.createUpload(dataKey(YOUNG, 'vg0-home', 'zstd', 0), undefined, signal)
  const { summary, json } = await look()
  expect(json).toMatchObject({
    ...{ totalHosts: 2, runs: 2, objects: 3, bytes: 2049, totalUploads: 1 },
    hosts: [
      {
        host: INSTANCE,
        runs: 1,
        mayBeRunning: 0,
        objects: 2,
        bytes: 2048,
        newestAt: Date.parse('2026-01-31T02:01:00Z') / 1000,
      },
      {
        host: 'db1',
        runs: 1,
        mayBeRunning: 1,
        objects: 1,
        bytes: 1,
        newestAt: Date.parse('2026-02-03T02:01:00Z') / 1000,
      },
    ],
  })
  const lines = summary.split('\n')
  expect(lines[0]).toBe('3 objects of 2 runs without a manifest (2 KiB) of 2 hosts; 1 unfinished upload')
  expect(lines.slice(1, 4)).toEqual([
    '  SIZE   RUNS  OBJECTS  NEWEST  RUNNING?  HOST',
    `  2 KiB  1     2        3 d               ${INSTANCE}`,
    '  1 B    1     1        23 h    1         db1',
  ])
})

test('only one class, where that is asked for', async () => {
  await store.put(dataKey(KILLED, 'vg0-srv', 'zstd', 0), 'x', signal)
  await store.put(dataKey(YOUNG, 'vg0-srv', 'zstd', 0), 'x', signal)
  expect(await look(store, '--class', 'weekly')).toMatchObject({ json: { hosts: [{ host: 'db1' }], totalHosts: 1 } })
})

test('who may not list the bucket is told which role may', async () => {
  const denied: MemoryStore = {
    ...store,

    async *listFolders() {
      throw new AgentError('ACCESS_DENIED', 'no', { hint: 'Ask.' })
    },
  }
  expect(await refusalOf(look(denied))).toMatchObject({
    code: 'ACCESS_DENIED',
    hint: expect.stringContaining('AuditorRole'),
  })
})

test('whose uploads may not be listed, the rest is told', async () => {
  const denied: MemoryStore = {
    ...store,

    async *listUploads() {
      throw new AgentError('ACCESS_DENIED', 'no', { hint: 'Ask.' })
    },
  }
  const { summary, json } = await look(denied)
  expect(summary).toContain('unfinished uploads are not known')
  expect(summary).not.toMatch(/\d+ unfinished/)
  expect(json).not.toHaveProperty('uploads')
})

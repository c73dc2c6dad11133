import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { FLEET_STATE_KEY } from '../../../agent/contract'
import { neverAborted } from '../../../agent/lib/never-aborted'
import { readState, writeState } from '../../../fleet/evidence/state-file.io'
import type { FleetState } from '../../../fleet/evidence/state'
import { fleetConfigSchema } from '../../../fleet/model/config'
import type { FleetDeps } from '../../../fleet/vault'
import { logWarnings } from '../../support/log'
import { memoryStore } from '../../support/memory-store'

const run = { state: 'complete', verified: 'stream', volumes: 2, objects: 4, entries: 12_345 } as const
const sizes = { rawBytes: 9 * 1024 ** 4, storedBytes: 3 * 1024 ** 4, catalogBytes: 4711, seconds: 812.25 }

const state: FleetState = {
  at: 1_800_000_000,
  version: '1.2.3',
  config: fleetConfigSchema.parse({
    classes: [{ name: 'daily', maxAgeHours: 36, expireAfterDays: 35 }],
    schedules: [{ name: 'nightly', class: 'daily', tag: { key: 'Snapstream', value: 'daily' } }],
  }),
  inventory: {
    accounts: [
      { account: '111122223333', region: 'eu-west-1' },
      { account: '444455556666', region: 'eu-west-1', problem: 'it is denied' },
    ],
    hosts: [
      { host: 'new1', expectedBy: ['tag'], classes: ['daily'], power: 'running', managed: { ping: 'lost' } },
      { host: 'db1', name: 'database', expectedBy: ['manifest', 'list'], classes: [] },
    ],
  },
  histories: new Map([
    [
      'db1',
      {
        host: 'db1',
        classes: [
          {
            class: 'daily',
            runs: [
              { run: '20260131T020000Z-k3xw7a', writtenAt: 1_799_999_000, ...run, ...sizes, presentAt: 1_799_999_500 },
              {
                ...{ run: '20260130T020000Z-k3xw7b', writtenAt: 1_799_900_000, ...run, ...sizes },
                ...{ sizesOnly: true, superseded: true, recentEntries: 0, heardOperator: 0, heardHost: 77 },
                verdict: { by: 'operator', depth: 'checksum', ok: false, sizesOnly: true, at: 1_799_900_001 },
              },
              {
                ...{
                  run: '20260129T020000Z-k3xw7c',
                  writtenAt: 1_799_800_000,
                  ...run,
                  ...sizes,
                  state: 'base-missing',
                },
                bases: ['20260128T020000Z-k3xw7d'],
              },
              {
                ...{ run: '20260129T010000Z-k3xw7c', writtenAt: 1_799_700_000, ...run, ...sizes },
                verdict: { by: 'host', depth: 'stream', ok: true, at: 1_799_700_001 },
                bases: ['20260127T020000Z-k3xw7d', '20260128T020000Z-k3xw7d'],
              },
            ],
            newest: {
              ...{ run: '20260131T020000Z-k3xw7a', hostname: 'db1.example', os: 'Debian "13"', agentVersion: '0.3.0' },
              volumes: [
                {
                  ...{ volume: 'vg0-home', mountPoint: '/home', filesystem: 'ext4', source: 'lvm' },
                  ...{ entries: 12_345, rawBytes: 5, storedBytes: 4, warnings: 0 },
                },
              ],
              failures: [{ volume: 'x', mountPoint: '/x', code: 'ARCHIVE_FAILED', message: 'a\nb', hint: '' }],
              notBackedUp: [{ mountPoint: '/srv', filesystem: 'nfs', reason: 'nobody chose it' }],
            },
          },
        ],
        drill: {
          ...{ class: 'daily', run: '20260131T020000Z-k3xw7a', at: 1_799_999_900, ok: true, problem: '' },
          ...{ restoreSeconds: 83.5, restoredBytes: 5, entries: 2, share: '3/7' },
        },
      },
    ],
  ]),
  memories: new Map([
    ['db1', { host: 'db1', state: 'protected', stateSince: 1_799_000_000, expectedSince: { daily: 1_790_000_000 } }],
    ['old1', { host: 'old1', state: 'gone', stateSince: 1, expectedSince: {}, goneSince: 2, forgottenAt: 3 }],
  ]),
}

function bucket() {
  const store = memoryStore()
  const warnings: string[] = []
  const deps: FleetDeps = {
    vault: {
      store,
      async write(key, body) {
        const pieces: Uint8Array[] = []
        for await (const piece of body instanceof Uint8Array ? [body] : body) pieces.push(piece)
        store.objects.set(key, {
          body: Buffer.concat(pieces),
          storageClass: 'STANDARD',
          lastModified: new Date(),
        })
      },
      tagSuperseded: () => Promise.reject(new Error('not here')),
      untagSuperseded: () => Promise.reject(new Error('not here')),
      isSuperseded: () => Promise.reject(new Error('not here')),
      readRules: () => Promise.resolve([]),
    },
    log: logWarnings(warnings),
    now: () => new Date(),
    signal: neverAborted(),
  }
  const put = (text: string) => deps.vault.write(FLEET_STATE_KEY, zstdCompressSync(text), '', neverAborted())
  const text = () => zstdDecompressSync(store.objects.get(FLEET_STATE_KEY)!.body).toString()
  return { deps, warnings, put, text }
}

test('what one pass leaves, the next one finds', async () => {
  const { deps, warnings } = bucket()
  expect(await readState(deps)).toBeUndefined()
  await writeState(deps, state)
  expect(await readState(deps)).toEqual({
    ...state,
    inventory: { ...state.inventory, hosts: [...state.inventory.hosts].reverse() },
  })
  expect(warnings).toEqual([])
})

test('a state of many pieces is found whole', async () => {
  const { deps } = bucket()
  const histories = new Map(Array.from({ length: 3000 }, (_, index) => [`host${index}`, state.histories.get('db1')!]))
  const named = new Map([...histories].map(([host, history]) => [host, { ...history, host }]))
  await writeState(deps, { ...state, histories: named })
  expect((await readState(deps))?.histories).toEqual(named)
})

test.each<[string, (text: string) => string]>([
  ['of a later format', (text) => text.replace('"format":1', '"format":2')],
  ['cut off', (text) => text.slice(0, text.length / 2)],
  ['without its last line', (text) => text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1)],
  ['with a line after its end', (text) => `${text}{}\n`],
  ['with fewer hosts than it says', (text) => text.replace(/\n\{"host":"new1".*\n/, '\n')],
  ['of somebody else', () => '{"hello": "world"}\n'],
  ['without anything', () => ''],
  ['with a host of an impossible name', (text) => text.replace('"host":"new1"', '"host":"../new1"')],
  ['with a run of an impossible name', (text) => text.replace('["20260131T', '["20260131U')],
  ['with a run in an unknown state', (text) => text.replace('1799999000,0,', '1799999000,9,')],
  ['with a run that has text for a number', (text) => text.replace('1799999000,0,', '"1799999000",0,')],
  ['with a run that has too little', (text) => text.replace(',1799999000,0,', ',0,')],
  ['with a verdict of no depth', (text) => text.replace(/\[0,1,0,1799900001/, '[0,0,0,1799900001')],
  ['with a field that nobody knows', (text) => text.replace('"host":"new1"', '"host":"new1","more":1')],
])('a state %s counts for nothing, and is said to', async (_, damage) => {
  const { deps, warnings, put, text } = bucket()
  await writeState(deps, state)
  const damaged = damage(text())
  expect(damaged).not.toBe(text())
  await put(damaged)
  expect(await readState(deps)).toBeUndefined()
  expect(warnings).toEqual([expect.stringMatching(/^fleet\/state\.jsonl\.zst is no state of a fleet \(.+\): all/)])
})

test('what is no Zstandard counts for nothing', async () => {
  const { deps, warnings } = bucket()
  await deps.vault.write(FLEET_STATE_KEY, Buffer.from('hello'), '', neverAborted())
  expect(await readState(deps)).toBeUndefined()
  expect(warnings).toHaveLength(1)
})

test('a bucket that cannot be read is not taken for one without a state', async () => {
  const { deps } = bucket()
  await expect(readState({ ...deps, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

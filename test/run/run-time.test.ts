/** An intruder gives runs what names he likes; only when S3 wrote them is not his to choose. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { find, list, restore, restorePlan, restoreStatus, verify } from '../support/commands'
import type { Outcome } from '../../agent/outcome'
import { catalogKey, dataKey, manifestKey, type RunKey } from '../../agent/contract'
import type { Deps } from '../../agent/context'
import { localHost } from '../../agent/host/run-command.io'
import { withDeleted } from '../../agent/bucket/deleted-objects'
import { formatManifest } from '../../agent/run/manifest'
import { tarCreate } from '../../agent/tar/commands'
import { archiveOf, storeWith } from '../support/archives'
import { logWarnings } from '../support/log'
import { bareSystem, manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import { refusalOf } from '../support/refusal'

const placeOf = (run: string, className = 'daily'): RunKey => ({ class: className, host: 'db-1', run })
const GOOD = placeOf('20260131T020000Z-aaaaaa')
/** Written by an intruder on the third of February. */
const BACKDATED = placeOf('20260131T115959Z-zzzzzz')
const FUTURE = placeOf('20991231T235959Z-zzzzzz')
const INTRUSION = new Date('2026-02-03T00:00:00Z')

let scratch: string
let good: ReadonlyMap<string, Buffer>
let forged: ReadonlyMap<string, Buffer>
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'misdated-'))
  good = backUp(GOOD, 'good')
  forged = new Map([...backUp(BACKDATED, 'evil'), ...backUp(FUTURE, 'evil')])
})
afterAll(() => rmSync(scratch, { recursive: true }))

function backUp(at: RunKey, content: string): Map<string, Buffer> {
  const source = mkdtempSync(join(scratch, 'source-'))
  writeFileSync(join(source, 'file'), content)
  const [program, ...args] = tarCreate(source)
  const { archive, objects } = archiveOf(execFileSync(program, args), { at })
  const volumes = [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })]
  const manifest = formatManifest(manifestOf({ ...at, volumes, system: bareSystem() }))
  return new Map(objects).set(manifestKey(at), Buffer.from(manifest))
}

/** The bucket after the intrusion. */
function bucket(): MemoryStore {
  const store = storeWith(good)
  for (const [key, body] of forged) store.objects.set(key, { body, storageClass: 'STANDARD', lastModified: INTRUSION })
  return store
}

/** A bucket to which all was copied, in an order that nobody knows. */
function copied(): MemoryStore {
  const store = storeWith(good)
  for (const [key, object] of store.objects) {
    store.objects.set(key, {
      ...object,
      lastModified: key.startsWith('manifests/') ? INTRUSION : new Date('2026-02-04'),
    })
  }
  return store
}

let target: string
let warnings: string[]
beforeEach(() => {
  target = mkdtempSync(join(scratch, 'target-'))
  warnings = []
})

const COMMANDS = { list, find, restore, verify, 'restore-plan': restorePlan, 'restore-status': restoreStatus }

function typed(store: MemoryStore, command: keyof typeof COMMANDS, options: object = {}): Promise<Outcome> {
  const request = {
    ...{ command, bucket: 'backups', host: 'db-1', limit: 20, volume: [], path: [], disk: [], mountAt: '/mnt' },
    ...{ pattern: 'file', depth: 'stream', target, onConflict: 'fail', days: 7, includeDeleted: false },
    ...options,
  }
  const now = () => new Date('2026-02-05T00:00:00Z')
  const deps = { host: localHost, store, log: logWarnings(warnings), now, signal: new AbortController().signal }
  return (COMMANDS[command] as unknown as (deps: Deps, request: object) => Promise<Outcome>)(deps, request)
}

const restoredFile = () => readFileSync(join(target, 'srv/file'), 'utf8')

describe('runs that an intruder has made, with names of other times,', () => {
  test.each([
    ['the newest run', {}],
    ['the newest run before the intrusion', { at: new Date('2026-01-31T12:00:00Z') }],
  ])('are not chosen as %s', async (_, options) => {
    expect(await typed(bucket(), 'restore', options)).toMatchObject({ status: 0, json: { run: GOOD.run } })
    expect(restoredFile()).toBe('good')
    expect(warnings).toEqual([
      expect.stringMatching(/^run \S+-zzzzzz was passed over: its manifest was written at 2026-02-03T/),
    ])
  })

  test.each([
    ['restore', { run: BACKDATED.run }],
    ['restore', { run: BACKDATED.run, class: 'daily' }],
    ['restore', { run: FUTURE.run }],
    ['restore-plan', { run: BACKDATED.run }],
    ['restore-status', { run: BACKDATED.run }],
  ] as const)('are refused by %s where they are named: %j', async (command, options) => {
    expect(await refusalOf(typed(bucket(), command, options))).toMatchObject({
      code: 'MISDATED',
      message: expect.stringMatching(/^run \S+ is not what its name says: .* at 2026-02-03T00:00:00Z, /),
      hint: expect.stringContaining('--trust-times'),
    })
  })

  test('are listed last of all, and marked', async () => {
    const { summary, json } = await typed(bucket(), 'list')
    expect((json as { runs: object[] }).runs).toMatchObject([
      { run: GOOD.run },
      { run: FUTURE.run, misdating: { isFuture: true } },
      { run: BACKDATED.run, misdating: { isFuture: false } },
    ])
    expect(json).not.toHaveProperty('runs.0.misdating')
    expect(summary).toMatch(/20260131T115959Z-zzzzzz .* complete, MISDATED /)
    expect(summary).toMatch(/^ {2}20260131T115959Z-zzzzzz: .* 2026-02-03T00:00:00Z, long after the time in its name$/m)
    expect(summary).toMatch(/^ {2}20991231T235959Z-zzzzzz: .* 2026-02-03T00:00:00Z, before the time in its name$/m)
  })

  test('are not searched, which is said, and makes the status 3', async () => {
    const { status, json } = await typed(bucket(), 'find')
    expect(status).toBe(3)
    expect(json).toMatchObject({
      found: [{ versions: [{ lastRun: GOOD.run, runs: 1 }] }],
      notSearched: [{ run: BACKDATED.run }, { run: FUTURE.run }],
    })
  })

  test('are not good to verify', async () => {
    const { status, json } = await typed(bucket(), 'verify', { run: BACKDATED.run })
    expect(status).toBe(1)
    expect(json).toMatchObject({
      ok: false,
      volumes: [{ findings: [{ what: expect.stringContaining('long after') }] }],
    })
  })

  test('take the place of no run that has the same name in another class', async () => {
    const store = storeWith(good)
    const twin = placeOf(GOOD.run, 'a-class-that-sorts-first')
    for (const [key, body] of backUp(twin, 'evil')) {
      store.objects.set(key, { body, storageClass: 'STANDARD', lastModified: INTRUSION })
    }
    await typed(store, 'restore', { run: GOOD.run })
    expect(restoredFile()).toBe('good')
  })

  test('and nothing else, are no backup', async () => {
    const store = bucket()
    store.objects.delete(manifestKey(GOOD))
    expect(await refusalOf(typed(store, 'restore'))).toMatchObject({ code: 'MISDATED' })
  })
})

test.each([
  ['an hour early, by a clock that is wrong', '2026-01-31T01:00:00Z', 0],
  ['more than an hour early', '2026-01-31T00:59:59Z', 1],
  ['after two days, which a command may take', '2026-02-02T03:00:00Z', 0],
  ['later than any command ends', '2026-02-02T03:00:01Z', 1],
])('a manifest that was written %s', async (_, time, status) => {
  const store = storeWith(good)
  const lastModified = new Date(time)
  for (const [key, object] of store.objects) store.objects.set(key, { ...object, lastModified })
  expect(await typed(store, 'verify', { run: GOOD.run })).toMatchObject({ status })
})

describe.each([
  ['an archive', dataKey(GOOD, 'vg0-srv', 'zstd', 0)],
  ['a catalog', catalogKey(GOOD, 'vg0-srv')],
])('%s that was put there after its manifest', (_, key) => {
  const added = (after = 60_000) => {
    const store = storeWith(good)
    const { lastModified } = store.objects.get(manifestKey(GOOD))!
    store.objects.set(key, { ...store.objects.get(key)!, lastModified: new Date(lastModified.getTime() + after) })
    return store
  }

  test('is not restored', async () => {
    for (const options of [{}, { bestEffort: true }]) {
      expect(await refusalOf(typed(added(), 'restore', options))).toMatchObject({
        code: 'MISDATED',
        message: `${key} was written at 2026-01-31T02:03:00Z, after its manifest`,
      })
    }
    await expect(typed(added(), 'restore-status')).rejects.toMatchObject({ code: 'MISDATED' })
  })

  test('is a finding', async () => {
    const { status, json } = await typed(added(), 'verify', { run: GOOD.run, depth: 'checksum' })
    expect([status, json]).toMatchObject([1, { volumes: [{ findings: [{ what: expect.stringContaining(key) }] }] }])
  })

  test('is none where it was written in the same second', async () => {
    expect(await typed(added(0), 'restore')).toMatchObject({ status: 0 })
    expect(restoredFile()).toBe('good')
  })

  test('is read where the times of the bucket are known to be wrong', async () => {
    expect(await typed(added(), 'restore', { trustTimes: true })).toMatchObject({ status: 0 })
  })
})

test('find searches no catalog that was put there after its manifest', async () => {
  const store = storeWith(good)
  const key = catalogKey(GOOD, 'vg0-srv')
  store.objects.set(key, { ...store.objects.get(key)!, lastModified: INTRUSION })
  expect(await typed(store, 'find')).toMatchObject({ status: 3, json: { found: [], notSearched: [{ run: GOOD.run }] } })
})

describe('a bucket that was copied', () => {
  const trustTimes = true

  test.each([
    ['restore', {}, 0],
    ['restore', { run: GOOD.run, class: 'daily' }, 0],
    ['find', {}, 0],
    ['verify', { run: GOOD.run }, 0],
    ['restore-status', {}, 0],
    ['restore-plan', {}, 0],
  ] as const)('can be read by %s, if an operator says so: %j', async (command, options, status) => {
    const outcome = await typed(copied(), command, { ...options, trustTimes })
    expect(outcome).toMatchObject({ status })
    if (command === 'restore') expect(restoredFile()).toBe('good')
    if (command === 'restore-plan') {
      expect(outcome.json).toMatchObject({
        steps: expect.arrayContaining([
          expect.objectContaining({ argv: expect.arrayContaining(['restore', '--trust-times']) as unknown }),
        ]) as unknown,
      })
    }
    if (command === 'find') expect(outcome.summary).toMatch(/--target DIR --trust-times$/)
  })

  test('is listed without marks, and with them where nobody says so', async () => {
    expect((await typed(copied(), 'list', { trustTimes })).summary).not.toContain('MISDATED')
    expect((await typed(copied(), 'list')).summary).toContain('MISDATED')
  })

  test('still has no newest run of the future', async () => {
    await typed(bucket(), 'restore', { trustTimes, at: new Date('2100-01-01') })
    expect(warnings).toEqual([expect.stringContaining(`run ${FUTURE.run} was passed over`)])
  })
})

test('a run that is deleted is dated as it was written', async () => {
  const store = bucket()
  for (const place of [GOOD, BACKDATED]) await store.deleteObject(manifestKey(place))
  const log = logWarnings(warnings)
  const past = withDeleted({ store, log, signal: new AbortController().signal })
  const seen = { ...store, ...past.store }
  expect(await typed(seen, 'restore', { includeDeleted: true })).toMatchObject({ json: { run: GOOD.run } })
  expect(await refusalOf(typed(seen, 'restore', { run: BACKDATED.run }))).toMatchObject({ code: 'MISDATED' })
})

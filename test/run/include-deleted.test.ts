/** Somebody deleted backups: what an operator is told, and how they come back. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { find, list, restore, restorePlan, restoreStatus, verify } from '../support/commands'
import { includingDeleted } from '../../agent/run/include-deleted'
import type { Outcome } from '../../agent/outcome'
import { catalogKey, manifestKey, type RunKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import type { Deps } from '../../agent/context'
import { localHost } from '../../agent/host/run-command.io'
import { formatManifest } from '../../agent/run/manifest'
import { tarCreate } from '../../agent/tar/commands'
import { archiveOf, storeWith } from '../support/archives'
import { silentLog } from '../support/log'
import { bareSystem, manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import { assertDescribed } from '../support/last-line'
import { refusalOf } from '../support/refusal'

const MONDAY: RunKey = { class: 'daily', host: 'db-1', run: '20260105T020000Z-aaaaaa' }
const TUESDAY: RunKey = { class: 'daily', host: 'db-1', run: '20260106T020000Z-bbbbbb' }
const segment = (place: RunKey, suffix = '') => `data/daily/db-1/${place.run}/vg0-srv.tar.zst${suffix}`

let scratch: string
let objects: ReadonlyMap<string, Buffer>
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'deleted-'))
  objects = new Map([...backUp(MONDAY, 'Monday'), ...backUp(TUESDAY, 'Tuesday')])
})
afterAll(() => rmSync(scratch, { recursive: true }))

/** A run of one volume in several segments, the first of which holds a file that says which day it is. */
function backUp(at: RunKey, day: string): Map<string, Buffer> {
  const source = join(scratch, day)
  mkdirSync(source)
  writeFileSync(join(source, 'day'), day)
  writeFileSync(join(source, 'filler'), 'x'.repeat(5_000_000))
  const [program, ...args] = tarCreate(source)
  const { archive, objects: stored } = archiveOf(execFileSync(program, args, { maxBuffer: 1 << 24 }), {
    at,
    framesPerSegment: 1,
  })
  const volumes = [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })]
  return new Map(stored).set(
    manifestKey(at),
    Buffer.from(formatManifest(manifestOf({ ...at, volumes, system: bareSystem() }))),
  )
}

async function bucketWithout(...keys: string[]): Promise<MemoryStore> {
  const store = storeWith(objects)
  for (const key of keys) await store.deleteObject(key)
  return store
}

let target: string
let told: string[]
beforeEach(() => {
  target = mkdtempSync(join(scratch, 'target-'))
  told = []
})

const COMMANDS = {
  list,
  find,
  restore,
  verify,
  'restore-plan': restorePlan,
  'restore-status': restoreStatus,
} as unknown as Readonly<Record<string, (deps: Deps, request: object) => Promise<Outcome>>>

/** As the command line has it: `restore --run RUN`. */
async function typed(store: MemoryStore, command: string, options: object = {}): Promise<Outcome> {
  const log = { ...silentLog, info: (line: string) => void told.push(line) }
  const now = () => new Date('2026-01-07T02:00:00Z')
  const request = {
    ...{ command, bucket: 'backups', host: 'db-1', limit: 20, volume: [], path: [], disk: [], mountAt: '/mnt' },
    ...{ pattern: 'day', depth: 'stream', target, onConflict: 'fail', days: 7, includeDeleted: false },
    ...options,
  }
  const deps = { host: localHost, store, log, now, signal: new AbortController().signal }
  const outcome = await includingDeleted(deps, request, COMMANDS[command]!)
  assertDescribed(command, outcome.json)
  return outcome
}

const RESTORING = expect.objectContaining({ argv: expect.arrayContaining(['restore', '--include-deleted']) }) as object
const restoredDay = () => readFileSync(join(target, 'srv/day'), 'utf8')
const includeDeleted = true

describe('a run whose manifest was deleted', () => {
  const deleted = () => bucketWithout(manifestKey(TUESDAY))

  test('is not listed, but that it is still there is said', async () => {
    const { summary, json } = await typed(await deleted(), 'list')
    expect(json).toMatchObject({ total: 1, runs: [{ run: MONDAY.run }], deletedUnread: [manifestKey(TUESDAY)] })
    expect(summary.split('\n').slice(0, 2)).toEqual([
      '1 run of db-1',
      `  deleted or expired, but still there: run ${TUESDAY.run}; --include-deleted reads it`,
    ])
  })

  test('is listed as deleted where that is asked for', async () => {
    const { summary, json } = await typed(await deleted(), 'list', { includeDeleted })
    expect(json).toMatchObject({ total: 2, runs: [{ run: TUESDAY.run, deleted: true }, { run: MONDAY.run }] })
    expect(json).not.toHaveProperty('runs.1.deleted')
    expect(summary).toMatch(/20260106T020000Z-bbbbbb .* complete, deleted /)
  })

  test.each([
    ['by its name', { run: TUESDAY.run }],
    ['by its name and class', { run: TUESDAY.run, class: 'daily' }],
  ])('is refused %s, and offered; then it comes back', async (_, options) => {
    const store = await deleted()
    expect(await refusalOf(typed(store, 'restore', options))).toEqual({
      code: 'UNKNOWN_RUN',
      message: expect.stringContaining(`db-1 has no run '${TUESDAY.run}'`),
      hint: expect.stringMatching(
        `^run ${TUESDAY.run} was deleted, but can still be read: run the command again with --include-deleted. Did you`,
      ),
    })
    const { status, summary, json } = await typed(store, 'restore', { ...options, includeDeleted })
    expect([status, restoredDay()]).toEqual([0, 'Tuesday'])
    expect(summary.split('\n')[1]).toMatch(/^ {2}DELETED or expired, and read from .*: run 20260106T020000Z-bbbbbb; /)
    expect(json).toMatchObject({ deletedRead: [manifestKey(TUESDAY)] })
    expect(told[0]).toBe(`${manifestKey(TUESDAY)} was deleted: reading version version-1, which is still there`)
  })

  test('is not passed over in silence where the newest run is wanted', async () => {
    const store = await deleted()
    const { summary, json } = await typed(store, 'restore')
    expect([restoredDay(), json]).toEqual(['Monday', expect.objectContaining({ run: MONDAY.run })])
    expect(summary).toContain(`still there: run ${TUESDAY.run}; --include-deleted reads it`)
  })

  test.each([
    ['verify', { class: 'daily', run: TUESDAY.run }, { ok: true }],
    ['find', {}, { runs: 2, found: [{ versions: [{ lastRun: TUESDAY.run }, { lastRun: MONDAY.run }] }] }],
    ['restore-plan', { run: TUESDAY.run }, { steps: expect.arrayContaining([RESTORING]) }],
    ['restore-status', { run: TUESDAY.run }, { ready: true }],
  ])('is there for %s', async (command, options, json) => {
    const outcome = await typed(await deleted(), command, { ...options, includeDeleted })
    expect(outcome).toMatchObject({ status: 0, json: { ...json, deletedRead: [manifestKey(TUESDAY)] } })
  })

  test('is restored as find says', async () => {
    const { summary } = await typed(await deleted(), 'find', { includeDeleted })
    expect(summary).toMatch(
      / restore --bucket backups --host db-1 --run 20260106T020000Z-bbbbbb --path \/srv\/day --target DIR --include-deleted$/,
    )
  })

  test('does not count as verified as it was', async () => {
    const store = await deleted()
    await typed(store, 'verify', { class: 'daily', run: TUESDAY.run, includeDeleted })
    expect([...store.objects.keys()].filter((key) => /^(verdicts|verifications)\//.test(key))).toEqual([])
  })
})

test('a host all of whose runs were deleted', async () => {
  const store = await bucketWithout(manifestKey(MONDAY), manifestKey(TUESDAY))
  expect((await typed(store, 'list')).summary).toMatch(/^No runs of db-1\.\n.*; --include-deleted reads them\n/)
  expect(await refusalOf(typed(store, 'restore'))).toMatchObject({
    message: 'db-1 has no run at all',
    hint: expect.stringContaining(`run ${TUESDAY.run} was deleted, but can still be read`),
  })
  expect(await typed(store, 'restore', { at: new Date('2026-01-06'), includeDeleted })).toMatchObject({ status: 0 })
  expect(restoredDay()).toBe('Monday')
})

describe('a segment that was deleted', () => {
  const run = { run: MONDAY.run, class: 'daily' }
  const deleted = () => bucketWithout(segment(MONDAY), segment(MONDAY, '.001'))

  test('is refused, and offered; then the restore reads its version', async () => {
    const store = await deleted()
    expect(await refusalOf(typed(store, 'restore', run))).toEqual({
      code: 'ARCHIVE_DAMAGED',
      message: expect.stringMatching(/vg0-srv\.tar\.zst is missing; lost with it: /),
      hint: expect.stringMatching(
        /^data.*\.zst, data.*\.001 were deleted, but can still be read: run .* --include-deleted\. Restore the rest/,
      ),
    })
    const { status, json } = await typed(store, 'restore', { ...run, includeDeleted })
    expect([status, restoredDay()]).toEqual([0, 'Monday'])
    expect(json).toMatchObject({ deletedRead: [segment(MONDAY), segment(MONDAY, '.001')] })
  })

  test('its versions are asked for once, however many reads it takes', async () => {
    const store = await deleted()
    const listed: string[] = []
    const watched: MemoryStore = {
      ...store,
      list: (prefix, ...rest) => (listed.push(prefix), store.list(prefix, ...rest)),
    }
    await typed(watched, 'restore', { ...run, includeDeleted })
    expect(listed).toEqual([`data/daily/db-1/${MONDAY.run}/`])
  })

  test.each([
    ['verify', 1, 'deleted or expired, but still there: data/'],
    ['restore-status', 3, 'deleted or expired, but still there: data/'],
  ])('%s finds it missing, and offers it', async (command, status, line) => {
    const outcome = await typed(await deleted(), command, run)
    expect(outcome).toMatchObject({ status, summary: expect.stringContaining(line) })
    expect(outcome.json).toMatchObject({ deletedUnread: [segment(MONDAY), segment(MONDAY, '.001')] })
    expect(await typed(await deleted(), command, { ...run, includeDeleted })).toMatchObject({ status: 0 })
  })

  test('and is in Glacier is thawed as the version that it was', async () => {
    const store = storeWith(objects)
    const object = store.objects.get(segment(MONDAY))!
    store.objects.set(segment(MONDAY), { ...object, archived: true, storageClass: 'DEEP_ARCHIVE' })
    await store.deleteObject(segment(MONDAY))
    expect(await refusalOf(typed(store, 'restore', { ...run, includeDeleted }))).toMatchObject({
      code: 'OBJECT_ARCHIVED',
    })
    const asked = await typed(store, 'restore', { ...run, includeDeleted, thaw: 'bulk' })
    expect(asked).toMatchObject({ status: 5, json: { waitingFor: [segment(MONDAY)] } })
    expect(await store.head(segment(MONDAY), new AbortController().signal, 'version-1')).toMatchObject({
      restore: { ongoing: true },
    })
  })
})

describe('a catalog that was deleted', () => {
  const key = catalogKey(MONDAY, 'vg0-srv')

  test('is read where that is asked for', async () => {
    const outcome = await typed(await bucketWithout(key), 'restore', { run: MONDAY.run, includeDeleted })
    expect(outcome).toMatchObject({ status: 0, json: { deletedRead: [key] } })
    expect(restoredDay()).toBe('Monday')
  })

  test.each([
    ['find', 3],
    ['restore', 0],
  ])('is offered to %s, which does without it', async (command, status) => {
    const outcome = await typed(await bucketWithout(key), command, { run: MONDAY.run })
    expect(outcome).toMatchObject({ status, json: { deletedUnread: [key] } })
    expect(outcome.summary.split('\n')[1]).toBe(
      `  deleted or expired, but still there: ${key}; --include-deleted reads it`,
    )
  })
})

describe('what is gone for good stays missing', () => {
  const run = { run: TUESDAY.run, class: 'daily' }

  test('where nothing but the delete marker is left', async () => {
    const store = await bucketWithout(manifestKey(TUESDAY))
    await store.deleteVersion(manifestKey(TUESDAY), 'version-1')
    expect(await refusalOf(typed(store, 'restore', run))).toMatchObject({
      hint: expect.stringMatching(/^Did you mean/),
    })
    expect(await refusalOf(typed(store, 'restore', { ...run, includeDeleted }))).toMatchObject({
      code: 'UNKNOWN_RUN',
      hint: expect.stringMatching(/^No deleted version of it is left either: /),
    })
    expect((await typed(store, 'list')).json).not.toHaveProperty('deletedUnread')
  })

  test('where the bucket is not versioned', async () => {
    const store = storeWith(objects)
    store.objects.delete(manifestKey(TUESDAY))
    const facts = { region: 'us-east-1', versioning: 'Off', clockSkewSeconds: 0 } as const
    const unversioned: MemoryStore = { ...store, readFacts: async () => facts }
    expect(await refusalOf(typed(unversioned, 'restore', { ...run, includeDeleted }))).toMatchObject({
      code: 'UNKNOWN_RUN',
      hint: expect.stringMatching(/^The bucket is not versioned: objects deleted from it are gone\. Did you mean/),
    })
  })
})

describe('who may not look at versions, as hosts may not,', () => {
  async function forHosts(...keys: string[]): Promise<MemoryStore> {
    const store = await bucketWithout(...keys)
    const refuse = () => {
      throw new AgentError('ACCESS_DENIED', 's3:ListBucketVersions on arn:aws:s3:::memory is denied', { hint: 'x' })
    }
    return {
      ...store,
      list: (prefix, signal, options) => (options?.includeDeleted ? refuse() : store.list(prefix, signal, options)),
      listFolders: (prefix, signal, options) =>
        options?.includeDeleted ? refuse() : store.listFolders(prefix, signal, options),
    }
  }

  test('is told what is missing, and no more', async () => {
    const store = await forHosts(segment(MONDAY))
    expect(await refusalOf(typed(store, 'restore', { run: MONDAY.run }))).toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      hint: expect.stringMatching(/^Restore the rest with --best-effort/),
    })
    expect((await typed(store, 'list')).json).not.toHaveProperty('deletedUnread')
  })

  test('is refused where it is asked for', async () => {
    const store = await forHosts(segment(MONDAY))
    const asked = typed(store, 'restore', { run: MONDAY.run, class: 'daily', includeDeleted })
    expect(await refusalOf(asked)).toMatchObject({ code: 'ACCESS_DENIED' })
  })
})

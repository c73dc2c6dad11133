/** What an operator sees of a verification: the verdict, the findings, the status, and the record beside the run. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verify } from '../support/commands'
import { manifestKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { localHost } from '../../agent/host/run-command.io'
import { formatManifest } from '../../agent/run/manifest'
import type { WithHost, VerifyRequest } from '../../agent/options/commands'
import type { Verification } from '../../agent/verify/report'
import { tarCreate } from '../../agent/tar/commands'
import { archiveOf, place, storeWith } from '../support/archives'
import { logWarnings } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'

let tar: Buffer
beforeAll(() => {
  const root = mkdtempSync(join(tmpdir(), 'verify-'))
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n')
  const [program, ...args] = tarCreate(root)
  tar = execFileSync(program, args, { maxBuffer: 16 << 20 })
  rmSync(root, { recursive: true })
})

/** A run of two volumes. */
function backedUp(): MemoryStore {
  const [root, home] = [
    archiveOf(tar, { volume: 'vg0-root' }),
    archiveOf(tar, { volume: 'vg0-home', compression: 'none' }),
  ]
  const manifest = manifestOf({
    ...place,
    volumes: [
      volumeBackupOf({ volume: 'vg0-root', mountPoint: '/', archive: root.archive }),
      volumeBackupOf({ volume: 'vg0-home', mountPoint: '/home', archive: home.archive }),
    ],
  })
  const objects = new Map([...root.objects, ...home.objects])
  return storeWith(objects.set(manifestKey(place), Buffer.from(formatManifest(manifest))))
}

async function verified(
  store: MemoryStore,
  changes: Partial<VerifyRequest> = {},
  warnings: string[] = [],
  now = () => new Date('2026-02-01T03:04:05.678Z'),
) {
  const request = { command: 'verify', bucket: 'backups', ...place, volume: [], depth: 'stream', ...changes }
  const log = logWarnings(warnings)
  const deps = { host: localHost, store, log, now, signal: new AbortController().signal }
  const outcome = await verify(deps, request as WithHost<VerifyRequest>)
  return { ...outcome, json: outcome.json as Verification }
}

/** By when the verification ended, some moments after it began. */
const RECORD = new RegExp(`verdicts/daily/db-1/${place.run}/20260201T03\\d{4}Z\\.json`)

function recordIn({ objects }: MemoryStore): string | undefined {
  const key = [...objects.keys()].find((name) => RECORD.test(name))
  return key === undefined ? undefined : objects.get(key)?.body.toString()
}

test('a good run: status 0, what was looked at, and a record beside the run', async () => {
  const store = backedUp()
  const { status, summary, json } = await verified(store)
  expect(status).toBe(0)
  expect(summary).toMatch(/^Verification of 20260131T020000Z-k3xw7a of db-1, depth stream: OK\n/)
  expect(summary).toMatch(/^ {2}\/home +2 objects, .* in STANDARD +1 frame, 1 MiB, 3 entries read back$/m)
  expect(JSON.parse(recordIn(store)!)).toEqual(JSON.parse(JSON.stringify(json)))
})

test.each(['2020-01-01T00:00:00Z', '2036-01-01T00:00:00Z'])(
  'a clock that is set to %s meanwhile makes the record of a verification no less true',
  async (setTo) => {
    const store = backedUp()
    const times = [new Date('2026-02-01T03:04:05.678Z')]
    const { json } = await verified(store, {}, [], () => times.shift() ?? new Date(setTo))
    expect(json.startedAt).toBe('2026-02-01T03:04:05.678Z')
    expect(json.finishedAt >= json.startedAt).toBe(true)
    expect(json.finishedAt).toMatch(/^2026-02-01T03:/)
    expect(recordIn(store)).toBeDefined()
  },
)

test('depth checksum reads no data', async () => {
  const store = backedUp()
  const reads: string[] = []
  const getRange: MemoryStore['getRange'] = (key, ...rest) => (reads.push(key), store.getRange(key, ...rest))
  const { status, json } = await verified({ ...store, getRange }, { depth: 'checksum' })
  expect([status, reads]).toEqual([0, []])
  expect(json).toMatchObject({ ok: true, depth: 'checksum', volumes: [{ frames: 0 }, { frames: 0 }] })
})

test('depth checksum with a server that keeps none says that sizes are all it saw, and records that', async () => {
  const store = backedUp()
  const head: MemoryStore['head'] = async (...args) => {
    const { key, sizeBytes, lastModified, storageClass } = await store.head(...args)
    return { key, sizeBytes, lastModified, storageClass }
  }
  const { status, summary, json } = await verified({ ...store, head }, { depth: 'checksum' })
  expect(status).toBe(0)
  expect(summary).toMatch(/^Verification of 20260131T020000Z-k3xw7a of db-1, sizes only: OK\n/)
  expect(json).toMatchObject({ depth: 'checksum', sizesOnly: true })
  expect(JSON.parse(recordIn(store)!)).toMatchObject({ sizesOnly: true })
  expect((await verified({ ...backedUp(), head }, { depth: 'stream' })).json).not.toHaveProperty('sizesOnly')
})

test.each(['checksum', 'stream'] as const)(
  'depth %s, a damaged volume: status 1, what is wrong and what to do',
  async (depth) => {
    const store = backedUp()
    const key = `data/daily/db-1/${place.run}/vg0-home.tar`
    const object = store.objects.get(key)!
    const body = Buffer.from(object.body)
    body[1000]! ^= 1
    store.objects.set(key, { ...object, body })
    const { status, summary, json } = await verified(store, { depth })
    expect(status).toBe(1)
    expect(summary).toMatch(
      / FINDINGS\n {2}vg0-home: data\/.*\/vg0-home\.tar has CRC32 .*\n {4}HINT: Back the host up again now\./,
    )
    expect(json).toMatchObject({ ok: false, volumes: [{ findings: [] }, { volume: 'vg0-home' }] })
  },
)

test('a wrong byte in the manifest as it arrives once is no lasting verdict on a good run', async () => {
  const store = backedUp()
  const manifest = store.objects.get(manifestKey(place))!.body.toString()
  const arrivals = [
    manifest.slice(1), // is not JSON
    manifest.replace('"kind": "lvm"', '"kind": "lvl"'), // is, as if a later agent had written it
    manifest.replace(/"rawBytes": (\d)/, (_, digit) => `"rawBytes": ${(Number(digit) % 9) + 1}`), // is, and says another thing
  ]
  for (const arrival of arrivals) {
    let reads = 0
    const get: MemoryStore['get'] = async (key, ...rest) => {
      const read = await store.get(key, ...rest)
      return key === manifestKey(place) && ++reads === 1 ? { ...read, body: Buffer.from(arrival) } : read
    }
    for (const key of store.objects.keys()) if (RECORD.test(key)) store.objects.delete(key)
    const { status } = await verified({ ...store, get })
    expect(status).toBe(0)
    expect(JSON.parse(recordIn(store)!)).toMatchObject({ ok: true })
  }
})

test('a manifest that is damaged where it is stored is read twice, and no verdict is given', async () => {
  const store = backedUp()
  const key = manifestKey(place)
  store.objects.set(key, { ...store.objects.get(key)!, body: Buffer.from('{') })
  await expect(verified(store)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  expect(recordIn(store)).toBeUndefined()
})

describe('a catalog is gone', () => {
  const key = `catalogs/daily/db-1/${place.run}/vg0-home.jsonl.zst`
  function withoutCatalog(): MemoryStore {
    const store = backedUp()
    store.objects.delete(key)
    return store
  }

  test('which is a finding, and no reason not to look at the data', async () => {
    const { status, summary, json } = await verified(withoutCatalog())
    expect(status).toBe(1)
    expect(summary).toMatch(new RegExp(`^ {2}vg0-home: ${key} is missing$`, 'm'))
    expect(summary).toMatch(/^ {2}\/home +2 objects, .* 1 frame, 1 MiB, 3 entries read back$/m)
    expect(json).toMatchObject({ volumes: [{ findings: [] }, {}] })
    const findings = json.volumes[1]!.findings
    expect(findings.map(({ what }) => what.includes(key))).toEqual([true, true])
  })

  test('with depth checksum it is told of, and nothing is read', async () => {
    const { status, json } = await verified(withoutCatalog(), { depth: 'checksum' })
    expect([status, json]).toMatchObject([
      1,
      { volumes: [{}, { frames: 0, findings: [{ what: `${key} is missing` }] }] },
    ])
  })

  test.each(['vg0-root.tar.zst', 'vg0-home.tar'])('and damage to the data of %s is found without it', async (name) => {
    const store = withoutCatalog()
    store.objects.delete(`catalogs/daily/db-1/${place.run}/vg0-root.jsonl.zst`)
    const data = `data/daily/db-1/${place.run}/${name}`
    const object = store.objects.get(data)!
    const body = Buffer.from(object.body)
    body[body.length >> 3]! ^= 1
    store.objects.set(data, { ...object, body })
    const { summary } = await verified(store)
    expect(summary).toMatch(/frame 0 in .*tar\.zst at 0, .* is damaged|was read with CRC32|has SHA-256/)
  })
})

test('one volume alone, by its mount point', async () => {
  const { json } = await verified(backedUp(), { volume: ['/home'] })
  expect(json).toMatchObject({ volumes: [{ mountPoint: '/home' }] })
})

test('a host, which may not write what operators found, records its own word', async () => {
  const store = backedUp()
  const put: MemoryStore['put'] = async (key, ...rest) => {
    if (key.startsWith('verdicts/')) throw new AgentError('ACCESS_DENIED', 'no', { hint: 'no' })
    return store.put(key, ...rest)
  }
  await verified({ ...store, put })
  expect([...store.objects.keys()].filter((key) => key.startsWith('ver'))).toEqual([
    expect.stringMatching(RECORD.source.replace('verdicts', 'verifications')),
  ])
})

describe('a run of another class than the usual one', () => {
  const { run } = place

  test('is found by its name, as "list" shows it', async () => {
    expect(await verified(backedUp(), { class: undefined })).toMatchObject({ status: 0, json: { run, class: 'daily' } })
  })

  test('is named where it is looked for in the wrong one, and no other run is offered', async () => {
    await expect(verified(backedUp(), { class: 'weekly' })).rejects.toMatchObject({
      code: 'UNKNOWN_RUN',
      hint: expect.stringMatching(/^It is of class 'daily': give that with --class\./),
    })
  })

  test('hosts, which may not list, look for it in the usual one', async () => {
    const refuse = () => {
      throw new AgentError('ACCESS_DENIED', 's3:ListBucket is denied', { hint: 'x' })
    }
    const store = { ...backedUp(), list: refuse, listFolders: refuse }
    expect(await verified(store, { class: undefined })).toMatchObject({ status: 0 })
  })
})

test('credentials that may only read verify all the same', async () => {
  const put: MemoryStore['put'] = async () => {
    throw new AgentError('ACCESS_DENIED', 'no', { hint: 'no' })
  }
  const warnings: string[] = []
  expect(await verified({ ...backedUp(), put }, {}, warnings)).toMatchObject({ status: 0 })
  expect(warnings).toEqual([
    expect.stringMatching(`^the result was not recorded: these credentials may not write ${RECORD.source}$`),
  ])
})

test.each([
  ['an unknown run', { run: '20260131T020000Z-k3xw7b' }, 'UNKNOWN_RUN', /^Did you mean 20260131T020000Z-k3xw7a\?/],
  ['an unknown volume', { volume: ['/hone'] }, 'UNKNOWN_VOLUME', /^Did you mean \/home\? The run has \/, \/home\.$/],
])('%s is refused, and the right one offered', async (_, changes, code, hint) => {
  await expect(verified(backedUp(), changes)).rejects.toMatchObject({ code, hint: expect.stringMatching(hint) })
})

test('data in Glacier cannot be read back: it has to be thawed first', async () => {
  const store = backedUp()
  for (const [key, object] of store.objects)
    if (key.startsWith('data/')) store.objects.set(key, { ...object, archived: true })
  await expect(verified(store)).rejects.toMatchObject({ code: 'OBJECT_ARCHIVED' })
  expect(await verified(store, { depth: 'checksum' })).toMatchObject({ status: 0 })
})

/** Finding files in the backups of a host: what an operator types, and what comes back. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { find } from '../support/commands'
import { manifestKey, type RunKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { formatManifest } from '../../agent/run/manifest'
import { parseManifest } from '../../agent/run/parse-manifest'
import type { FindRequest, WithHost } from '../../agent/options/commands'
import { tarCreate } from '../../agent/tar/commands'
import { archiveOf, storeWith } from '../support/archives'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'

const [MONDAY, TUESDAY, WEDNESDAY] = ['20260105T020000Z-aaaaaa', '20260106T020000Z-bbbbbb', '20260107T020000Z-cccccc']

/** What is stored of a run in which one tree was found on each of the volumes. */
function backUp(run: string, files: Record<string, string>, volumes = [{ volume: 'vg0-srv', mountPoint: '/srv' }]) {
  const at: RunKey = { class: 'daily', host: 'db-1', run }
  const root = mkdtempSync(join(tmpdir(), 'find-'))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content, { mode: 0o640 })
    utimesSync(join(root, path), 1_767_000_000, 1_767_000_000 + content.length)
  }
  const [program, ...args] = tarCreate(root)
  const tar = execFileSync(program, args)
  rmSync(root, { recursive: true })
  const archives = volumes.map((names) => ({ names, ...archiveOf(tar, { at, ...names }) }))
  const manifest = manifestOf({
    ...at,
    volumes: archives.map(({ names, archive }) => volumeBackupOf({ ...names, archive })),
  })
  return new Map([
    ...archives.flatMap(({ objects }) => [...objects]),
    [manifestKey(at), Buffer.from(formatManifest(manifest))] as const,
  ])
}

/** Three nights of a host whose /srv/app/app.conf changed before the last. */
let store: MemoryStore
beforeAll(() => {
  store = storeWith(
    new Map([
      ...backUp(MONDAY, { 'app/app.conf': 'port 80', "app/it's new": '' }),
      ...backUp(TUESDAY, { 'app/app.conf': 'port 80', 'app/new.conf': '' }),
      ...backUp(WEDNESDAY, { 'app/app.conf': 'port 8080' }),
    ]),
  )
})

const depsWith = (bucket: MemoryStore) => ({
  store: bucket,
  log: silentLog,
  now: () => new Date(),
  signal: new AbortController().signal,
})

function found(pattern: string, changes: Partial<FindRequest> = {}, bucket = store) {
  const request = { command: 'find', bucket: 'b', host: 'db-1', pattern, volume: [], limit: 20, ...changes }
  return find(depsWith(bucket), request as WithHost<FindRequest>)
}

test('the versions of a file, newest first, each with the runs that have it', async () => {
  const { status, summary, json } = await found('app.conf')
  expect(status).toBe(0)
  expect(json).toMatchObject({
    runs: 3,
    more: 0,
    found: [
      {
        path: '/srv/app/app.conf',
        volume: 'vg0-srv',
        versions: [
          { firstRun: WEDNESDAY, lastRun: WEDNESDAY, runs: 1, size: 9, mode: 0o640, mtime: '2025-12-29T09:20:09.000Z' },
          { firstRun: MONDAY, lastRun: TUESDAY, runs: 2, size: 7 },
        ],
      },
    ],
  })
  expect(summary).toBe(
    [
      'In the backups of db-1 1 path matches app.conf',
      '  /srv/app/app.conf',
      '    2025-12-29T09:20:09Z  9 B  0640  0:0  20260107T020000Z-cccccc',
      '    2025-12-29T09:20:07Z  7 B  0640  0:0  20260106T020000Z-bbbbbb and back to 20260105T020000Z-aaaaaa (2 runs)',
      '  restore: snapstream restore --bucket b --host db-1 --run 20260107T020000Z-cccccc --path /srv/app/app.conf --target DIR',
    ].join('\n'),
  )
})

test.each([
  ['one run', { run: MONDAY }, ['/srv/app/app.conf']],
  ['the run of a day', { at: new Date('2026-01-06T23:59:59Z') }, ['/srv/app/app.conf', '/srv/app/new.conf']],
  ['all runs', {}, ['/srv/app/app.conf', '/srv/app/new.conf']],
  ['all runs, one path at most', { limit: 1 }, ['/srv/app/app.conf']],
])('in %s', async (_, changes, paths) => {
  const { json } = await found('*.conf', changes)
  expect((json as { found: { path: string }[] }).found.map(({ path }) => path)).toEqual(paths)
})

test('nothing found is no failure, and a wider pattern is offered', async () => {
  const { status, summary } = await found('conf')
  expect([status, summary]).toEqual([0, expect.stringMatching(/try "\*conf\*"/)])
})

test('what is below a mount point is found in the volume that was mounted there, and not what that hid', async () => {
  const volumes = [
    { volume: 'vg0-root', mountPoint: '/' },
    { volume: 'vg0-app', mountPoint: '/app' },
  ]
  const nested = storeWith(backUp(MONDAY, { 'app/app.conf': 'port 80', "app/it's new": '' }, volumes))
  const { json } = await found('/app**', { run: MONDAY }, nested)
  const paths = (json as { found: { path: string; volume: string; versions: object[] }[] }).found
  expect(paths.map(({ path, volume, versions }) => `${volume} ${path} ${versions.length}`)).toEqual([
    'vg0-app /app 1',
    'vg0-app /app/app 1',
    'vg0-app /app/app/app.conf 1',
    "vg0-app /app/app/it's new 1",
  ])
  // Whoever wants it nevertheless names the volume.
  expect((await found('/app/app.conf', { run: MONDAY, volume: ['/'] }, nested)).json).toMatchObject({
    found: [{ volume: 'vg0-root' }],
  })
})

describe('one volume alone', () => {
  const at = { class: 'daily', host: 'db-1', run: TUESDAY }
  const key = manifestKey(at)
  const withoutVolumeOnTuesday = () => {
    const manifest = parseManifest(store.objects.get(key)!.body.toString(), at)
    return storeWith(
      new Map([...store.objects].map(([name, { body }]) => [name, body])).set(
        key,
        Buffer.from(formatManifest({ ...manifest, volumes: [volumeBackupOf({}, at)] })),
      ),
    )
  }

  test('is searched in the runs that have it: it may have failed in one night, or not been there yet', async () => {
    const { status, json } = await found('app.conf', { volume: ['/srv'] }, withoutVolumeOnTuesday())
    expect([status, json]).toMatchObject([0, { found: [{ versions: [{ firstRun: WEDNESDAY }, { lastRun: MONDAY }] }] }])
  })

  test.each([['/src'], ['/srv', '/src']])('that no run has is refused: %s %s', async (...volume) => {
    await expect(found('app.conf', { volume })).rejects.toMatchObject({
      code: 'UNKNOWN_VOLUME',
      hint: expect.stringMatching(/^Did you mean \/srv\?/),
    })
  })
})

test.each([
  ['/etc/app.conf', 'app.conf'],
  ['etc/app', 'app'],
])(
  'where a path such as %s is not found, a search for its name in every directory is offered',
  async (pattern, name) => {
    const { summary } = await found(pattern)
    expect(summary).toContain(`try "${name}" for any directory`)
  },
)

test.each([
  ['App*', 'Case matters, and "*" stays within a name, while "**" does not.'],
  ['[', 'A "[" begins a set of characters: write "[[]" for the bracket itself.'],
])('where %s matches nothing, the likely cause is named', async (pattern, hint) => {
  expect((await found(pattern)).summary.split('\n').at(-1)).toBe(`  ${hint}`)
})

test('a "[" can be found as the hint says', async () => {
  const bucket = storeWith(backUp(MONDAY, { 'app/a[1]': '' }))
  expect((await found('a[[]1]', {}, bucket)).summary).toContain('1 path matches')
})

test('the command that restores says where the bucket is, as this one was told', async () => {
  const place = { region: 'eu-west-1', endpointUrl: new URL('https://s3.example/').href }
  expect((await found('app.conf', place)).summary).toContain(
    'restore: snapstream restore --bucket b --region eu-west-1 --endpoint-url https://s3.example/ --host db-1',
  )
})

test('the command that restores can be typed as it is shown, whatever the name', async () => {
  const { summary } = await found("it's*")
  expect(summary).toMatch(/--path '\/srv\/app\/it'\\''s new' --target DIR$/)
})

test.each([
  ['host', { host: 'db-l' }, 'db-l has no run at all'],
  ['class', { class: 'monthly' }, "db-1 has no run of class 'monthly' at all"],
])(
  'a %s without runs is told of: nothing was searched, which is not the same as nothing found',
  async (_, changes, message) => {
    await expect(found('*.conf', changes as Partial<FindRequest>)).rejects.toMatchObject({
      code: 'UNKNOWN_RUN',
      message,
    })
  },
)

test('a time before the first run is refused, and the first run named', async () => {
  await expect(found('*', { at: new Date('2026-01-01') })).rejects.toMatchObject({
    code: 'UNKNOWN_RUN',
    hint: `Its first run is ${MONDAY}.`,
  })
})

test('no data is read, only manifests and catalogs', async () => {
  const keys = new Set<string>()
  const watched: MemoryStore = { ...store, getRange: (key, ...rest) => (keys.add(key), store.getRange(key, ...rest)) }
  const request = { command: 'find', bucket: 'b', host: 'db-1', pattern: '*', volume: [], limit: 20 }
  await find(depsWith(watched), request as unknown as WithHost<FindRequest>)
  expect([...keys].every((key) => key.startsWith('catalogs/'))).toBe(true)
})

test('a catalog that breaks the search in a way that nobody foresaw is the matter of its run alone', async () => {
  for (const error of [
    new RangeError('Invalid string length'),
    new AgentError('ACCESS_DENIED', 'kms:Decrypt is denied', { hint: 'x' }),
    new AgentError('OBJECT_ARCHIVED', 'it is in Glacier', { hint: 'x' }),
  ]) {
    const getRange: MemoryStore['getRange'] = async (key, ...rest) => {
      if (key.includes(TUESDAY)) throw error
      return store.getRange(key, ...rest)
    }
    const { status, json } = await found('app.conf', {}, { ...store, getRange })
    expect([status, json]).toMatchObject([
      3,
      { found: [{ versions: [{}, { firstRun: MONDAY }] }], notSearched: [{ run: TUESDAY, volume: 'vg0-srv' }] },
    ])
  }
})

test('what keeps everything from being read ends the search', async () => {
  const get: MemoryStore['get'] = async () => {
    throw new AgentError('CREDENTIALS_EXPIRED', 'the token has expired', { hint: 'x' })
  }
  await expect(found('app.conf', {}, { ...store, get })).rejects.toMatchObject({ code: 'CREDENTIALS_EXPIRED' })
})

describe('a run that cannot be searched', () => {
  const catalogOf = (run: string) => `catalogs/daily/db-1/${run}/vg0-srv.jsonl.zst`
  const withObjects = (change: (objects: MemoryStore['objects']) => void): MemoryStore => {
    const copy = storeWith(new Map([...store.objects].map(([key, { body }]) => [key, body])))
    change(copy.objects)
    return copy
  }
  const flip = (objects: MemoryStore['objects'], key: string, at: number) => {
    const body = Buffer.from(objects.get(key)!.body)
    body[at]! ^= 1
    objects.set(key, { ...objects.get(key)!, body })
  }

  test.each<[string, (objects: MemoryStore['objects']) => void, object]>([
    ['whose catalog is missing', (objects) => objects.delete(catalogOf(TUESDAY)), { volume: 'vg0-srv' }],
    ['whose catalog is damaged', (objects) => flip(objects, catalogOf(TUESDAY), 30), { volume: 'vg0-srv' }],
    [
      'whose manifest is damaged',
      (objects) => flip(objects, manifestKey({ class: 'daily', host: 'db-1', run: TUESDAY }), 0),
      {},
    ],
  ])('one %s is named, with status 3, and the others are searched', async (_, damage, where) => {
    const { status, summary, json } = await found('app.conf', {}, withObjects(damage))
    expect(status).toBe(3)
    expect(json).toMatchObject({
      found: [{ versions: [{ firstRun: WEDNESDAY }, { firstRun: MONDAY, lastRun: MONDAY, runs: 1 }] }],
      notSearched: [{ run: TUESDAY, class: 'daily', ...where, reason: expect.stringContaining(TUESDAY) }],
    })
    expect(summary.split('\n')[1]).toMatch(new RegExp(`^  NOT SEARCHED ${TUESDAY} .*: .*${TUESDAY}`))
  })

  test('of hundreds, the first hundred are named, and all are counted', async () => {
    const bad = withObjects((objects) => {
      for (let i = 0; i < 150; i++) {
        const run = `20260104T020000Z-aaa${String(i).padStart(3, '0')}`
        objects.set(manifestKey({ class: 'daily', host: 'db-1', run }), {
          ...objects.get(catalogOf(MONDAY))!,
          body: Buffer.from('{}'),
        })
      }
    })
    const { status, summary, json } = await found('app.conf', {}, bad)
    const { notSearched, notSearchedCount } = json as { notSearched: object[]; notSearchedCount: number }
    expect([status, notSearched.length, notSearchedCount]).toEqual([3, 100, 150])
    expect(summary).toContain('In the backups of db-1 1 path matches')
  })

  test('that nothing was found does not hide it', async () => {
    const { status, summary } = await found(
      'nothing',
      {},
      withObjects((objects) => objects.delete(catalogOf(MONDAY))),
    )
    expect([status, summary]).toEqual([3, expect.stringMatching(/^Nothing .*\n {2}NOT SEARCHED 20260105T/)])
  })

  test('what a damaged catalog seemed to hold is not shown', async () => {
    const long = withObjects((objects) => {
      // The checksum, which comes last, is all that is wrong.
      const at = { class: 'daily', host: 'db-1', run: TUESDAY }
      const key = manifestKey(at)
      const text = objects
        .get(key)!
        .body.toString()
        .replace(/("catalog": \{[^}]*"crc32": ")[0-9a-f]{8}/, '$100000000')
      objects.set(key, { ...objects.get(key)!, body: Buffer.from(text) })
    })
    const { json } = await found('*.conf', {}, long)
    expect(json).toMatchObject({ found: [{ path: '/srv/app/app.conf' }], notSearched: [{ run: TUESDAY }] })
  })
})

/** Restoring, as an operator does it: what comes back, what is refused, and what is left alone. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restore } from '../../agent/commands/restore'
import { restoreStatus } from '../../agent/commands/restore-status'
import { manifestKey } from '../../agent/contract'
import { localHost } from '../../agent/io/host'
import { formatManifest } from '../../agent/plan/manifest'
import type { Hosted, RestoreRequest, RestoreStatusRequest } from '../../agent/plan/requests'
import { tarCreate } from '../../agent/plan/tar'
import { archiveOf, place, storeWith, type StoredArchive } from '../support/archives'
import { logWarnings } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import { buildTree } from '../support/tree/build'
import { compareTrees } from '../support/tree/compare'
import { hostileTree } from '../support/tree/hostile'
import { directory, file, hardlink, symlink, type DirectoryLiteral } from '../support/tree/literal'
import { walkTree } from '../support/tree/walk'

// Real tars and trees: seconds on a busy machine.
jest.setTimeout(60_000)

const SRV: DirectoryLiteral = directory({
  app: directory(
    {
      'app.conf': file('port 80', { mode: 0o640, mtime: '1700000000.123456789' }),
      data: directory({ big: file('x'.repeat(300_000)), small: file('small') }, { mode: 0o750, uid: 1001 }),
    },
    { mtime: '1600000000.5' },
  ),
  links: directory({ first: file('one file, three names', { uid: 1001 }) }),
  'other links': directory({ second: hardlink('links/first'), third: hardlink('links/first') }),
  current: symlink('app'),
  'to big': symlink('app/data/big'),
  'links of links': directory({ second: hardlink('current'), third: hardlink('current') }),
  'größe "1"': file('hostile'),
})

let scratch: string
let sources: Record<'root' | 'srv', string>
let stored: Record<'root' | 'srv', StoredArchive>
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'restore-'))
  sources = { root: join(scratch, 'root'), srv: join(scratch, 'srv') }
  const build = async (name: 'root' | 'srv', tree: DirectoryLiteral, mountPoint: string) => {
    mkdirSync(sources[name])
    await buildTree(sources[name], tree)
    const [program, ...args] = tarCreate(sources[name])
    // Which name of a file comes first decides which ones are hard links.
    return archiveOf(execFileSync(program, ['--sort=name', ...args], { maxBuffer: 64 << 20 }), {
      volume: `vg0-${name}`,
      mountPoint,
    })
  }
  stored = { root: await build('root', hostileTree(), '/'), srv: await build('srv', SRV, '/srv') }
})
afterAll(() => rmSync(scratch, { recursive: true }))

let target: string
beforeEach(() => {
  target = mkdtempSync(join(scratch, 'target-'))
})

function backedUp(): MemoryStore {
  const manifest = manifestOf({
    ...place,
    volumes: [
      volumeBackupOf({ volume: 'vg0-root', mountPoint: '/', archive: stored.root.archive }),
      volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive: stored.srv.archive }),
    ],
    notBackedUp: [{ mountPoint: '/boot', device: '/dev/sda1', filesystem: 'vfat', reason: 'it is not on LVM' }],
  })
  const objects = new Map([...stored.root.objects, ...stored.srv.objects])
  return storeWith(objects.set(manifestKey(place), Buffer.from(formatManifest(manifest))))
}

function restored(changes: Partial<RestoreRequest>, store = backedUp(), warnings: string[] = []) {
  const request = {
    ...{ command: 'restore', bucket: 'backups', ...place, volume: [], path: [], target, days: 7 },
    ...{
      inPlace: false,
      stdout: false,
      onConflict: 'fail',
      resume: false,
      bestEffort: false,
      wait: false,
      dryRun: false,
    },
    ...changes,
  }
  const log = logWarnings(warnings)
  const deps = { host: localHost, store, log, now: () => new Date(), signal: new AbortController().signal }
  return restore(deps, request as unknown as Hosted<RestoreRequest>)
}

/** Where a tree differs from the one that was backed up; what is above a restored path is none of its business. */
function differences(source: string, restoredTo: string): string[] {
  return compareTrees(walkTree(source), walkTree(restoredTo)).map(({ path, what }) => `${path}: ${what}`)
}

const read = (path: string) => readFileSync(join(target, path), 'utf8')

describe('what comes back', () => {
  test('a whole host, with all its metadata, in the hierarchy that it had', async () => {
    const { status, summary } = await restored({})
    expect(summary).toMatch(/^Restore of 20260131T020000Z-k3xw7a of db-1: OK\n/)
    expect(status).toBe(0)
    expect(differences(sources.srv, join(target, 'srv'))).toEqual([])
    rmSync(join(target, 'srv'), { recursive: true })
    // Taking the volume below it away has changed the time of the root.
    expect(differences(sources.root, target)).toEqual(['.: modification time'])
  })

  describe('what a mount hid', () => {
    const hiding = (): MemoryStore => {
      const app = { volume: 'vg0-app', mountPoint: '/srv/app' }
      const tree = mkdtempSync(join(scratch, 'app-'))
      writeFileSync(join(tree, 'seen'), 'seen')
      const { archive, objects } = archiveOf(execFileSync('tar', ['-cf', '-', '--format=posix', '-C', tree, '.']), app)
      const volumes = [
        volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive: stored.srv.archive }),
        volumeBackupOf({ ...app, archive }),
      ]
      const manifest = Buffer.from(formatManifest(manifestOf({ ...place, volumes })))
      return storeWith(new Map([...stored.srv.objects, ...objects, [manifestKey(place), manifest]]))
    }

    test('does not show among what was mounted there', async () => {
      await restored({}, hiding())
      expect(readdirSync(join(target, 'srv/app'))).toEqual(['seen'])
      expect(read('srv/links/first')).toBe('one file, three names')
    })

    test('comes back with its own volume alone', async () => {
      await restored({ volume: ['/srv'] }, hiding())
      expect(read('srv/app/app.conf')).toBe('port 80')
    })
  })

  test('a directory that does not exist yet is made', async () => {
    await restored({ volume: ['/srv'], target: join(target, 'new/one') })
    expect(differences(sources.srv, join(target, 'new/one/srv'))).toEqual([])
  })

  test('a file, in directories that have their owner, mode and time again', async () => {
    await restored({ path: ['/srv/app/data/small'] })
    expect(read('srv/app/data/small')).toBe('small')
    expect(readdirSync(join(target, 'srv/app'))).toEqual(['data'])
    expect(lstatSync(join(target, 'srv/app/data'))).toMatchObject({ uid: 1001, mode: 0o40750 })
    expect(lstatSync(join(target, 'srv/app'), { bigint: true }).mtimeNs).toBe(1600000000_500000000n)
  })

  test('a directory, and a path relative to the one volume that is named', async () => {
    await restored({ volume: ['/srv'], path: ['app'] })
    expect(readdirSync(join(target, 'srv'))).toEqual(['app'])
    expect(differences(join(sources.srv, 'app'), join(target, 'srv/app'))).toEqual([])
  })

  test('a hard link whose file lies elsewhere', async () => {
    await restored({ path: ['/srv/other links'] })
    expect(read('srv/other links/second')).toBe('one file, three names')
    const [second, third] = ['second', 'third'].map((name) => lstatSync(join(target, 'srv/other links', name)))
    expect(third!.ino).toBe(second!.ino)
    expect(second).toMatchObject({ nlink: 2, uid: 1001 })
    expect(existsSync(join(target, 'srv/links'))).toBe(false)
  })

  test('each name of a symbolic link that has several, whichever tar came across first', async () => {
    for (const name of ['current', 'links of links/second', 'links of links/third']) {
      const own = join(target, name.replace('/', ' '))
      expect(await restored({ path: [`/srv/${name}`], target: own })).toMatchObject({ status: 0 })
      expect(readlinkSync(join(own, 'srv', name))).toBe('app')
    }
    await restored({ path: ['/srv/links of links'] })
    const [second, third] = ['second', 'third'].map((name) => lstatSync(join(target, 'srv/links of links', name)))
    expect([second!.isSymbolicLink(), third!.ino]).toEqual([true, second!.ino])
    // Nothing is left to do: what is there is known to be the same.
    const again = await restored({ path: ['/srv/links of links'], resume: true })
    expect(again.json).toMatchObject({ volumes: [{ entries: 0 }] })
  })

  test('each directory of a hostile tree by itself', async () => {
    for (const name of readdirSync(sources.root)) {
      const own = join(target, name)
      await restored({ path: [`/${name}`], target: own })
      expect(differences(join(sources.root, name), join(own, name))).toEqual([])
    }
  })

  test('a small file costs six requests, catalog and all', async () => {
    const store = backedUp()
    const requests: string[] = []
    const count =
      (name: string, call: (...args: unknown[]) => unknown) =>
      (...args: unknown[]) => (requests.push(name), call(...args))
    const counted = Object.fromEntries(
      Object.entries(store).map(([name, value]: [string, unknown]) => [
        name,
        typeof value === 'function' ? count(name, value as (...args: unknown[]) => unknown) : value,
      ]),
    ) as unknown as MemoryStore
    await restored({ path: ['/srv/app/app.conf'] }, counted)
    expect(requests.length).toBeLessThanOrEqual(6)
  })
})

describe('what is there already', () => {
  const app = () => join(target, 'srv/app')
  beforeEach(() => {
    mkdirSync(app(), { recursive: true })
    writeFileSync(join(app(), 'app.conf'), 'mine')
    writeFileSync(join(app(), 'unrelated'), 'mine too')
  })
  const request = { path: ['/srv/app'] }

  test('is refused by default, before anything is written', async () => {
    await expect(restored(request)).rejects.toMatchObject({
      code: 'TARGET_UNFIT',
      message: `${target}/srv has these already: app/app.conf`,
    })
    expect(readdirSync(app()).sort()).toEqual(['app.conf', 'unrelated'])
  })

  test('is left alone with skip', async () => {
    const { status, json } = await restored({ ...request, onConflict: 'skip' })
    expect([status, read('srv/app/app.conf'), read('srv/app/data/small')]).toEqual([0, 'mine', 'small'])
    expect(json).toMatchObject({ volumes: [{ kept: 2 }] })
  })

  test('is replaced with overwrite, and what the backup does not know stays', async () => {
    await restored({ ...request, onConflict: 'overwrite' })
    expect([read('srv/app/app.conf'), read('srv/app/unrelated')]).toEqual(['port 80', 'mine too'])
  })

  test.each([
    ['newer than the backup stays', 1_800_000_000, 'mine'],
    ['older than the backup is replaced', 1_500_000_000, 'port 80'],
  ])('with newer, what is %s', async (_, mtime, content) => {
    utimesSync(join(app(), 'app.conf'), mtime, mtime)
    await restored({ ...request, onConflict: 'newer' })
    expect(read('srv/app/app.conf')).toBe(content)
  })

  test('with newer, a directory has its time again after a file in it was replaced', async () => {
    await restored({ ...request, onConflict: 'overwrite' })
    writeFileSync(join(app(), 'app.conf'), 'older')
    utimesSync(join(app(), 'app.conf'), 1_500_000_000, 1_500_000_000)
    await restored({ ...request, onConflict: 'newer' })
    expect(differences(join(sources.srv, 'app'), app())).toEqual(['unrelated: extra'])
  })

  test.each(['skip', 'newer'] as const)(
    'and is not what was backed up does not come back under the names of its hard links, with %s',
    async (onConflict) => {
      mkdirSync(join(target, 'srv/links'))
      writeFileSync(join(target, 'srv/links/first'), 'mine')
      expect(await restored({ volume: ['/srv'], onConflict })).toMatchObject({ status: 0 })
      const names = ['srv/links/first', 'srv/other links/second', 'srv/other links/third']
      expect(names.map(read)).toEqual(['mine', 'one file, three names', 'one file, three names'])
      const [, second, third] = names.map((name) => lstatSync(join(target, name)))
      expect(third!.ino).toBe(second!.ino)
    },
  )

  test('is left alone when resuming if it is equal, and restored again if it is not', async () => {
    await restored({ ...request, onConflict: 'overwrite' })
    writeFileSync(join(app(), 'data/big'), 'cut sho')
    const { summary, json } = await restored({ ...request, resume: true })
    expect(json).toMatchObject({ volumes: [{ failed: [] }] })
    expect(summary).toMatch(/ left as they were/)
    expect(differences(join(sources.srv, 'app'), app())).toEqual(['unrelated: extra'])
  })
})

describe('nothing is written outside the target', () => {
  let outside: string
  beforeEach(() => {
    outside = mkdtempSync(join(scratch, 'outside-'))
    mkdirSync(join(target, 'srv'))
    symlinkSync(outside, join(target, 'srv/app'))
  })
  afterEach(() => expect(readdirSync(outside)).toEqual([]))

  test.each(['fail', 'skip', 'overwrite', 'newer'] as const)(
    'through a link above a file, with %s',
    async (onConflict) => {
      await expect(restored({ path: ['/srv/app/data/small'], onConflict })).rejects.toMatchObject({
        code: 'TARGET_UNFIT',
      })
    },
  )

  test.each(['skip', 'newer', 'fail'] as const)(
    'through a link in the place of a directory, with %s',
    async (onConflict) => {
      await expect(restored({ volume: ['/srv'], onConflict })).rejects.toMatchObject({ code: 'TARGET_UNFIT' })
    },
  )

  test('a link in the place of a directory is replaced by the directory with overwrite', async () => {
    await restored({ volume: ['/srv'], onConflict: 'overwrite' })
    expect(differences(sources.srv, join(target, 'srv'))).toEqual([])
  })

  test('through a link in the place of a mount point', async () => {
    rmSync(join(target, 'srv'), { recursive: true })
    symlinkSync(outside, join(target, 'srv'))
    await expect(restored({ volume: ['/srv'] })).rejects.toMatchObject({ code: 'TARGET_UNFIT' })
  })

  test.each(['../escaped', '/escaped', 'app/../../escaped'])('by an entry named %s', async (path) => {
    const { archive, objects } = archiveOf(execFileSync('tar', ['-cf', '-', '-C', sources.srv, '.']), {
      volume: 'vg0-srv',
      editCatalog: (text) => text.replace('"path":"current"', `"path":"${path}"`),
    })
    const manifest = manifestOf({
      ...place,
      volumes: [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })],
    })
    const store = storeWith(new Map(objects).set(manifestKey(place), Buffer.from(formatManifest(manifest))))
    await expect(restored({}, store)).rejects.toMatchObject({
      message: expect.stringMatching(/leads out of the volume/),
    })
  })
})

test('a dry run changes nothing, and says what it takes', async () => {
  const { status, summary, json } = await restored({ dryRun: true })
  expect(status).toBe(0)
  expect(readdirSync(target)).toEqual([])
  expect(summary).toMatch(/nothing was changed\n {2}\/ -> .*\d+ entries +\S+ \w+ in \d+ requests +.* on disk\n/)
  expect(summary).toMatch(/\/srv is stored in STANDARD/)
  expect(json).toMatchObject({ volumes: [{ frozen: 0, conflicts: [] }, { fetch: { requests: 1 } }] })
})

function damaged(): MemoryStore {
  const store = backedUp()
  const { key } = stored.srv.archive.segments[0]!
  const body = Buffer.from(store.objects.get(key)!.body)
  const big = stored.srv.entries.find(({ path }) => path === 'app/data/big')!
  const frame = Math.floor((big.offset + big.bytes / 2) / stored.srv.archive.frameBytes)
  const start = stored.srv.frameSizes.slice(0, frame).reduce((sum, size) => sum + size, 0)
  body[start + 10]! ^= 0xff
  store.objects.set(key, { ...store.objects.get(key)!, body })
  return store
}

describe('a damaged archive', () => {
  test('the frame is named, and what is lost with it', async () => {
    await expect(restored({ volume: ['/srv'] }, damaged())).rejects.toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      message: expect.stringMatching(/^frame \d+ in .* is damaged: .*; lost with it: .*'app\/data\/big'/),
      hint: expect.stringMatching(/--best-effort/),
    })
  })

  test('all the rest comes back with --best-effort, with status 3 and the list', async () => {
    const { status, summary, json } = await restored({ volume: ['/srv'], bestEffort: true }, damaged())
    expect(status).toBe(3)
    expect(summary).toMatch(/INCOMPLETE, .*\n {2}LOST \/srv\/app\/data\/big: the archive is damaged there\n/)
    const { lost } = (json as { volumes: { lost: string[] }[] }).volumes[0]!
    const missing = differences(sources.srv, join(target, 'srv')).filter((line) => line.endsWith(': missing'))
    expect(missing.sort()).toEqual(lost.map((path) => `${path}: missing`).sort())
    expect(read('srv/größe "1"')).toBe('hostile')
    expect(readlinkSync(join(target, 'srv/to big'))).toBe('app/data/big') // that to which it leads is lost, and not the link
  })

  test('a missing segment: what is lost is named, the rest comes back', async () => {
    const store = backedUp()
    store.objects.delete(stored.srv.archive.segments[0]!.key)
    await expect(restored({ volume: ['/srv'] }, store)).rejects.toMatchObject({
      message: expect.stringMatching(/vg0-srv\.tar\.zst is missing; lost with it: '\.', .* and \d+ more$/),
    })
    expect(await restored({ bestEffort: true }, store)).toMatchObject({ status: 3 })
    expect(readdirSync(join(target, 'names')).length).toBeGreaterThan(3)
  })
})

test('what tar cannot restore is listed, with status 3', async () => {
  mkdirSync(join(target, 'srv/app/app.conf/in the way'), { recursive: true })
  const { status, summary, json } = await restored({ path: ['/srv/app'], onConflict: 'overwrite' })
  expect(status).toBe(3)
  expect(summary).toMatch(/INCOMPLETE, .*\n {2}FAILED \/srv\/app\/app\.conf\n/)
  expect(json).toMatchObject({
    volumes: [{ failed: ['app/app.conf'], complaint: expect.stringContaining('app.conf') }],
  })
  expect(read('srv/app/data/small')).toBe('small')
})

function frozen(store = backedUp()): MemoryStore {
  for (const [key, object] of store.objects) {
    if (key.startsWith('data/')) store.objects.set(key, { ...object, archived: true, storageClass: 'DEEP_ARCHIVE' })
  }
  return store
}
const thawed = (store: MemoryStore) => {
  for (const [key, object] of store.objects) {
    if (object.restore) store.objects.set(key, { ...object, restore: { ongoing: false } })
  }
}

describe('archives in Glacier', () => {
  test('have to be asked for', async () => {
    await expect(restored({}, frozen())).rejects.toMatchObject({
      code: 'OBJECT_ARCHIVED',
      hint: expect.stringMatching(/--thaw/),
    })
    expect((await restored({ dryRun: true, thaw: 'bulk' }, frozen())).summary).toMatch(
      /1 objects have to be thawed first: up to 48 hours with bulk/,
    )
  })

  describe('that are thawed after hours', () => {
    const thawingMeanwhile = (store: MemoryStore, happens: () => void): MemoryStore => ({
      ...store,
      async thaw(...args) {
        await store.thaw(...args)
        thawed(store)
        happens()
      },
    })

    test('do not overwrite what was written meanwhile', async () => {
      const request = { volume: ['/srv'], thaw: 'bulk', wait: true } as const
      mkdirSync(join(target, 'srv'))
      const busy = thawingMeanwhile(frozen(), () => writeFileSync(join(target, 'srv/größe "1"'), 'mine'))
      await expect(restored(request, busy)).rejects.toMatchObject({ code: 'TARGET_UNFIT' })
      expect(read('srv/größe "1"')).toBe('mine')
    })

    test('are searched for damage with --best-effort all the same', async () => {
      const store = thawingMeanwhile(frozen(damaged()), () => undefined)
      const request = { volume: ['/srv'], bestEffort: true, thaw: 'bulk', wait: true } as const
      expect(await restored(request, store)).toMatchObject({ status: 3 })
      expect(read('srv/größe "1"')).toBe('hostile')
    })
  })

  test('are not asked for, which costs money and hours, where the restore would be refused afterwards', async () => {
    const store = frozen()
    mkdirSync(join(target, 'srv'))
    writeFileSync(join(target, 'srv/größe "1"'), 'mine')
    await expect(restored({ volume: ['/srv'], thaw: 'bulk' }, store)).rejects.toMatchObject({ code: 'TARGET_UNFIT' })
    await expect(restored({ path: ['/srv/app'], stdout: true, thaw: 'bulk' }, store)).rejects.toMatchObject({
      code: 'USAGE',
    })
    expect([...store.objects.values()].some((object) => object.restore)).toBe(false)
  })

  test('are asked for although there is no room yet: meanwhile the disks can be made', async () => {
    const noRoom = { target: '/proc/not-made-yet' }
    expect(await restored({ ...noRoom, thaw: 'bulk' }, frozen())).toMatchObject({ status: 5 })
    await expect(restored(noRoom)).rejects.toMatchObject({ code: 'TARGET_UNFIT' })
  })

  test('are told of by restore-status: 5 until they can be read', async () => {
    const store = frozen()
    const request = { command: 'restore-status', bucket: 'backups', ...place, volume: ['/srv'] }
    const status = () =>
      restoreStatus({ store, signal: new AbortController().signal }, request as unknown as Hosted<RestoreStatusRequest>)
    expect(await status()).toMatchObject({ status: 5, json: { volumes: [{ mountPoint: '/srv', frozen: 1 }] } })
    await restored({ volume: ['/srv'], thaw: 'bulk' }, store)
    expect(await status()).toMatchObject({ status: 5, json: { volumes: [{ thawing: 1 }] } })
    thawed(store)
    expect(await status()).toMatchObject({ status: 0, json: { ready: true } })
  })

  test('are asked for once, and restored when they are there: status 5, then 0', async () => {
    const store = frozen()
    const asked: string[] = []
    const thaw: MemoryStore['thaw'] = (key, options, signal) => (asked.push(key), store.thaw(key, options, signal))
    const request = { volume: ['/srv'], thaw: 'standard' as const }
    const { status, summary } = await restored(request, { ...store, thaw })
    expect([status, asked.length]).toEqual([5, 1])
    expect(summary).toMatch(/^Waiting for Glacier: 1 objects are being thawed, up to 12 hours with standard\n/)
    expect(await restored(request, { ...store, thaw })).toMatchObject({ status: 5 })
    expect(asked.length).toBe(1)
    thawed(store)
    expect(await restored(request, { ...store, thaw })).toMatchObject({ status: 0 })
    expect(differences(sources.srv, join(target, 'srv'))).toEqual([])
  })
})

describe('a catalog is gone', () => {
  const catalog = () => stored.srv.archive.catalog.key
  function withoutCatalog(): MemoryStore {
    const store = backedUp()
    store.objects.delete(catalog())
    return store
  }

  test('everything comes back all the same, slowly, with a word about it', async () => {
    const warnings: string[] = []
    const { status } = await restored({}, withoutCatalog(), warnings)
    expect([status, differences(sources.srv, join(target, 'srv'))]).toEqual([0, []])
    expect(warnings).toEqual([
      expect.stringMatching(
        /^the catalog \S+vg0-srv\.jsonl\.zst is missing: making it again from the archive, which reads all of it, [\d.]+ KiB\. /,
      ),
    ])
  })

  test('so does a file, by its path, and over a catalog that is damaged', async () => {
    const store = backedUp()
    const object = store.objects.get(catalog())!
    store.objects.set(catalog(), { ...object, body: Buffer.from(object.body).reverse() })
    await restored({ path: ['/srv/other links'] }, store)
    expect(read('srv/other links/second')).toBe('one file, three names')
  })

  test('a restore of another volume costs nothing for it', async () => {
    const warnings: string[] = []
    await restored({ path: [`/${readdirSync(sources.root)[0]!}`] }, withoutCatalog(), warnings)
    expect(warnings).toEqual([])
  })

  test('a dry run tells what a restore would do', async () => {
    const { json } = await restored({ dryRun: true, volume: ['/srv'] }, withoutCatalog())
    expect(json).toMatchObject({ volumes: [{ mountPoint: '/srv', entries: stored.srv.entries.length }] })
    expect(readdirSync(target)).toEqual([])
  })

  test('an archive in Glacier is thawed first, and not by a dry run', async () => {
    const store = frozen(withoutCatalog())
    const asked: string[] = []
    const thaw: MemoryStore['thaw'] = (key, options, signal) => (asked.push(key), store.thaw(key, options, signal))
    const request = { volume: ['/srv'], thaw: 'bulk' as const }
    await expect(restored({ ...request, dryRun: true }, { ...store, thaw })).rejects.toMatchObject({
      code: 'OBJECT_ARCHIVED',
    })
    expect(asked).toEqual([])
    expect(await restored(request, { ...store, thaw })).toMatchObject({ status: 5 })
    thawed(store)
    expect(await restored(request, { ...store, thaw })).toMatchObject({ status: 0 })
    expect([asked.length, differences(sources.srv, join(target, 'srv'))]).toEqual([1, []])
  })

  test('with the archive damaged too, nothing is written, and what to do is said', async () => {
    const store = damaged()
    store.objects.delete(catalog())
    for (const bestEffort of [false, true]) {
      await expect(restored({ volume: ['/srv'], bestEffort }, store)).rejects.toMatchObject({
        code: 'ARCHIVE_DAMAGED',
        message: expect.stringMatching(/^frame \d+ in .* is damaged: .* nothing tells what is lost with it$/),
        hint: expect.stringMatching(/docs\/restore-by-hand\.md/),
      })
    }
    store.objects.delete(stored.srv.archive.segments[0]!.key)
    await expect(restored({ volume: ['/srv'] }, store)).rejects.toMatchObject({
      message: expect.stringMatching(/vg0-srv\.tar\.zst is missing, and without catalogs/),
    })
    expect(readdirSync(target)).toEqual([])
  })

  test('restore-status tells of it', async () => {
    const request = { command: 'restore-status', bucket: 'backups', ...place, volume: ['/srv'] }
    const { status, summary, json } = await restoreStatus(
      { store: withoutCatalog(), signal: new AbortController().signal },
      request as unknown as Hosted<RestoreStatusRequest>,
    )
    expect([status, json]).toMatchObject([0, { ready: true, volumes: [{ catalog: 'missing' }] }])
    expect(summary).toMatch(/^ {2}The catalog of \/srv is missing: a restore makes it again/m)
  })
})

test('a restore that broke off goes on with --resume', async () => {
  const store = backedUp()
  let reads = 0
  const getRange: MemoryStore['getRange'] = async (key, ...rest) => {
    if (key.startsWith('data/') && ++reads > 1) throw new Error('the network is down')
    return store.getRange(key, ...rest)
  }
  await expect(restored({}, { ...store, getRange })).rejects.toThrow('the network is down')
  await expect(restored({}, store)).rejects.toMatchObject({ hint: expect.stringMatching(/--resume goes on/) })
  expect(await restored({ resume: true }, store)).toMatchObject({ status: 0 })
  expect(differences(sources.srv, join(target, 'srv'))).toEqual([])
})

/** Restoring, as an operator does it: what comes back, what is refused, and what is left alone. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { manifestKey } from '../../agent/contract'
import { formatManifest } from '../../agent/run/manifest'
import { archiveOf, place, storeWith } from '../support/archives'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import { backedUp, differences, read, restored, scratch, sources, stored, target } from './fixture'

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
      message: `${target}/srv already has these: app/app.conf`,
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
    const { archive, objects } = archiveOf(
      execFileSync('tar', ['-cf', '-', '-C', sources.srv, '.'], { maxBuffer: 1 << 24 }),
      {
        volume: 'vg0-srv',
        editCatalog: (text) => text.replace('"path":"current"', `"path":"${path}"`),
      },
    )
    const manifest = manifestOf({
      ...place,
      volumes: [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })],
    })
    const store = storeWith(new Map(objects).set(manifestKey(place), Buffer.from(formatManifest(manifest))))
    await expect(restored({}, store)).rejects.toMatchObject({
      message: expect.stringMatching(/a line of the catalog is unreadable, its 'path' is wrong/),
    })
  })
})

test('a catalog that counts otherwise than its manifest restores nothing: it is of another archive', async () => {
  const { archive, objects } = archiveOf(
    execFileSync('tar', ['-cf', '-', '-C', sources.srv, '.'], { maxBuffer: 1 << 24 }),
    {
      volume: 'vg0-srv',
      editCatalog: (text) => text.replace(/("end":true.*"rawBytes":)/, '$11'),
    },
  )
  const manifest = manifestOf({
    ...place,
    volumes: [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })],
  })
  const store = storeWith(new Map(objects).set(manifestKey(place), Buffer.from(formatManifest(manifest))))
  await expect(restored({}, store)).rejects.toMatchObject({
    code: 'ARCHIVE_DAMAGED',
    message: expect.stringMatching(/jsonl\.zst: line \d+ has rawBytes 1\d+, the manifest /),
  })
  expect(readdirSync(target)).toEqual([])
})

test('a dry run changes nothing, and says what it takes', async () => {
  const { status, summary, json } = await restored({ dryRun: true })
  expect(status).toBe(0)
  expect(readdirSync(target)).toEqual([])
  expect(summary).toMatch(/nothing was changed\n {2}\/ -> .*\d+ entries +\S+ \w+ in \d+ requests? +.* on disk\n/)
  expect(summary).toMatch(/\/srv is stored in STANDARD/)
  expect(json).toMatchObject({ volumes: [{ frozen: 0, conflicts: [] }, { fetch: { requests: 1 } }] })
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

test('an interrupted restore continues with --resume', async () => {
  const store = backedUp()
  let reads = 0
  const getRange: MemoryStore['getRange'] = async (key, ...rest) => {
    if (key.startsWith('data/') && ++reads > 1) throw new Error('the network is down')
    return store.getRange(key, ...rest)
  }
  await expect(restored({}, { ...store, getRange })).rejects.toThrow('the network is down')
  await expect(restored({}, store)).rejects.toMatchObject({ hint: expect.stringMatching(/use --resume/) })
  expect(await restored({ resume: true }, store)).toMatchObject({ status: 0 })
  expect(differences(sources.srv, join(target, 'srv'))).toEqual([])
})

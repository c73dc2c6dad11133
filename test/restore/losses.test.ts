/** Restoring what is not all there, or not yet: damaged archives, archives in Glacier, lost catalogs. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { find, verify } from '../support/commands'
import { manifestKey } from '../../agent/contract'
import { localHost } from '../../agent/host/run-command.io'
import { formatManifest } from '../../agent/run/manifest'
import type { FindRequest, WithHost, VerifyRequest } from '../../agent/options/commands'
import { tarCreate } from '../../agent/tar/commands'
import { archiveOf, place, storeWith, type StoredArchive } from '../support/archives'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import {
  backedUp,
  damaged,
  differences,
  frozen,
  read,
  restored,
  scratch,
  sources,
  stored,
  target,
  thawed,
} from './fixture'
import { undescribedEntry, type CatalogEntry } from '../../agent/tar/entry'

/** A run that has nothing but this archive of /srv. */
function runOf({ archive, objects }: StoredArchive): MemoryStore {
  const volumes = [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })]
  const manifest = Buffer.from(formatManifest(manifestOf({ ...place, volumes })))
  return storeWith(new Map([...objects, [manifestKey(place), manifest]]))
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

describe('a volume that was backed up with warnings', () => {
  const lines = ['tar: ./app: Warning: Cannot fgetxattr: Input/output error']
  function warned(): MemoryStore {
    const volumes = [
      volumeBackupOf({
        volume: 'vg0-srv',
        mountPoint: '/srv',
        archive: stored.srv.archive,
        warnings: { count: 2, lines },
      }),
    ]
    const manifest = Buffer.from(formatManifest(manifestOf({ ...place, status: 'incomplete', volumes })))
    return storeWith(new Map([...stored.srv.objects, [manifestKey(place), manifest]]))
  }
  const said =
    /^ {2}WARNING \/srv: tar: \.\/app: Warning: Cannot fgetxattr.*\n.*1 more like these\n {4}HINT: The backup itself/m

  test('is restored as far as it goes, and is no more complete for it', async () => {
    const { status, summary, json } = await restored({}, warned())
    expect([status, differences(sources.srv, join(target, 'srv'))]).toEqual([3, []])
    expect(summary).toMatch(/: INCOMPLETE, as the run itself is\n/)
    expect(summary).toMatch(said)
    expect(json).toMatchObject({ warned: [{ mountPoint: '/srv', warnings: { count: 2 } }] })
  })

  test('says so before, and where a part of it is restored, which may have nothing to do with it', async () => {
    expect((await restored({ dryRun: true }, warned())).summary).toMatch(said)
    const { status, summary } = await restored({ path: ['/srv/app/app.conf'] }, warned())
    expect(status).toBe(0)
    expect(summary).toMatch(said)
  })
})

describe('what the catalog could not describe', () => {
  const undescribed = ({ path, offset, bytes }: CatalogEntry) => undescribedEntry(path, offset, bytes, 'it is odd')
  function runWith(describe: (entry: CatalogEntry) => CatalogEntry): MemoryStore {
    const [program, ...args] = tarCreate(sources.srv)
    const tar = execFileSync(program, [...args.slice(0, -2), '--sort=name', '--', '.'], { maxBuffer: 64 << 20 })
    return runOf(archiveOf(tar, { entries: stored.srv.entries.map(describe) }))
  }

  test('is left to tar, with what is in it: it costs itself and nothing else', async () => {
    const store = runWith((entry) => (entry.path === 'app' ? undescribed(entry) : entry))
    const { status, summary, json } = await restored({}, store)
    expect(status).toBe(3)
    expect(summary).toMatch(
      /^ {2}BY HAND \/srv\/app: the catalog does not describe it, .*"snapstream help restore-by-hand"$/m,
    )
    expect(summary).not.toMatch(/LOST|is damaged/)
    const byHand = ['app', 'app/app.conf', 'app/data', 'app/data/big', 'app/data/small']
    expect(json).toMatchObject({ volumes: [{ byHand, byHandEntries: 5, lostEntries: 0, failedEntries: 0 }] })
    const missing = differences(sources.srv, join(target, 'srv')).map((line) => line.replace(': missing', ''))
    expect(missing.sort()).toEqual(byHand)
  })

  test('or what Linux has none of is no damage of the archive, and said to be what it is', async () => {
    const store = runWith((entry) => (entry.path === 'app/data/big' ? { ...entry, uid: 2 ** 32 } : entry))
    const { status, summary, json } = await restored({}, store)
    expect([status, json]).toMatchObject([3, { volumes: [{ impossibleEntries: 1, lostEntries: 0 }] }])
    expect(summary).toMatch(/^ {2}IMPOSSIBLE \/srv\/app\/data\/big: its owner is 4294967296:0, as Linux has none$/m)
  })

  test('has a name that is cut, and those that come after it come back all the same', async () => {
    const store = runWith((entry) =>
      entry.path === 'app/data/big' ? { ...undescribed(entry), path: 'somewhere/…' } : entry,
    )
    expect(await restored({}, store)).toMatchObject({ status: 3, json: { volumes: [{ byHandEntries: 1 }] } })
    expect(read('srv/app/data/small')).toBe('small')
  })

  test('is named where it is asked for, and of no interest where it is not', async () => {
    const store = runWith((entry) => (entry.path === 'app/data/big' ? undescribed(entry) : entry))
    expect(await restored({ path: ['/srv/app/data/big'] }, store)).toMatchObject({
      status: 3,
      json: { volumes: [{ byHand: ['app/data/big'] }] },
    })
    expect(await restored({ path: ['/srv/app/app.conf'] }, store)).toMatchObject({ status: 0 })
  })
})

describe('an archive that has a path twice, as "tar --append" makes it', () => {
  let store: MemoryStore
  beforeAll(() => {
    const [program, ...args] = tarCreate(sources.srv)
    const archive = join(scratch, 'appended.tar')
    const make = (options: string[]) => execFileSync(program, options, { stdio: ['ignore', 'ignore', 'inherit'] })
    const named = args.map((arg) => (arg.startsWith('--file=') ? `--file=${archive}` : arg))
    make([...named.slice(0, -2), '--sort=name', '--', '.'])
    make([...named.map((arg) => (arg === '--create' ? '--append' : arg)).slice(0, -2), '--', './current'])
    store = runOf(archiveOf(readFileSync(archive)))
  })

  test('is not restored: what was the one reading would be the other when resumed', async () => {
    const refused = { code: 'ARCHIVE_DAMAGED', message: "the catalog has 'current' twice" }
    await expect(restored({}, store)).rejects.toMatchObject(refused)
    await expect(restored({ path: ['/srv/current'] }, store)).rejects.toMatchObject(refused)
    expect(readdirSync(target)).toEqual([])
    expect(await restored({ path: ['/srv/app'] }, store)).toMatchObject({ status: 0 })
  })

  test('is a finding of verify, and nothing that find would choose from', async () => {
    const deps = { host: localHost, store, log: silentLog, now: () => new Date(), signal: new AbortController().signal }
    const run = { bucket: 'backups', ...place, volume: [] }
    const wish = { command: 'verify', ...run, depth: 'stream' } as unknown as WithHost<VerifyRequest>
    expect((await verify(deps, wish)).summary).toMatch(
      /1 FINDINGS\n.*'current' would not be restored: the archive has it twice\n/,
    )
    const look = (pattern: string) =>
      find(deps, { command: 'find', ...run, pattern, limit: 20 } as unknown as WithHost<FindRequest>)
    expect(await look('current')).toMatchObject({ status: 3, json: { found: [], notSearchedCount: 1 } })
    expect(await look('app.conf')).toMatchObject({ status: 0, json: { found: [{ path: '/srv/app/app.conf' }] } })
  })
})

describe('archives in Glacier', () => {
  test('have to be asked for', async () => {
    await expect(restored({}, frozen())).rejects.toMatchObject({
      code: 'OBJECT_ARCHIVED',
      hint: expect.stringMatching(/--thaw/),
    })
    expect((await restored({ dryRun: true, thaw: 'bulk' }, frozen())).summary).toMatch(
      /1 object has to be thawed first: up to 48 hours with bulk/,
    )
  })

  describe('that are thawed after hours', () => {
    const thawingMeanwhile = (store: MemoryStore, happens: () => void): MemoryStore => ({
      ...store,
      async retrieve(...args) {
        await store.retrieve(...args)
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

  test('are asked for once, and restored when they are there: status 5, then 0', async () => {
    const store = frozen()
    const asked: string[] = []
    const retrieve: MemoryStore['retrieve'] = (key, options, signal) => (
      asked.push(key),
      store.retrieve(key, options, signal)
    )
    const request = { volume: ['/srv'], thaw: 'standard' as const }
    const { status, summary } = await restored(request, { ...store, retrieve })
    expect([status, asked.length]).toEqual([5, 1])
    expect(summary).toMatch(/^Waiting for Glacier: 1 object is being thawed, up to 12 hours with standard\n/)
    expect(await restored(request, { ...store, retrieve })).toMatchObject({ status: 5 })
    expect(asked.length).toBe(1)
    thawed(store)
    expect(await restored(request, { ...store, retrieve })).toMatchObject({ status: 0 })
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
        /^the catalog \S+vg0-srv\.jsonl\.zst is missing: rebuilding it from the archive, which reads all of it, [\d.]+ KiB\. /,
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
    const retrieve: MemoryStore['retrieve'] = (key, options, signal) => (
      asked.push(key),
      store.retrieve(key, options, signal)
    )
    const request = { volume: ['/srv'], thaw: 'bulk' as const }
    await expect(restored({ ...request, dryRun: true }, { ...store, retrieve })).rejects.toMatchObject({
      code: 'OBJECT_ARCHIVED',
    })
    expect(asked).toEqual([])
    expect(await restored(request, { ...store, retrieve })).toMatchObject({ status: 5 })
    thawed(store)
    expect(await restored(request, { ...store, retrieve })).toMatchObject({ status: 0 })
    expect([asked.length, differences(sources.srv, join(target, 'srv'))]).toEqual([1, []])
  })

  test('with the archive damaged too, nothing is written, and what to do is said', async () => {
    const store = damaged()
    store.objects.delete(catalog())
    for (const bestEffort of [false, true]) {
      await expect(restored({ volume: ['/srv'], bestEffort }, store)).rejects.toMatchObject({
        code: 'ARCHIVE_DAMAGED',
        // The segment's checksum or the frame's: whichever is known first.
        message: expect.stringMatching(/ (is damaged: |was read with CRC32 ).* it is not known what is lost with it$/),
        hint: expect.stringContaining('"snapstream help restore-by-hand"'),
      })
    }
    store.objects.delete(stored.srv.archive.segments[0]!.key)
    await expect(restored({ volume: ['/srv'] }, store)).rejects.toMatchObject({
      message: expect.stringMatching(/vg0-srv\.tar\.zst is missing, and without catalogs/),
    })
    expect(readdirSync(target)).toEqual([])
  })
})

/** Restoring what an intruder has archived, and where an intruder is at work: nothing is written outside the target. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AgentError } from '../../agent/errors'
import { localHost } from '../../agent/host/run-command.io'
import { manifestKey } from '../../agent/contract'
import { formatManifest } from '../../agent/run/manifest'
import { archiveOf, place, storeWith } from '../support/archives'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { timeOf, type MemoryStore } from '../support/memory-store'
import { backedUp, differences, read, restored, scratch, sources, target } from './fixture'
import type { Argv, Host } from '../../agent/context'

const NOBODY = 65534

/** A place that the restore has no business in. */
let outside: string
beforeEach(() => {
  outside = mkdtempSync(join(scratch, 'outside-'))
  writeFileSync(join(outside, 'existing'), 'precious')
  writeFileSync(join(outside, 'first'), 'secret')
})
afterEach(() => {
  expect(readdirSync(outside).sort()).toEqual(['existing', 'first'])
  expect(readFileSync(join(outside, 'existing'), 'utf8')).toBe('precious')
  expect(lstatSync(join(outside, 'first')).nlink).toBe(1)
})

/** A run with these volumes: mount points, and the trees that were mounted there. */
function runWith(volumes: Readonly<Record<string, string>>): MemoryStore {
  const objects = new Map<string, Buffer>()
  const backups = Object.entries(volumes).map(([mountPoint, tree], index) => {
    const volume = `vg0-v${index}`
    const tar = execFileSync('tar', ['-cf', '-', '--format=posix', '--sort=name', '-C', tree, '.'], {
      maxBuffer: 64 << 20,
    })
    const stored = archiveOf(tar, { volume, mountPoint })
    for (const [key, body] of stored.objects) objects.set(key, body)
    return volumeBackupOf({ volume, mountPoint, archive: stored.archive })
  })
  const manifest = manifestOf({ ...place, volumes: backups })
  return storeWith(objects.set(manifestKey(place), Buffer.from(formatManifest(manifest))))
}

function treeOf(make: (directory: string) => void): string {
  const directory = mkdtempSync(join(scratch, 'tree-'))
  make(directory)
  return directory
}

/** Something that happens as soon as the restore reads the first bytes of an archive: all is planned by then. */
function whenRead(store: MemoryStore, happen: () => void): MemoryStore {
  let done = false
  return {
    ...store,
    async getRange(key, ...rest) {
      if (key.startsWith('data/') && !done) {
        done = true
        happen()
      }
      return store.getRange(key, ...rest)
    },
  }
}

describe('an archive that leads the next volume elsewhere', () => {
  const evil = () => treeOf((directory) => writeFileSync(join(directory, 'existing'), 'evil'))

  test('by a link at its mount point', async () => {
    const root = treeOf((directory) => symlinkSync(outside, join(directory, 'srv')))
    await expect(restored({}, runWith({ '/': root, '/srv': evil() }))).rejects.toMatchObject({
      code: 'TARGET_UNFIT',
      message: "'srv' is no directory in the backup, and another volume is restored to 'srv'",
    })
    expect(readdirSync(target)).toEqual([])
  })

  test('by a link above its mount point', async () => {
    const root = treeOf((directory) => symlinkSync(outside, join(directory, 'var')))
    await expect(restored({}, runWith({ '/': root, '/var/lib': evil() }))).rejects.toMatchObject({
      message: "'var' is no directory in the backup, and another volume is restored to 'var/lib'",
    })
  })

  test('by a link that an earlier restore brought', async () => {
    const root = treeOf((directory) => symlinkSync(outside, join(directory, 'srv')))
    const store = runWith({ '/': root, '/srv': evil() })
    expect(await restored({ volume: ['/'] }, store)).toMatchObject({ status: 0 })
    for (const onConflict of ['fail', 'skip', 'overwrite', 'newer'] as const) {
      for (const resume of [false, true]) {
        await expect(restored({ volume: ['/srv'], onConflict, resume }, store)).rejects.toMatchObject({
          code: 'TARGET_UNFIT',
        })
      }
    }
  })

  test('by a link that comes to be there while the first volume is restored', async () => {
    const root = treeOf((directory) => mkdirSync(join(directory, 'etc')))
    const swapped = whenRead(runWith({ '/': root, '/srv': evil() }), () => symlinkSync(outside, join(target, 'srv')))
    const { status, json } = await restored({}, swapped)
    expect(status).toBe(3)
    expect(json).toMatchObject({ failures: [{ mountPoint: '/srv', code: 'TARGET_UNFIT' }] })
  })
})

test.each(['x', 'srv/x'])('an entry in a directory that the archive does not bring is refused: %s', async (path) => {
  const store = runWith({ '/srv': treeOf((directory) => mkdirSync(join(directory, 'srv'))) })
  const tree = treeOf((directory) => {
    mkdirSync(join(directory, 'a/srv'), { recursive: true })
    writeFileSync(join(directory, 'a', path), 'evil')
  })
  const tar = execFileSync('tar', ['-cf', '-', '--format=posix', '-C', tree, './a', '--transform', 's,^./a$,./b,'])
  const { archive, objects } = archiveOf(tar, { volume: 'vg0-srv' })
  const manifest = manifestOf({
    ...place,
    volumes: [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })],
  })
  for (const [key, body] of objects)
    store.objects.set(key, { body, storageClass: 'STANDARD', lastModified: timeOf(manifestKey(place)) })
  const body = Buffer.from(formatManifest(manifest))
  store.objects.set(manifestKey(place), { body, storageClass: 'STANDARD', lastModified: timeOf(manifestKey(place)) })
  await expect(restored({}, store)).rejects.toMatchObject({
    code: 'ARCHIVE_DAMAGED',
    message: expect.stringMatching(/but not the directory that it is in$/),
  })
  expect(readdirSync(target)).toEqual([])
})

describe('links that lie in the target are never followed', () => {
  const srv = () => join(target, 'srv')
  beforeEach(() => mkdirSync(join(srv(), 'links'), { recursive: true }))

  test.each(['skip', 'overwrite', 'newer'] as const)('in the place of a file, with %s', async (onConflict) => {
    symlinkSync(join(outside, 'existing'), join(srv(), 'größe "1"'))
    expect(await restored({ volume: ['/srv'], onConflict })).toMatchObject({ status: 0 })
    const isLink = lstatSync(join(srv(), 'größe "1"')).isSymbolicLink()
    expect(isLink).toBe(onConflict !== 'overwrite') // one that was made just now is newer
  })

  test.each(['skip', 'overwrite', 'newer'] as const)(
    'in the place of a file that others are hard links to, with %s',
    async (onConflict) => {
      symlinkSync(join(outside, 'first'), join(srv(), 'links/first'))
      expect(await restored({ volume: ['/srv'], onConflict })).toMatchObject({ status: 0 })
      for (const name of ['second', 'third']) expect(read(`srv/other links/${name}`)).toBe('one file, three names')
    },
  )

  test('in the place of a file that others are hard links to, when resuming', async () => {
    symlinkSync(join(outside, 'first'), join(srv(), 'links/first'))
    expect(await restored({ volume: ['/srv'], resume: true })).toMatchObject({ status: 0 })
    expect(differences(sources.srv, srv())).toEqual([])
  })
})

describe('a target whose users are at work', () => {
  const docs = () => join(target, 'srv/app/data')
  beforeEach(() => {
    mkdirSync(docs(), { recursive: true })
    chownSync(docs(), NOBODY, NOBODY)
  })
  const request = { path: ['/srv/app'], onConflict: 'overwrite' } as const

  test('and make a link of a directory once the restore is planned: nothing is written through it', async () => {
    const store = whenRead(backedUp(), () => {
      renameSync(docs(), `${docs()}.old`)
      symlinkSync(outside, docs())
    })
    const { status, json } = await restored({ ...request, onConflict: 'skip' }, store)
    expect(status).toBe(3)
    expect(json).toMatchObject({
      volumes: [{ complaint: expect.stringMatching(/^app\/data: /) }],
    })
    expect(readdirSync(`${docs()}.old`)).toEqual([])
    expect(read('srv/app/app.conf')).toBe('port 80') // the rest comes back
  })

  test('and make a link of a directory: with overwrite it is the link that is replaced', async () => {
    const store = whenRead(backedUp(), () => {
      renameSync(docs(), `${docs()}.old`)
      symlinkSync(outside, docs())
    })
    expect(await restored(request, store)).toMatchObject({ status: 0 })
    expect(lstatSync(docs()).isDirectory()).toBe(true)
    expect(read('srv/app/data/small')).toBe('small')
  })

  test('and make a file meanwhile: with fail, it stays', async () => {
    const store = whenRead(backedUp(), () => writeFileSync(join(docs(), 'small'), 'mine'))
    const { status, summary } = await restored({ ...request, onConflict: 'fail' }, store)
    expect([status, read('srv/app/data/small')]).toEqual([3, 'mine'])
    expect(summary).toMatch(/FAILED \/srv\/app\/data\/small\n[^]*app\/data\/small: .*something else has come there/)
  })

  test('is given nothing that is not whole: a restore that breaks off leaves all as it was', async () => {
    writeFileSync(join(docs(), 'small'), 'mine')
    const broken: MemoryStore = {
      ...backedUp(),
      getRange(key, ...rest) {
        return key.startsWith('data/')
          ? Promise.reject(new Error('the network is down'))
          : backedUp().getRange(key, ...rest)
      },
    }
    await expect(restored(request, broken)).rejects.toThrow('the network is down')
    expect(read('srv/app/data/small')).toBe('mine')
    expect(readdirSync(join(target, 'srv'))).toEqual(['app'])
  })

  test('keeps a file that is whole where tar is killed amid what would replace it, a hard link too', async () => {
    const tree = treeOf((directory) => {
      for (const name of ['a', 'b']) mkdirSync(join(directory, name))
      writeFileSync(join(directory, 'a/first'), 'x'.repeat(3_000_000))
      linkSync(join(directory, 'a/first'), join(directory, 'b/second'))
    })
    mkdirSync(join(target, 'v/a'), { recursive: true })
    mkdirSync(join(target, 'v/b'))
    for (const name of ['a/first', 'b/second']) {
      writeFileSync(join(target, 'v', name), 'mine')
      utimesSync(join(target, 'v', name), 1_600_000_000, 1_600_000_000) // or it might look like what is restored
    }
    const start: Host['start'] = ([program, ...args], ...rest) =>
      localHost.start(
        args.includes('--extract') ? ['prlimit', '--fsize=1000000', program, ...args] : [program, ...args],
        ...rest,
      )
    for (const name of ['a/first', 'b/second']) {
      const wanted = { path: [`/v/${name}`], onConflict: 'overwrite' } as const
      const outcome = await restored(wanted, runWith({ '/v': tree }), [], { ...localHost, start })
      expect(outcome).toMatchObject({ status: 3, json: { volumes: [{ failed: [name] }] } })
      expect(read(`v/${name}`)).toBe('mine')
    }
  })

  test('keeps files that are whole where the disk is full amid one, and tar goes on to its other names', async () => {
    const tree = treeOf((directory) => {
      for (const name of ['a', 'b']) mkdirSync(join(directory, name))
      writeFileSync(join(directory, 'a/first'), 'x'.repeat(3_000_000))
      linkSync(join(directory, 'a/first'), join(directory, 'b/second'))
      writeFileSync(join(directory, 'b/small'), 'new')
    })
    for (const name of ['a', 'b']) mkdirSync(join(target, 'v', name), { recursive: true })
    for (const name of ['a/first', 'b/second', 'b/small']) writeFileSync(join(target, 'v', name), 'mine')
    // As ENOSPC does: the write fails, and tar goes on.
    const fullDisk = ['prlimit', '--fsize=1000000', 'sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh']
    const start: Host['start'] = (argv, ...rest) =>
      localHost.start((argv.includes('--extract') ? [...fullDisk, ...argv] : argv) as Argv, ...rest)
    const outcome = await restored({ onConflict: 'overwrite' }, runWith({ '/v': tree }), [], { ...localHost, start })
    expect(outcome.status).toBe(3)
    expect(['a/first', 'b/second', 'b/small'].map((name) => read(`v/${name}`))).toEqual(['mine', 'mine', 'new'])
  })

  test('is not called restored where tar is killed, whatever is there that looks as it should', async () => {
    const tree = treeOf((directory) => {
      writeFileSync(join(directory, 'first'), 'x'.repeat(3_000_000))
      linkSync(join(directory, 'first'), join(directory, 'second'))
      utimesSync(join(directory, 'first'), 1_600_000_000, 1_600_000_000)
    })
    mkdirSync(join(target, 'v'))
    writeFileSync(join(target, 'v/second'), 'mine')
    utimesSync(join(target, 'v/second'), 1_600_000_000, 1_600_000_000)
    const start: Host['start'] = ([program, ...args], ...rest) =>
      localHost.start(
        args.includes('--extract') ? ['prlimit', '--fsize=1000000', program, ...args] : [program, ...args],
        ...rest,
      )
    const wanted = { path: ['/v/second'], onConflict: 'overwrite' } as const
    const { status, summary } = await restored(wanted, runWith({ '/v': tree }), [], { ...localHost, start })
    expect(status).toBe(3)
    expect(summary).toContain('tar failed without a message')
  })

  test.each([
    ['its archive is read', (stop: () => void) => [whenRead(backedUp(), stop), localHost] as const],
    [
      'it is moved into place',
      (stop: () => void) => {
        const attempt: Host['attempt'] = (argv, ...rest) => {
          if (argv[0] === 'sync') stop()
          return localHost.attempt(argv, ...rest)
        }
        return [backedUp(), { ...localHost, attempt }] as const
      },
    ],
  ])('is left as it was by Ctrl-C while %s', async (_, parts) => {
    const interruption = new AbortController()
    const reason = new AgentError('INTERRUPTED', 'stopped by SIGINT', { hint: 'This is a test.' })
    const [store, host] = parts(() => interruption.abort(reason))
    await expect(restored(request, store, [], host, interruption)).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect([readdirSync(join(target, 'srv')), readdirSync(docs())]).toEqual([['app'], []])
  })

  test('and rename the directory that it is restored into first: nothing of it is left there', async () => {
    const attempt: Host['attempt'] = (argv, ...rest) => {
      const staging = readdirSync(join(target, 'srv')).find((name) => name.startsWith('.snapstream-restore-'))
      if (argv[0] === 'sync' && staging) renameSync(join(target, 'srv', staging), join(target, 'srv/mine'))
      return localHost.attempt(argv, ...rest)
    }
    expect(await restored(request, backedUp(), [], { ...localHost, attempt })).toMatchObject({ status: 0 })
    expect(read('srv/app/data/small')).toBe('small')
    expect(readdirSync(join(target, 'srv/mine'))).toEqual([])
  })

  test('has to have room for what is restored beside what it replaces', async () => {
    const small = mkdtempSync(join(scratch, 'small-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small])
    try {
      const there = { path: ['/srv/app'], target: join(small, 'target') }
      expect(await restored(there)).toMatchObject({ status: 0 })
      await expect(restored({ ...there, onConflict: 'overwrite' })).rejects.toMatchObject({
        code: 'TARGET_UNFIT',
        message: expect.stringMatching(/ free, the restore needs [\d.]+ MiB$/),
      })
    } finally {
      execFileSync('umount', [small])
    }
  })

  test('what a killed restore left there is named where its process number is in use again', async () => {
    const left = join(target, 'srv/.snapstream-restore-1-0badcafe')
    mkdirSync(left)
    chmodSync(left, 0o700)
    const warnings: string[] = []
    expect(await restored(request, backedUp(), warnings)).toMatchObject({ status: 0 })
    expect([existsSync(left), warnings]).toEqual([
      true,
      [expect.stringMatching(/^\.snapstream-restore-1-0badcafe belongs to process 1: unless that is a restore/)],
    ])
  })

  test('what root has in a directory of theirs, and they call so, is not taken for what a killed restore left', async () => {
    const path = 'srv/.snapstream-restore-4999999-0badcafe'
    const own = join(target, path)
    mkdirSync(own)
    chmodSync(own, 0o700)
    writeFileSync(join(own, 'precious'), 'precious')
    expect(await restored(request)).toMatchObject({ status: 0 })
    expect(read(`${path}/precious`)).toBe('precious')
  })

  test('what a killed restore left there goes with the next one', async () => {
    const left = join(target, 'srv/.snapstream-restore-999999999-0badcafe')
    mkdirSync(join(left, 'tree'), { recursive: true })
    chmodSync(left, 0o700)
    const warnings: string[] = []
    expect(await restored(request, backedUp(), warnings)).toMatchObject({ status: 0 })
    expect(existsSync(left)).toBe(false)
    expect(warnings).toEqual([expect.stringMatching(/^removing \.snapstream-restore-\S+, which a killed restore/)])
    expect(readdirSync(join(target, 'srv'))).toEqual(['app'])
  })
})

describe('directories that are there', () => {
  test.each(['fail', 'skip'] as const)(
    'keep owner, mode and time with %s, the target itself included',
    async (onConflict) => {
      const [srv, app] = [join(target, 'srv'), join(target, 'srv/app')]
      mkdirSync(join(app, 'data'), { recursive: true })
      for (const directory of [app, srv]) {
        chownSync(directory, NOBODY, NOBODY)
        chmodSync(directory, 0o711)
        utimesSync(directory, 1_500_000_000, 1_500_000_000)
      }
      expect(await restored({ path: ['/srv/app/data'], onConflict })).toMatchObject({ status: 0 })
      for (const directory of [app, srv]) {
        expect(lstatSync(directory)).toMatchObject({ uid: NOBODY, mode: 0o40711, mtimeMs: 1_500_000_000_000 })
      }
      expect(read('srv/app/data/small')).toBe('small')
    },
  )

  test('have owner, mode, time, attributes and ACL as in the backup with overwrite', async () => {
    mkdirSync(join(target, 'metadata'), { recursive: true })
    mkdirSync(join(target, 'metadata/acl by default'))
    writeFileSync(join(target, 'in the way'), '')
    expect(await restored({ volume: ['/'], onConflict: 'overwrite' })).toMatchObject({ status: 0 })
    expect(differences(sources.root, target)).toEqual(['in the way: extra'])
  })
})

describe('nobody else gets at what is restored before it is done', () => {
  /** What a user without rights finds of set-id files and devices. */
  function lookAs(uid: number): string {
    const { stdout } = spawnSync(
      'find',
      [target, '(', '-perm', '/6000', '-o', '-type', 'b', '-o', '-type', 'c', ')', '-print'],
      {
        uid,
        encoding: 'utf8',
      },
    )
    return stdout
  }

  test.each([
    ['a fresh target', 2],
    ['one that is in use', 1],
  ])('in %s: neither set-id files nor devices', async (_, looks) => {
    for (const directory of [scratch, target]) chmodSync(directory, 0o755)
    if (looks === 1) writeFileSync(join(target, 'in use'), '')
    const seen: string[] = []
    const watched: Host = {
      ...localHost,
      attempt(argv, ...rest) {
        // Once all of a volume is extracted, before it is moved anywhere.
        if (argv[0] === 'sync' && seen.length < looks) seen.push(lookAs(NOBODY))
        return localHost.attempt(argv, ...rest)
      },
    }
    expect(await restored({}, backedUp(), [], watched)).toMatchObject({ status: 0 })
    expect(seen).toEqual(Array<string>(looks).fill(''))
    expect(lookAs(NOBODY)).toContain('/metadata/set-id/setuid') // nothing hid it but this
  })

  test('a restore that broke off stays closed, and --resume opens it in the end', async () => {
    const store = backedUp()
    let reads = 0
    const broken: MemoryStore = {
      ...store,
      getRange(key, ...rest) {
        if (key.startsWith('data/') && ++reads > 1) return Promise.reject(new Error('the network is down'))
        return store.getRange(key, ...rest)
      },
    }
    await expect(restored({}, broken)).rejects.toThrow('the network is down')
    expect(lstatSync(target)).toMatchObject({ uid: 0, mode: 0o40700 })
    expect(await restored({ resume: true }, store)).toMatchObject({ status: 0 })
    expect(lstatSync(target).mode & 0o7777).toBe(0o755)
    expect(differences(sources.srv, join(target, 'srv'))).toEqual([])
  })
})

describe('directories deeper than a path can say', () => {
  const LEVELS = 2100
  const deep = () =>
    treeOf((directory) => {
      execFileSync('perl', ['-e', `chdir $ARGV[0]; for (1..${LEVELS}) { mkdir "d"; chdir "d" }`, directory])
      writeFileSync(join(directory, 'file'), 'wanted')
    })
  let deepTree: string
  beforeAll(() => (deepTree = deep()))
  afterAll(() => execFileSync('rm', ['-rf', deepTree]))
  afterEach(() => execFileSync('rm', ['-rf', target]))
  const database = () => treeOf((directory) => writeFileSync(join(directory, 'database'), 'wanted too'))

  test('cost themselves and nothing else: every other volume comes back, and --resume goes on', async () => {
    const store = runWith({ '/': deepTree, '/srv': database() })
    const tooLongEntries = LEVELS - 2037
    const preview = await restored({ dryRun: true }, store)
    expect(preview.json).toMatchObject({ volumes: [{ tooLongEntries }, {}] })
    for (const request of [{}, { resume: true }]) {
      const { status, summary, json } = await restored(request, store)
      expect(status).toBe(3)
      expect(json).toMatchObject({
        volumes: [
          { tooLongEntries, failedEntries: 0 },
          { tooLongEntries: 0, failedEntries: 0 },
        ],
        failures: [],
      })
      expect((json as { volumes: { tooLong: string[] }[] }).volumes[0]!.tooLong).toHaveLength(20)
      expect(summary).toMatch(/^Restore of .*: INCOMPLETE, 63 entries are missing or wrong\n {2}TOO LONG \/d\/d\//)
      expect([read('file'), read('srv/database')]).toEqual(['wanted', 'wanted too'])
    }
  }, 300_000) // tar goes down from the top for each of two thousand directories
})

test('a volume that cannot be restored does not keep the next from it: status 3, and the reason', async () => {
  const store = backedUp()
  const [key] = [...store.objects.keys()].filter((name) => name.startsWith('data/') && name.includes('vg0-root'))
  const object = store.objects.get(key!)!
  const body = Buffer.from(object.body)
  body.fill(0xff, 20, 40)
  store.objects.set(key!, { ...object, body })
  const { status, summary, json } = await restored({}, store)
  expect(status).toBe(3)
  expect(summary).toMatch(/: INCOMPLETE, 1 of 2 volumes were not restored\n {2}FAILED \/: frame 0 in /)
  expect(json).toMatchObject({
    volumes: [{ mountPoint: '/srv' }],
    failures: [{ mountPoint: '/', directory: target, code: 'ARCHIVE_DAMAGED' }],
  })
  expect(differences(sources.srv, join(target, 'srv'))).toEqual([])
})

test('a link above the target that somebody else has laid is not followed', async () => {
  const theirs = mkdtempSync(join(scratch, 'theirs-'))
  chownSync(theirs, NOBODY, NOBODY)
  symlinkSync(outside, join(theirs, 'target'))
  expect(readlinkSync(join(theirs, 'target'))).toBe(outside)
  await expect(restored({ volume: ['/srv'], target: join(theirs, 'target/new') })).rejects.toMatchObject({
    code: 'TARGET_UNFIT',
    message: expect.stringMatching(
      /\/new cannot be opened or made: 'target': a link that a user other than root may have placed$/,
    ),
  })
})

describe('what is called lost+found in a target that is bare but for it', () => {
  test.each<[string, (path: string) => void]>([
    ['a link', (path) => symlinkSync(outside, path)],
    ['a directory of somebody else', (path) => (mkdirSync(path), chownSync(path, NOBODY, NOBODY))],
    ['a directory with something in it', (path) => (mkdirSync(path), symlinkSync(outside, join(path, 'x')))],
  ])('is what somebody else may have left there: %s', async (_, make) => {
    make(join(target, 'lost+found'))
    const store = runWith({ '/': treeOf((tree) => mkdirSync(join(tree, 'lost+found/x'), { recursive: true })) })
    const before = lstatSync(join(target, 'lost+found'))
    await restored({}, store).catch((error: unknown) => expect(error).toMatchObject({ code: 'TARGET_UNFIT' }))
    const { uid, ino } = lstatSync(join(target, 'lost+found'))
    expect([uid, ino]).toEqual([before.uid, before.ino])
  })
})

test('a target that lets nobody change its owner is unfit, and no defect of ours', async () => {
  const store = runWith({ '/': treeOf((tree) => writeFileSync(join(tree, 'file'), '')) })
  execFileSync('chattr', ['+a', target])
  try {
    await expect(restored({}, store)).rejects.toMatchObject({
      code: 'TARGET_UNFIT',
      message: expect.stringMatching(/cannot be restored into: EPERM/),
      hint: expect.stringMatching(/lsattr/),
    })
  } finally {
    execFileSync('chattr', ['-a', target])
  }
})

/** A host of two volumes that was backed up, and a directory for each test to restore into. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restore } from '../support/commands'
import { manifestKey } from '../../agent/contract'
import { localHost } from '../../agent/host/run-command.io'
import { formatManifest } from '../../agent/run/manifest'
import type { RestoreRequest } from '../../agent/options/commands'
import { tarCreate } from '../../agent/tar/commands'
import { archiveOf, place, storeWith, type StoredArchive } from '../support/archives'
import { logWarnings } from '../support/log'
import { requestOf } from '../support/request'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import { buildTree } from '../support/tree/build'
import { compareTrees } from '../support/tree/compare'
import { hostileTree } from '../support/tree/hostile'
import { directory, file, hardlink, symlink, type DirectoryLiteral } from '../support/tree/literal'
import { walkTree } from '../support/tree/walk'
import type { Deps, Host } from '../../agent/context'
import { loadCatalogs } from '../../agent/restore/catalogs.io'
import { planTasks } from '../../agent/restore/plan-tasks.io'
import { resolveSelection } from '../../agent/restore/select-volumes'
import { openRun } from '../../agent/run/runs'
import { localDeps } from '../support/host-deps'

// Real tars and trees: seconds on a busy machine.
jest.setTimeout(60_000)

const SRV: DirectoryLiteral = directory({
  app: directory(
    {
      'app.conf': file('port 80', { mode: 0o640, mtime: '1700000000.123456789' }),
      data: directory(
        {
          // Of three frames it has one all to itself.
          big: file('x'.repeat(5_000_000)),
          small: file('small'),
        },
        { mode: 0o750, uid: 1001 },
      ),
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

export let scratch: string
export let sources: Record<'root' | 'srv', string>
export let stored: Record<'root' | 'srv', StoredArchive>
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'restore-'))
  sources = { root: join(scratch, 'root'), srv: join(scratch, 'srv') }
  const build = async (name: 'root' | 'srv', tree: DirectoryLiteral, mountPoint: string) => {
    mkdirSync(sources[name])
    await buildTree(sources[name], tree)
    const [program, ...args] = tarCreate(sources[name])
    // Which name of a file comes first decides which ones are hard links.
    return archiveOf(execFileSync(program, args, { maxBuffer: 64 << 20 }), {
      volume: `vg0-${name}`,
      mountPoint,
    })
  }
  stored = { root: await build('root', hostileTree(), '/'), srv: await build('srv', SRV, '/srv') }
})
afterAll(() => rmSync(scratch, { recursive: true }))

export let target: string
beforeEach(() => {
  target = mkdtempSync(join(scratch, 'target-'))
})

export function backedUp(): MemoryStore {
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

/** The frame in the middle of /srv/app/data/big is damaged. */
export function damaged(): MemoryStore {
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

/** Its archives are in Glacier. */
export function frozen(store = backedUp()): MemoryStore {
  for (const [key, object] of store.objects) {
    if (key.startsWith('data/')) store.objects.set(key, { ...object, archived: true, storageClass: 'DEEP_ARCHIVE' })
  }
  return store
}
/** Glacier is done. */
export function thawed(store: MemoryStore): void {
  for (const [key, object] of store.objects) {
    if (object.restore) store.objects.set(key, { ...object, restore: { ongoing: false } })
  }
}

export function restored(
  changes: Partial<RestoreRequest>,
  store = backedUp(),
  warnings: string[] = [],
  host: Host = localHost,
  { signal }: AbortController = new AbortController(),
) {
  const there = ['--class', place.class, '--run', place.run, '--target', target]
  const request = { ...requestOf('restore', place.host, ...there), ...changes, host: place.host }
  const log = logWarnings(warnings)
  const deps = { host, store, log, now: () => new Date(), signal }
  return restore(deps, request)
}

/** Plans a restore into the target, as it is just before it begins. Releasing it removes the catalogs. */
export async function planned(changes: Partial<RestoreRequest> = {}, store = backedUp(), deps: Partial<Deps> = {}) {
  const there = ['--class', place.class, '--run', place.run, '--target', target]
  const request = { ...requestOf('restore', place.host, ...there), ...changes, host: place.host }
  const all: Deps = { ...localDeps(), store, ...deps }
  const { manifest } = await openRun(all, request)
  const { volumes } = resolveSelection(manifest, request.volume, request.path)
  const chosen = volumes.map(({ volume }) => volume)
  const catalogs = await loadCatalogs(all, request, manifest, chosen)
  try {
    const tasks = await planTasks(all, request, volumes, catalogs)
    return { deps: all, request, tasks, [Symbol.asyncDispose]: () => catalogs[Symbol.asyncDispose]() }
  } catch (error) {
    await catalogs[Symbol.asyncDispose]()
    throw error
  }
}

/** Where a tree differs from the one that was backed up; what is above a restored path is none of its business. */
export function differences(source: string, restoredTo: string): string[] {
  return compareTrees(walkTree(source), walkTree(restoredTo)).map(({ path, what }) => `${path}: ${what}`)
}

export const read = (path: string) => readFileSync(join(target, path), 'utf8')

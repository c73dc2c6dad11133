/** Whatever happens to a tree between two nights: the second one comes back whole, out of what changed and the base. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import { readCatalogText } from '../../agent/archive/read-catalog.io'
import { localHost } from '../../agent/host/run-command.io'
import { rebuildCatalog } from '../../agent/restore/rebuild-catalog.io'
import type { VolumeBackup } from '../../agent/run/manifest'
import { tarCreate } from '../../agent/tar/commands'
import { verifyVolume } from '../../agent/verify/verify.io'
import { decompress } from '../archive/write-fixture'
import { silentLog } from '../support/log'
import { manifestOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import { nightsOf, placeOf, restoreByHand, restoreNight } from '../support/nights'
import { compareTrees } from '../support/tree/compare'
import { walkTree } from '../support/tree/walk'
import { makeTrustedDirectory } from '../support/trusted-directory'

jest.setTimeout(600_000)

/** Between two nights, so that the kernel's clock has ticked. */
const TICK_MS = 12

let indexes: string
let place: string
beforeEach(() => {
  indexes = makeTrustedDirectory()
  place = mkdtempSync(join(tmpdir(), 'snapstream-differential-'))
})
afterEach(() => [indexes, place].forEach((directory) => rmSync(directory, { recursive: true })))

const DIRECTORIES = ['d', 'd-e', 'é', 'd/z\nz']
const NAMES = ['a', 'b', 'c', '-x', ' y']
/** Few, so that steps meet: a link needs a file to link to. */
const path = fc.tuple(fc.constantFrom(...DIRECTORIES), fc.constantFrom(...NAMES)).map((names) => names.join('/'))
const any = fc.oneof({ weight: 4, arbitrary: path }, { weight: 1, arbitrary: fc.constantFrom(...DIRECTORIES, 'f') })
const content = fc.constantFrom('', 'one', 'two', 'a longer one than the others')
const change = fc.oneof(
  fc.record({ what: fc.constant('write' as const), path, content }),
  fc.record({ what: fc.constant('rewrite' as const), path, content }),
  fc.record({ what: fc.constant('append' as const), path, content }),
  fc.record({ what: fc.constant('directory' as const), path }),
  fc.record({ what: fc.constant('remove' as const), path: any }),
  fc.record({ what: fc.constant('link' as const), path, other: path }),
  fc.record({ what: fc.constant('link' as const), path, other: path }),
  fc.record({ what: fc.constant('symlink' as const), path, other: path }),
  fc.record({ what: fc.constant('rename' as const), path: any, other: any }),
  fc.record({ what: fc.constant('mode' as const), path, mode: fc.constantFrom(0o600, 0o755, 0o4711) }),
  fc.record({ what: fc.constant('attribute' as const), path, content }),
)
/** Takes names of inodes along that have others elsewhere: nothing changes at the inode. */
const move = fc.record({
  what: fc.constant('rename' as const),
  path: fc.constantFrom(...DIRECTORIES),
  other: fc.constantFrom('f', 'd-f', 'é/g'),
})
type Step = typeof change extends fc.Arbitrary<infer Value> ? Value : never

/** What cannot be done, as there is no such file, or another, is left. */
function carryOut(root: string, step: Step): void {
  const at = join(root, step.path)
  try {
    if (step.what === 'write') {
      mkdirSync(join(at, '..'), { recursive: true })
      writeFileSync(at, step.content)
    } else if (step.what === 'rewrite') {
      writeFileSync(at, step.content, { flag: 'r+' })
      lutimesSync(at, 1_000_000, 1_000_000) // the time says nothing
    } else if (step.what === 'append') appendFileSync(at, step.content)
    else if (step.what === 'directory') mkdirSync(at, { recursive: true })
    else if (step.what === 'remove') rmSync(at, { recursive: true })
    else if (step.what === 'link') {
      const other = join(root, step.other)
      if (existsSync(at) && at !== other) rmSync(other, { force: true })
      linkSync(at, other)
    } else if (step.what === 'symlink') symlinkSync(step.other, at)
    else if (step.what === 'rename') renameSync(at, join(root, step.other))
    else if (step.what === 'mode') chmodSync(at, step.mode)
    else execFileSync('setfattr', ['-h', '-n', 'trusted.test', '-v', `"${step.content}"`, at], { stdio: 'ignore' })
  } catch {
    // nothing changed
  }
}

test('any tree, any changes: base, differential archive and the list of what is gone make up the volume, and a lost catalog', async () => {
  let number = 0
  const figures = { nights: 0, differential: 0, links: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 5, maxLength: 25 }),
      fc.array(fc.oneof({ weight: 4, arbitrary: change }, { weight: 1, arbitrary: move }), { maxLength: 5 }),
      async (before, changes) => {
        const [root, byHand] = ['root', 'by-hand'].map((name) => join(place, `${number} ${name}`)) as [string, string]
        number++
        for (const directory of [root, byHand]) mkdirSync(directory)
        writeFileSync(join(root, 'ballast'), Buffer.alloc(100_000, 'x')) // so that little of it changes
        for (const directory of DIRECTORIES) mkdirSync(join(root, directory), { recursive: true })
        for (const name of ['d/a', 'd/b', 'd-e/a', 'é/c']) writeFileSync(join(root, name), name)
        for (const [name, other] of [
          ['d/a', 'd-e/l'],
          ['é/c', 'd/l'],
        ] as const)
          linkSync(join(root, name), join(root, other))
        for (const step of before) carryOut(root, step)
        const nights = nightsOf(root, indexes)
        await nights.full()
        await wait(TICK_MS)
        for (const step of changes) carryOut(root, step)
        const night = await nights.differential()
        figures.nights++
        if (night.counts.unchanged > 1) figures.differential++
        if (catalogOf(nights.store, night).some(isLinkOfBase)) figures.links++
        restoreByHand(nights.store, night, byHand)
        expect(compareTrees(walkTree(root), walkTree(byHand))).toEqual([])
        const { signal } = new AbortController()
        const deps = { host: localHost, store: nights.store, log: silentLog, signal, now: () => new Date() }
        expect((await verifyVolume(deps, night, 'stream', tarCreate(root))).findings).toEqual([])
        const restored = join(place, `${number} restored`)
        mkdirSync(restored)
        expect((await restoreNight(nights.store, night, restored)).status).toBe(0)
        expect(compareTrees(walkTree(root), walkTree(join(restored, 'srv')))).toEqual([])
        await using rebuilt = await rebuildCatalog(deps, manifestOf({ ...placeOf(night), volumes: [night] }), night)
        expect(await textOf(rebuilt.text())).toBe(await textOf(readCatalogText(deps, night.archive.catalog)))
      },
    ),
    { numRuns: 100 },
  )
  expect(figures.differential).toBeGreaterThan(figures.nights / 2)
  expect(figures.links).toBeGreaterThan(figures.nights / 10)
})

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece.toString('latin1') // it is used anew for the next one
  return text
}

function catalogOf(store: MemoryStore, { archive }: VolumeBackup): string[] {
  return decompress(store.objects.get(archive.catalog.key)!.body).toString().split('\n')
}

const isLinkOfBase = (line: string) => line.includes('"type":"hardlink"') && line.includes('"base":true')

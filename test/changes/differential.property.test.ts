/** Whatever happens to a tree between two nights: the second one comes back whole, out of what changed and the base. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
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
import { nightsOf, restoreByHand, restoreNight } from '../support/nights'
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

const NAMES = ['a', 'b', 'c', 'a-b', 'a.b', 'B', 'é', ' x', '-y', 'z\nz']
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
const content = fc.constantFrom('', 'one', 'two', 'a longer one than the others')
const change = fc.oneof(
  fc.record({ what: fc.constant('write' as const), path, content }),
  fc.record({ what: fc.constant('rewrite' as const), path, content }),
  fc.record({ what: fc.constant('append' as const), path, content }),
  fc.record({ what: fc.constant('directory' as const), path }),
  fc.record({ what: fc.constant('remove' as const), path }),
  fc.record({ what: fc.constant('link' as const), path, other: path }),
  fc.record({ what: fc.constant('symlink' as const), path, other: path }),
  fc.record({ what: fc.constant('rename' as const), path, other: path }),
  fc.record({ what: fc.constant('mode' as const), path, mode: fc.constantFrom(0o600, 0o755, 0o4711) }),
  fc.record({ what: fc.constant('attribute' as const), path, content }),
)
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
    else if (step.what === 'link') linkSync(at, join(root, step.other))
    else if (step.what === 'symlink') symlinkSync(step.other, at)
    else if (step.what === 'rename') renameSync(at, join(root, step.other))
    else if (step.what === 'mode') chmodSync(at, step.mode)
    else execFileSync('setfattr', ['-h', '-n', 'trusted.test', '-v', `"${step.content}"`, at], { stdio: 'ignore' })
  } catch {
    // nothing changed
  }
}

test('any tree, any changes: base, differential archive and the list of what is gone make up the volume', async () => {
  let number = 0
  const figures = { nights: 0, differential: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 5, maxLength: 25 }),
      fc.array(change, { maxLength: 8 }),
      async (before, changes) => {
        const [root, byHand] = ['root', 'by-hand'].map((name) => join(place, `${number} ${name}`)) as [string, string]
        number++
        for (const directory of [root, byHand]) mkdirSync(directory)
        writeFileSync(join(root, 'ballast'), Buffer.alloc(100_000, 'x')) // so that little of it changes
        for (const step of before) carryOut(root, step)
        const nights = nightsOf(root, indexes)
        await nights.full()
        await wait(TICK_MS)
        for (const step of changes) carryOut(root, step)
        const night = await nights.differential()
        figures.nights++
        if (night.counts.unchanged > 1) figures.differential++
        restoreByHand(nights.store, night, byHand)
        expect(compareTrees(walkTree(root), walkTree(byHand))).toEqual([])
        const restored = join(place, `${number} restored`)
        mkdirSync(restored)
        expect((await restoreNight(nights.store, night, restored)).status).toBe(0)
        expect(compareTrees(walkTree(root), walkTree(join(restored, 'srv')))).toEqual([])
      },
    ),
    { numRuns: 60 },
  )
  expect(figures.differential).toBeGreaterThan(figures.nights / 2)
})

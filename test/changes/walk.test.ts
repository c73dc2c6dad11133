import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { tarCreate } from '../../agent/tar/commands'
import { pathBytes } from '../../agent/tar/entry'
import { scanTar } from '../../agent/tar/scanner'
import { parseFacts, type Walked } from '../../agent/changes/walked'
import { pathOfOrderKey } from '../../agent/tar/order'
import { runWalkIfAsked } from '../../agent/changes/walk-thread.io'
import { walkTree } from '../../agent/changes/walk.io'

jest.setTimeout(120_000)

let root: string
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'snapstream-walk-'))))
afterEach(() => rmSync(root, { recursive: true }))

async function walk(directory: string, excludes: readonly string[] = []): Promise<Walked[]> {
  await using walking = walkTree({ directory, excludes }, new AbortController().signal)
  const all: Walked[] = []
  for await (const batch of walking.batches()) all.push(...batch)
  return all
}

/** As tar has them in its archive. */
function archived(directory: string, excludes: readonly string[] = []): string[] {
  const [program, ...options] = tarCreate(directory, excludes)
  const tar = execFileSync(program, options, { maxBuffer: 1 << 28, env: { PATH: process.env['PATH'], LC_ALL: 'C' } })
  if (!tar.subarray(0, 512).some((byte) => byte !== 0)) return []
  const found: string[] = []
  const scanner = scanTar((entry) => found.push(pathBytes(entry).toString('latin1')))
  scanner.push(tar)
  scanner.finish()
  return found
}

const pathsOf = (walked: readonly Walked[]) => walked.map(({ key }) => pathOfOrderKey(key).toString('latin1'))

test('what is seen of each kind of file is what the kernel says', async () => {
  writeFileSync(join(root, 'file'), 'five!', { mode: 0o640 })
  symlinkSync('nowhere', join(root, 'link'))
  execFileSync('mkfifo', [join(root, 'fifo')])
  execFileSync('ln', [join(root, 'file'), join(root, 'other name')])
  const server = createServer().listen(join(root, 'socket'))
  const found = new Map((await walk(root)).map(({ key, facts }) => [key, parseFacts(facts)]))
  server.close()
  expect([...found.keys()]).toEqual(['', 'fifo', 'file', 'link', 'other name'])
  expect(found.get('file')).toMatchObject({ type: 'file', sizeBytes: 5n, links: 2, mode: 0o640, uid: 0 })
  expect(found.get('other name')).toEqual(found.get('file'))
  expect([found.get('fifo')?.type, found.get('link')?.type, found.get('')?.type]).toEqual([
    'fifo',
    'symlink',
    'directory',
  ])
})

test('a walk that cannot look at something says so, and is not taken for a shorter tree', async () => {
  await expect(walk(join(root, 'not there'))).rejects.toThrow(/could not be looked at: ENOENT/)
})

test('a tree that is too deep for the kernel to name is no shorter one either', async () => {
  execFileSync('perl', ['-e', 'chdir $ARGV[0]; for (1..50) { mkdir "d" x 200; chdir "d" x 200 }', root])
  await expect(walk(root)).rejects.toThrow(/ENAMETOOLONG/)
})

test('who was not started to walk goes on', () => expect(runWalkIfAsked()).toBe(false))

test('a walk that is given up ends', async () => {
  for (let index = 0; index < 200; index++) writeFileSync(join(root, `file ${index}`), '')
  const stop = new AbortController()
  await using walking = walkTree({ directory: root, excludes: [] }, stop.signal)
  stop.abort(new Error('enough'))
  await expect(walking.batches().next()).rejects.toThrow('enough')
})

const name = fc
  .uint8Array({ minLength: 1, maxLength: 6 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 47 ? 97 : byte))))
  .filter((bytes) => !['.', '..'].includes(bytes.toString('latin1')))
const letters = fc.constantFrom(...['a', 'b', 'ab', 'a.b', 'a-b', '-a', 'b*', '[a]', 'a b', 'é', 'A', '0', 'a\\b'])
const names = fc.oneof({ weight: 3, arbitrary: letters.map((text) => Buffer.from(text)) }, name)
const trees = fc.array(fc.tuple(fc.array(names, { minLength: 1, maxLength: 4 }), fc.boolean()), { maxLength: 15 })
/** What a pattern is made of, as people write it and as they mistype it. */
const tokens = fc.constantFrom(
  ...['a', 'b', '.', '-', '*', '**', '?', '/', '\\*', '\\', 'é', 'A', '0'],
  ...['[ab]', '[!a]', '[^a]', '[a-c]', '[]a]', '[!]', '[^]', '[]', '[', '[a'],
  ...['[[:alpha:]]', '[![:digit:]]', '[![:alnm:]]', '[[:alpha:]', '[[.a.]]'],
)
const globs = fc.array(
  fc
    .tuple(fc.constantFrom('', '/'), fc.array(tokens, { minLength: 1, maxLength: 4 }))
    .map(([start, rest]) => start + rest.join('')),
  { maxLength: 2 },
)

function make(directory: string, tree: readonly (readonly [Buffer[], boolean])[]): void {
  for (const [path, isDirectory] of tree) {
    const parents = path.slice(0, isDirectory ? undefined : -1)
    const joined = (parts: readonly Buffer[]) =>
      Buffer.concat([Buffer.from(directory), ...parts.flatMap((part) => [Buffer.from('/'), part])])
    try {
      mkdirSync(joined(parents), { recursive: true })
      if (!isDirectory) writeFileSync(joined(path), '')
    } catch (error) {
      if (!['EEXIST', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

test('whatever a tree holds and whatever is excluded, the walk and tar go through the same, in one order', async () => {
  let number = 0
  await fc.assert(
    fc.asyncProperty(trees, globs, async (tree, excludes) => {
      const directory = join(root, `tree ${number++}`)
      mkdirSync(directory)
      make(directory, tree)
      const walked = await walk(directory, excludes).catch((error: unknown) => {
        if (/cannot be followed/.test(String(error))) return undefined
        throw error
      })
      fc.pre(walked !== undefined)
      const found = archived(directory, excludes)
      fc.pre(found.length > 0) // the root itself is left out: there is no archive, and nothing to go by
      expect(pathsOf(walked)).toEqual(found)
    }),
    { numRuns: 250 },
  )
})

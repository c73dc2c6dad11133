import { execFileSync, spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { tarMessages } from '../../agent/tar/messages'
import { CACHE_SIGNATURE, CACHE_TAG, NO_TAGS, type DirectoryTags, type TaggedDirectories } from '../../agent/tar/tags'
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

/** Every kind of entry that may bear a tag's name, and what a cache's tag may begin with. */
const TAG_KINDS = ['file', 'signature', 'short', 'directory', 'link', 'nowhere', 'fifo', 'socket'] as const
const tagged = fc.array(
  fc.record({
    directory: fc.array(fc.constantFrom('a', 'b', 'c', 'skip', '.nobackup'), { maxLength: 3 }),
    tag: fc.constantFrom(CACHE_TAG, '.nobackup', 'skip'),
    kind: fc.constantFrom(...TAG_KINDS),
    content: fc.constantFrom('x', 'y\\: z', '\n'),
  }),
  { minLength: 1, maxLength: 8 },
)
const tagChoices: fc.Arbitrary<DirectoryTags> = fc.record({
  caches: fc.boolean(),
  names: fc.uniqueArray(fc.constantFrom('.nobackup', 'skip', CACHE_TAG)),
})

/** Nothing that is there is touched, nor what a link leads to: files are made anew, or not at all. */
function makeTag(path: string, kind: (typeof TAG_KINDS)[number]): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return
  if (kind === 'directory') mkdirSync(path)
  else if (kind === 'link') symlinkSync('linked', path)
  else if (kind === 'nowhere') symlinkSync('nowhere', path)
  else if (kind === 'fifo') execFileSync('mkfifo', [path])
  else if (kind === 'socket')
    execFileSync('python3', ['-c', 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', path])
  else writeFileSync(path, TAG_CONTENTS[kind], { flag: 'wx' })
}

const TAG_CONTENTS = { file: '', signature: `${CACHE_SIGNATURE}\n`, short: CACHE_SIGNATURE.slice(0, -1) } as const

/** What tar archives, and of what it says that it left out the contents. */
function archivedWithTags(directory: string, excludes: readonly string[], tags: DirectoryTags) {
  const [program, ...options] = tarCreate(directory, excludes, tags)
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' }
  const { stdout, stderr } = spawnSync(program, options, { maxBuffer: 1 << 28, env })
  const messages = tarMessages()
  messages.push(stderr)
  const found: string[] = []
  const scanner = scanTar((entry) => found.push(pathBytes(entry).toString('latin1')))
  scanner.push(stdout)
  scanner.finish()
  return { found, ...messages.summary() }
}

const byPath = ({ first }: TaggedDirectories) => first.map(({ path, tag }) => `${path} ${tag}`).sort()

test('whatever tags directories have, the walk and tar leave out the same, and both say what', async () => {
  let number = 0
  await fc.assert(
    fc.asyncProperty(tagged, tagChoices, fc.constantFrom([], ['*y*'], ['.nobackup']), async (tree, tags, excludes) => {
      const directory = join(root, `tagged ${number++}`)
      mkdirSync(directory)
      for (const { directory: names, tag, kind, content } of tree) {
        const place = join(directory, ...names)
        // Where a tag is no directory, nothing can be in it.
        const parents = names.map((_, depth) => join(directory, ...names.slice(0, depth + 1)))
        if (parents.some((parent) => lstatSync(parent, { throwIfNoEntry: false })?.isDirectory() === false)) continue
        mkdirSync(place, { recursive: true })
        for (const name of [content, 'linked']) writeFileSync(join(place, name), '', { flag: 'a' })
        makeTag(join(place, tag), kind)
      }
      await using walking = walkTree({ directory, excludes, tags }, new AbortController().signal)
      const walked: Walked[] = []
      for await (const batch of walking.batches()) walked.push(...batch)
      const { found, tagged: told, warnings } = archivedWithTags(directory, excludes, tags)
      expect(pathsOf(walked)).toEqual(found)
      expect(byPath(walking.tagged())).toEqual(byPath(told))
      expect([walking.tagged().count, warnings.count]).toEqual([told.count, 0])
    }),
    { numRuns: 60 },
  )
})

test('without tags, tar is not asked to tell of every name', () => {
  expect(tarCreate(root, [], NO_TAGS)).not.toContain('--verbose')
})

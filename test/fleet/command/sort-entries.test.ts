import fc from 'fast-check'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { CatalogEntry } from '../../../agent/tar/entry'
import { sortEntries } from '../../../fleet/command/sort-entries.io'

const entry = (path: string, size = 0): CatalogEntry => ({
  ...{ path, size, type: 'file', mode: 0, uid: 0, gid: 0, mtime: '1', offset: 0, bytes: 512 },
  ...(Buffer.from(path, 'latin1').toString('utf8') !== path && {
    path64: Buffer.from(path, 'latin1').toString('base64'),
  }),
})
async function* source(paths: readonly string[]): AsyncGenerator<CatalogEntry> {
  for (const [size, path] of paths.entries()) yield entry(path, size)
}
async function sorted(paths: readonly string[], runBytes?: number): Promise<[string, number][]> {
  await using entries = await sortEntries(source(paths), runBytes)
  const all: [string, number][] = []
  for await (const { path, size } of entries.entries()) all.push([path, size])
  return all
}

test('in any number of pieces, entries come out by the bytes of their names, the last of each name', async () => {
  const name = fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
  await fc.assert(
    fc.asyncProperty(fc.array(name), fc.integer({ min: 1, max: 2000 }), async (paths, runBytes) => {
      const last = new Map(paths.map((path, size) => [path, size]))
      expect(await sorted(paths, runBytes)).toEqual([...last].sort(([a], [b]) => (a < b ? -1 : 1)))
    }),
    { numRuns: 50 },
  )
})

test('more than is read from the file at a time, and again from the first one', async () => {
  const paths = Array.from({ length: 20_000 }, (_, i) => `directory/${(i * 7919) % 20_000}`)
  await using entries = await sortEntries(source(paths), 200_000)
  for (let round = 0; round < 2; round++) {
    let count = 0
    let before = ''
    for await (const { path } of entries.entries()) {
      expect(path > before).toBe(true)
      before = path
      count++
    }
    expect(count).toBe(20_000)
  }
})

test('no file is left behind, and none has a name', async () => {
  const ours = () => readdirSync(tmpdir()).filter((name) => name.startsWith('snapstream-'))
  const before = ours()
  await using entries = await sortEntries(source(['a']))
  expect(ours().filter((name) => !before.includes(name))).toEqual([])
  expect(entries).toBeDefined()
})

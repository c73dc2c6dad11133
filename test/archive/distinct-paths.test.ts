import { distinctPaths } from '../../agent/archive/distinct-paths.io'
import type { CatalogEntry } from '../../agent/tar/entry'

const entryOf = (path: string, more: Partial<CatalogEntry> = {}): CatalogEntry => ({
  ...{ path, type: 'file', size: 0, mode: 0o644, uid: 0, gid: 0, mtime: '0', offset: 0, bytes: 512 },
  ...more,
})

test('of many paths, those that are there twice are found, wherever they stand', () => {
  const paths = distinctPaths()
  const entries = Array.from({ length: 50_000 }, (_, index) => entryOf(`srv/${index}`))
  for (const entry of [entryOf('srv/7'), ...entries, entryOf('srv/49999')]) paths.add(entry)
  const isTwice = paths.findTwice()
  expect(isTwice && entries.filter(isTwice).map(({ path }) => path)).toEqual(['srv/7', 'srv/49999'])
})

test('where no path is there twice, nothing is found', () => {
  const paths = distinctPaths()
  for (let index = 0; index < 10_000; index++) paths.add(entryOf(`srv/${index}`))
  expect(paths.findTwice()).toBeUndefined()
  expect(distinctPaths().findTwice()).toBeUndefined()
})

test('names that only look alike, as their bytes are not UTF-8, are two', () => {
  const [first, second] = ['YWb_', 'YWb-'].map((bytes) =>
    entryOf('caf\ufffd', { path64: Buffer.from(bytes, 'base64url').toString('base64') }),
  )
  const paths = distinctPaths()
  paths.add(first!)
  paths.add(second!)
  expect(paths.findTwice()).toBeUndefined()
  paths.add(first!)
  expect([first!, second!].map(paths.findTwice()!)).toEqual([true, false])
})

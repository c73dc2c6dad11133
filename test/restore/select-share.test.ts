import { selectShare } from '../../agent/restore/select-share'
import { partOf } from '../../agent/verify/sample'
import type { CatalogEntry } from '../../agent/tar/entry'

const entryOf = (path: string, type: CatalogEntry['type'] = 'file'): CatalogEntry => ({
  ...{ path, type, size: 0, mode: 0o644, uid: 0, gid: 0, mtime: '0', offset: 0, bytes: 512 },
})
const directories = ['.', 'a', 'a/b', 'a/b/c', 'a/b/c/d', 'a/b/c/d/e', 'f', 'g'].map((path) =>
  entryOf(path, 'directory'),
)
const files = ['a/1', 'a/b/2', 'a/b/c/3', 'a/b/c/d/4', 'a/b/c/d/e/5', 'f/6', 'g/7', '8'].map((path) => entryOf(path))
/** As tar walks: a directory, then what is in it. */
const entries = [...directories, ...files].sort((a, b) => (a.path === '.' ? -1 : a.path < b.path ? -1 : 1))

const taken = (part: number, parts: number, mountPoints: string[] = []) => {
  const selected = selectShare('/', { part, count: 1, parts }, mountPoints)
  for (const entry of entries) selected.learn(entry)
  return entries.flatMap((entry) => (selected.take(entry) === undefined ? [] : [entry.path]))
}

test('all parts together are everything, and each file is in one', () => {
  const all = [1, 2, 3, 4, 5].flatMap((part) => taken(part, 5))
  const times = (path: string) => all.filter((one) => one === path).length
  expect(files.map(({ path }) => times(path))).toEqual(files.map(() => 1))
  expect(new Set(all).size).toBe(entries.length)
})

test('what is restored has all the directories above it, and the root is always there', () => {
  for (const part of [1, 2, 3, 4, 5]) {
    const paths = taken(part, 5)
    expect(paths[0]).toBe('.')
    for (const path of paths) {
      const above = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.'
      expect(paths).toContain(above)
    }
  }
})

test('a directory that another volume is restored to is there, whosever part it is', () => {
  const part = [1, 2, 3, 4, 5].find((each) => each !== partOf(entryOf('a/b'), 5) && !taken(each, 5).includes('a/b'))!
  expect(taken(part, 5, ['a/b'])).toEqual(expect.arrayContaining(['a', 'a/b']))
})

test('no link counts on the name that its data has in another part', () => {
  const selected = selectShare('/', { part: 1, count: 1, parts: 5 }, [])
  expect(files.some(() => selected.isWanted())).toBe(false)
})

test('an entry that leads out of the volume is refused as ever', () => {
  const selected = selectShare('/', { part: 1, count: 1, parts: 5 }, [])
  selected.take(directories[0]!)
  expect(() => selected.take(entryOf('../etc/passwd'))).toThrow('leads out of the volume')
})

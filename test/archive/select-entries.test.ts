/** What an operator is told whose path is not in the backup. */
import { selectEntries } from '../../agent/archive/select-entries'
import type { CatalogEntry } from '../../agent/tar/entry'

const entryOf = (path: string, type: CatalogEntry['type'] = 'file'): CatalogEntry => ({
  ...{ path, type, size: 0, mode: 0o644, uid: 0, gid: 0, mtime: '0', offset: 0, bytes: 512 },
})
const ENTRIES = [
  entryOf('.', 'directory'),
  entryOf('app', 'directory'),
  entryOf('app/nginx.conf'),
  entryOf('app/moment'),
]

function hintFor(path: string): string {
  const selected = selectEntries('/srv', [path])
  for (const entry of ENTRIES) selected.take(entry)
  try {
    selected.assertAllFound()
  } catch (error) {
    return (error as { hint: string }).hint
  }
  return ''
}

test.each([
  ['a name with a letter wrong', 'app/ngimx.conf', "Did you mean '/srv/app/nginx.conf'? "],
  ['the right name in the wrong directory', 'etc/nginx.conf', "Did you mean '/srv/app/nginx.conf'? "],
  ['a name that nothing is like, in a directory that is there', 'app/passwords', ''],
])('%s: %s', (_, path, guess) => {
  expect(hintFor(path)).toBe(`${guess}"snapstream find" shows which runs have it.`)
})

test('a pattern is sent to find, and not taken for a misspelt name', () => {
  expect(hintFor('app/mo*')).toBe('--path takes no patterns: "snapstream find" does, and shows which paths match.')
})

import { TAG_PATTERN } from '../../agent/contract'
import { tarMessages } from '../../agent/tar/messages'
import { assertRootIsKept, collectTagged, TAGGED_LISTED_MAX, tagsInOrder } from '../../agent/tar/tags'

test.each([
  ['.nobackup', true],
  ['CACHEDIR.TAG', true],
  ['.', false],
  ['..', false],
  ['', false],
  ['a/b', false],
  ['two words', false],
  ["it's", false],
  ['new\nline', false],
])('%j is the name of a tag: %s', (name, isName) => {
  expect(new RegExp(TAG_PATTERN).test(name)).toBe(isName)
})

test('tar looks for the tag that was given last first, and for those of caches last', () => {
  expect(tagsInOrder({ caches: true, names: ['a', 'b'] })).toEqual(['b', 'a', 'CACHEDIR.TAG'])
})

test('all directories are counted, the first are listed, and what is not UTF-8 is not lost', () => {
  const collector = collectTagged()
  collector.add('b\xffd', '.nobackup')
  collector.add(undefined, '.nobackup')
  for (let index = 0; index < 200; index++) collector.add(`d${index}`, 'CACHEDIR.TAG')
  const { count, first } = collector.list()
  expect([count, first.length]).toEqual([202, TAGGED_LISTED_MAX])
  expect(first.slice(0, 2)).toEqual([
    { path: 'b\ufffdd', path64: Buffer.from('b\xffd', 'latin1').toString('base64'), tag: '.nobackup' },
    { path: 'd0', tag: 'CACHEDIR.TAG' },
  ])
})

test('what tar says of them is read with its escapes, and is no warning', () => {
  const messages = tarMessages()
  const end = 'contains a cache directory tag .nobackup; contents not dumped\n'
  messages.push(
    Buffer.from(`tar: ./: ${end}tar: ./a\\: b/caf\\303\\251\\\\\\n/: ${end}tar: ./${'d'.repeat(30_000)}/: ${end}`),
  )
  const { tagged, warnings } = messages.summary()
  expect(warnings.count).toBe(0)
  expect(tagged).toEqual({
    count: 3,
    first: [
      { path: '.', tag: '.nobackup' },
      { path: 'a: b/café\\\n', tag: '.nobackup' },
    ],
  })
})

test('a filesystem that is tagged itself is refused, with what to do', () => {
  const tagged = { count: 1, first: [{ path: '.', tag: '.nobackup' }] }
  expect(() => assertRootIsKept('/srv', tagged)).toThrow(
    '/srv itself has .nobackup: all that is in it would be left out',
  )
  expect(() => assertRootIsKept('/srv', { count: 1, first: [{ path: 'cache', tag: '.nobackup' }] })).not.toThrow()
})

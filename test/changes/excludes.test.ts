import { excluder } from '../../agent/changes/excludes'

test.each<[glob: string, member: string, isLeftOut: boolean]>([
  ['/cache', './cache', true],
  ['/cache', './var/cache', false],
  ['cache', './var/cache', true],
  ['*.log', './var/a.log', true],
  ['*.log', './var/a.log/b', false], // nobody asks for it: the directory is left out
  ['/var/*', './var/a', true],
  ['/var/*', './var/a/b', false],
  ['a?c', './abc', true],
  ['[a-c]x', './bx', true],
  ['[!a-c]x', './bx', false],
  ['[[:digit:]]', './7', true],
  ['a.c', './abc', false],
  ['é', `./${Buffer.from('é').toString('latin1')}`, true],
])('%s and %s: %s', (glob, member, isLeftOut) => {
  expect(excluder([glob])?.(member)).toBe(isLeftOut)
})

test.each(['[a\\]b]', '[[.a.]]', '[b-a]', 'a\\', '[!]*', '[^]*', '[]', '[![:alnm:]]*', '[[:alpha:]'])(
  'a pattern that tools read in different ways is not followed: %s',
  (glob) => {
    expect(excluder([glob])).toBeUndefined()
  },
)

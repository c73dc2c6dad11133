import { parseGlob } from '../../agent/lib/glob'

test.each([
  ['hosts', '/etc/hosts', true],
  ['hosts', '/etc/hosts.allow', false],
  ['hosts', '/etc/myhosts', false],
  ['hosts', '/hosts/file', false],
  ['*.conf', '/etc/nginx/nginx.conf', true],
  ['*.conf', '/etc/a.conf/b', false],
  ['etc/*.conf', '/srv/etc/a.conf', true],
  ['etc/*.conf', '/srv/etc/nginx/a.conf', false],
  ['/etc/*.conf', '/etc/a.conf', true],
  ['/etc/*.conf', '/srv/etc/a.conf', false],
  ['/srv/**/x', '/srv/x', true],
  ['/srv/**/x', '/srv/a/b/x', true],
  ['/srv/**', '/srv/a/b/x', true],
  ['/srv/**', '/srvother/a', false],
  ['file-?', '/file-1', true],
  ['file-?', '/file-12', false],
  ['?', '/😀', true],
  ['[a-c]x', '/bx', true],
  ['[!a-c]x', '/bx', false],
  ['[!a-c]x', '/dx', true],
  ['a[', '/a[', true],
  ['a\\*', '/a*', true],
  ['a\\*', '/ab', false],
  ['a.b', '/axb', false],
  ['x[!a]y', '/x/y', false],
  ['x[/b]y', '/x/y', false],
  ['x[/b]y', '/xby', true],
  ['etc/', '/srv/etc', true],
  ['/srv/etc//', '/srv/etc', true],
  ['/', '/', true],
  ['with\nnewline', '/with\nnewline', true],
])('%j and %j: %s', (pattern, path, expected) => {
  expect(parseGlob(pattern).matches(path)).toBe(expected)
})

test.each([
  ['hosts', 'hosts'],
  ['*.conf', '.conf'],
  ['/etc/**/nginx-*.conf', 'nginx-'],
  ['[ab]c\\*d', 'c*d'],
  ['*', ''],
  ['/srv/', 'srv'],
  ['/srv/data**', ''],
  ['/srv/data**.txt', '.txt'],
  ['data**/x', 'x'],
  ['data[/]x', 'data'],
  ['etc\\/x', 'x'],
])('what every match of %j has in its name is %j', (pattern, literal) => {
  expect(parseGlob(pattern).literal).toBe(literal)
})

test.each(['[z-a]', 'report-[2026-11]*'])('%j is told of as a range, and not as a defect', (pattern) => {
  expect(() => parseGlob(pattern)).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: `the pattern '${pattern}' has a range that ends before it starts`,
    }),
  )
})

test.each([
  ['/**/a/**/b/**/c', `/${'a/b/'.repeat(15_000)}x`],
  ['/**a**b**c**d**e', `/${'abcd'.repeat(15_000)}`],
  ['*a*a*a*a*a*b', `/${'a'.repeat(60_000)}`],
  ['x/*a*a*a*a*b', `/x/${'a'.repeat(60_000)}`],
])('%s is held against a path made to take long as fast as against any other', (pattern, path) => {
  let looks = 0
  const counted = {
    length: path.length,
    codePointAt: (at: number) => {
      looks++
      return path.codePointAt(at)
    },
    lastIndexOf: () => -1,
    slice: () => counted,
  }
  expect(parseGlob(pattern).matches(counted as unknown as string)).toBe(false)
  expect(looks).toBeLessThanOrEqual(path.length)
})

test.each([
  ['/a**/b', '/abc/x/b', true],
  ['/a**/b', '/a/b', true],
  ['a/**/b', '/x/a/b', true],
  ['a/**/b', '/x/a/c/d/b', true],
  ['a/**/b', '/x/ab', false],
  ['/**', '/anything/at/all', true],
  ['**/x', '/x', true],
  ['**/x', '/a/yx', false],
  ['/**/**/x', '/a/x', true],
  ['/a*/*b', '/ac/db', true],
  ['/a*b', '/a/b', false],
  ['*x*y*', '/1x2y3', true],
])('%j and %j, in more ways than one: %s', (pattern, path, expected) => {
  expect(parseGlob(pattern).matches(path)).toBe(expected)
})

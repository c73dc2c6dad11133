/** JSON that somebody else wrote: what gets in as it is, what gets in made harmless, and what does not get in. */
import { z } from 'zod'
import {
  bytes,
  crc32,
  fileName,
  isWord,
  line,
  lines,
  listOf,
  mountPoint,
  recordOf,
  seconds,
  sha256,
  size,
  time,
  toolOutput,
  word,
} from '../../agent/lib/untrusted'

const accepts = (schema: z.ZodType) => (value: unknown) => schema.safeParse(value).success

test.each<[string, z.ZodType, readonly unknown[], readonly unknown[]]>([
  [
    'a word',
    word,
    ['', 'two words', 'größe', '😀', '--config', 'x'.repeat(4096)],
    ['a\nb', '\t', '\0', '\u001b[2K', '\u009b2K', '\u2028', '\u2029', '\ud800', 'x'.repeat(4097), 1, null],
  ],
  [
    'a name in a key, and in a path of a device',
    fileName,
    ['vg0-home', 'my--vg-my--home', '.hidden', '+', 'a.b'],
    ['', '.', '..', '../sda', 'a/b', '-x', '--config', 'a b', 'größe', 'a\n', 'a\0'],
  ],
  ['a number of bytes', bytes, [0, 1, Number.MAX_SAFE_INTEGER], [-1, 0.5, 2 ** 53, NaN, Infinity, '1', null]],
  ['the size of what is not empty', size, [1], [0, -1, 1.5]],
  ['a number of seconds', seconds, [0, 12.5], [-0.1, NaN, Infinity, '1']],
  [
    'a time',
    time,
    ['2026-01-31T04:05:06Z', '2026-01-31T04:05:06.789Z'],
    ['2026-01-31', '2026-13-01T00:00:00Z', 'x', 0],
  ],
  ['a CRC32', crc32, ['0badcafe'], ['0BADCAFE', 'badcafe', '00badcafe', 'badcafeg', '0badcafe\n']],
  ['a SHA-256', sha256, ['a'.repeat(64)], ['a'.repeat(63), 'a'.repeat(65), 'A'.repeat(64)]],
  [
    'a mount point',
    mountPoint,
    ['/', '/srv', '/srv/my data', '/.hidden', '/...'],
    ['', 'srv', '//', '//srv', '/srv/', '/srv//a', '/.', '/srv/..', '/../etc', '/srv\n', '/x\u001b[2K'],
  ],
])('%s', (_, schema, good, bad) => {
  expect(good.filter((value) => !accepts(schema)(value))).toEqual([])
  expect(bad.filter(accepts(schema))).toEqual([])
})

test('what may become a word may be asked of any text', () => {
  expect(['', 'a b', 'a\nb', 'a\u0085b'].map(isWord)).toEqual([true, true, false, false])
})

test.each([
  ['a\tb\nc', 'a b c', 'a\tb\nc'],
  ['\u001b[1Aup\r', '?[1Aup?', '?[1Aup?'],
  ['\u009b2K\u2028\u2029\0', '?2K???', '?2K???'],
  ['half \ud83d of one', 'half ? of one', 'half ? of one'],
  ['größe 😀', 'größe 😀', 'größe 😀'],
])('text that is only shown is made harmless: %j', (text, inLine, inLines) => {
  expect([line.parse(text), lines.parse(text)]).toEqual([inLine, inLines])
})

test('so is all text in what a tool printed, however deep', () => {
  const output = { report: [{ lv: [{ lv_name: 'a\u001b[2K', size: 1, tags: null }] }], on: true, none: undefined }
  expect(toolOutput.parse(output)).toEqual({ ...output, report: [{ lv: [{ lv_name: 'a?[2K', size: 1, tags: null }] }] })
})

test('the keys of what a tool printed stay keys: none of them becomes what objects are made of', () => {
  const read = toolOutput.parse(JSON.parse('{"__proto__": {"polluted": true}, "a": 1}'))
  expect(read).not.toHaveProperty('polluted')
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
})

describe('of many', () => {
  const paths = (schema: z.ZodType, value: unknown) =>
    schema.safeParse(value).error?.issues.map(({ path }) => path.join('.'))

  test('the first that is wrong is told of, with its place, and no other is looked at', () => {
    let looks = 0
    const looked = z.object({ n: z.number().refine(() => ++looks > 0) })
    expect(paths(listOf(looked), [{ n: 1 }, { n: 'x' }, ...Array<number>(1000).fill(0)])).toEqual(['1.n'])
    expect(looks).toBe(1)
    expect(paths(recordOf(fileName, z.object({ n: size })), { a: { n: 1 }, b: { n: 0 }, c: 0 })).toEqual(['b.n'])
    expect(paths(recordOf(fileName, size), { a: 1, '../b': 1, '..': 1 })).toEqual(['../b'])
  })

  test('all are read where all are good, each as its kind makes it', () => {
    expect(listOf(line).parse(['a\n', 'b'])).toEqual(['a ', 'b'])
    expect(recordOf(word, line).parse({ a: 'x\ty' })).toEqual({ a: 'x y' })
  })

  test.each<[string, z.ZodType, unknown]>([
    ['a list that has fewer than it has to', listOf(size, 1), []],
    ['what only looks like a list', listOf(size), { length: 1, 0: 1 }],
    ['a list in the place of a record', recordOf(word, size), [1]],
    ['nothing', listOf(size), null],
  ])('is refused: %s', (_, schema, value) => expect(accepts(schema)(value)).toBe(false))
})

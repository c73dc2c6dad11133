import {
  boolean,
  choice,
  duration,
  fraction,
  listOf,
  size,
  snapshotSize,
  text,
  timestamp,
  wholeNumber,
  type OptionType,
} from '../../agent/options/types'

const seconds = duration(600, 'a time')
const rate = size(64 * 1024, 'a size')
const level = wholeNumber(1, 19)
const colour = choice('COLOUR', ['red', 'green'])
const word = text('WORD', '^[a-z]+$', 'a word')

/** What the text of a flag or a variable means; undefined where it is refused. */
function read<T>({ fromText, schema }: OptionType<T, unknown>, written: string): T | undefined {
  return schema.safeParse(fromText(written)).data
}

test.each<[string, OptionType<unknown, unknown>, string, unknown]>([
  ['a number', level, '19', 19],
  ['a number with zeros', level, '007', 7],
  ['seconds', seconds, '90', 90],
  ['seconds with their unit', seconds, '90s', 90],
  ['minutes', seconds, '10m', 600],
  ['hours', duration(7200, ''), '2h', 7200],
  ['a size', rate, '65536', 65_536],
  ['a size in KiB', rate, '64k', 65_536],
  ['a size in MiB', rate, '50M', 50 * 1024 ** 2],
  ['a size and a half', rate, '1.5GiB', 1.5 * 1024 ** 3],
  ['a size in TiB', rate, '1TiB', 1024 ** 4],
  ['a share of a volume', snapshotSize, '15%', { kind: 'percent', percent: 15 }],
  ['a whole volume', snapshotSize, '100%', { kind: 'percent', percent: 100 }],
  ['the least snapshot', snapshotSize, '4096K', { kind: 'bytes', sizeBytes: 4 * 1024 ** 2 }],
  ['whatever there is', snapshotSize, 'auto', { kind: 'auto' }],
  ['one of seven', fraction, '1/7', { count: 1, parts: 7 }],
  ['all of seven', fraction, '7/7', { count: 7, parts: 7 }],
  ['nearly all of a thousand', fraction, '999/1000', { count: 999, parts: 1000 }],
  ['a choice', colour, 'green', 'green'],
  ['a word', word, 'abc', 'abc'],
  ['on', boolean, 'true', true],
  ['on, as variables have it', boolean, '1', true],
  ['off', boolean, '0', false],
])('%s', (_, type, written, value) => {
  expect(read(type, written)).toEqual(value)
})

test.each<[string, OptionType<unknown, unknown>, readonly string[]]>([
  ['a number', level, ['0', '20', '-1', '3.5', '1e1', '0x1', ' 3', '', '9'.repeat(20)]],
  ['a time', seconds, ['0', '0s', '601', '11m', '1h', '3 days', '-1', '1.5m', '5M', '']],
  ['a size', rate, ['1K', '65535', '50MB', '-1G', '1e9', '1 G', '.5G', '1.2345G', '', 'K']],
  ['a snapshot', snapshotSize, ['0%', '101%', '1.5%', '%', '10', '3M', 'AUTO', '']],
  ['a share', fraction, ['', '7', '0/7', '1/0', '8/7', '1/1001', '01/7', '1/7 ', '-1/7', '1/7/9', '1.5/7', '1%']],
  ['a choice', colour, ['Red', 'constructor', '__proto__', '']],
  ['a word', word, ['Abc', 'abc\n', 'a b', '']],
  ['a switch', boolean, ['yes', 'TRUE', 'on', 'constructor', '']],
])('none is %s', (_, type, refused) => {
  expect(refused.filter((written) => read(type, written) !== undefined)).toEqual([])
})

test('JSON has numbers and switches as they are, and no text in their place', () => {
  const accepts = (type: OptionType<unknown, unknown>, value: unknown) => type.schema.safeParse(value).success
  expect([accepts(level, 3), accepts(level, '3'), accepts(boolean, true), accepts(boolean, 'true')]).toEqual([
    ...[true, false],
    ...[true, false],
  ])
  expect(seconds.schema.parse(90)).toBe(90)
  expect(rate.schema.parse(65_536)).toBe(65_536)
})

describe('a list', () => {
  const words = listOf(word, ',')
  const lines = listOf(text('PATTERN', '^.+$', 'a pattern'), '\n')

  test.each<[string, OptionType<unknown, unknown>, string, unknown]>([
    ['of one', words, 'a', ['a']],
    ['with spaces after its commas', words, 'a, b ,c', ['a', 'b', 'c']],
    ['with a comma too many', words, 'a,,b,', ['a', 'b']],
    ['whose values hold commas and spaces', lines, ' a,b\n*.tmp', [' a,b', '*.tmp']],
    // A variable that a script forgot to set must not mean everything.
    ['of nothing', words, ' , ', undefined],
    ['that is empty', words, '', undefined],
    ['with one bad value', words, 'a,B', undefined],
  ])('%s', (_, type, written, value) => {
    expect(read(type, written)).toEqual(value)
  })

  test('is empty where nobody gave one', () => {
    expect(words.absent).toEqual([])
  })
})

test.each([
  ['2026-02-28', '2026-02-28T23:59:59.000Z'],
  ['2028-02-29', '2028-02-29T23:59:59.000Z'],
  ['2026-01-31T14:00', '2026-01-31T14:00:00.000Z'],
  ['2026-01-31T14:00:05+01:00', '2026-01-31T13:00:05.000Z'],
  ['2026-01-31T14:00+01:00', '2026-01-31T13:00:00.000Z'],
  ['2026-01-31 00:30+02:00', '2026-01-30T22:30:00.000Z'],
])('%s is %s', (text, moment) => {
  expect(timestamp.schema.parse(text).toISOString()).toBe(moment)
})

test.each(['2026-02-31', '2026-02-29', '2026-04-31T12:00', '2026-13-01', '2026-01-31T25:00', 'tomorrow'])(
  'a day that is not in the calendar is no other day: %s',
  (text) => {
    expect(timestamp.schema.safeParse(text).success).toBe(false)
  },
)

import fc from 'fast-check'
import { isPrintable, printableJson, printableLine, printableText } from '../../agent/lib/printable'

const RIGHT_TO_LEFT = '\u202e'
/** What a terminal acts upon, or takes for the end of a line. */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
const names = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\t', ' ', '\x1b', '\x9b', '\x7f', RIGHT_TO_LEFT, '\u2028', '\ud800', '😀') }), // prettier-ignore
)

test.each([
  ['/srv/größe 😀', '/srv/größe 😀'],
  ['\x1b[2Jgone', '?[2Jgone'],
  [`invoice-${RIGHT_TO_LEFT}fdp.sh`, 'invoice-?fdp.sh'],
  ['one\ntwo', 'one | two'],
  ['one \n\n  two', 'one | two'],
  ['half \ud800 a character', 'half ? a character'],
  ['a\tb', 'a b'],
])('%j is shown in a line as %j', (text, shown) => {
  expect(printableLine(text)).toBe(shown)
})

test('whatever a file is called, it is one line that does nothing to a terminal', () => {
  fc.assert(fc.property(names, (name) => expect(printableLine(name)).not.toMatch(ACTIVE)))
})

test('no line of what a command wrote passes for one of ours', () => {
  expect(printableText('tar: x\nHINT: run this\n\n', '  | ')).toBe('tar: x\n  | HINT: run this')
  fc.assert(
    fc.property(names, (text) => {
      for (const line of printableText(text, '> ').split('\n').slice(1)) {
        expect(line.startsWith('> ')).toBe(true)
        expect(line).not.toMatch(ACTIVE)
      }
    }),
  )
})

test('JSON does nothing to a terminal, and programs read what was there', () => {
  fc.assert(
    fc.property(names, names, (key, value) => {
      const json = printableJson({ [`k${key}`]: value })
      expect(json).not.toMatch(ACTIVE)
      expect(JSON.parse(json)).toEqual({ [`k${key}`]: value })
    }),
  )
})

test.each([
  ['/srv/größe', true],
  ['a b', true],
  ['a\nb', false],
  [`a${RIGHT_TO_LEFT}`, false],
])('%j can be a word as it is: %s', (text, expected) => {
  expect(isPrintable(text)).toBe(expected)
  expect(isPrintable(text)).toBe(expected) // a pattern with a memory would say something else the second time
})

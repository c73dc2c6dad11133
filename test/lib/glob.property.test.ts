/** Patterns, held against a matcher that tries every way: slow, plain, and written from their description alone. */
import fc from 'fast-check'
import { AgentError } from '../../agent/errors'
import { parseGlob } from '../../agent/lib/glob'

jest.setTimeout(60_000)

const RUNS = { numRuns: 5000 }

/** What a step of a pattern is written as, and what it takes. */
type Step = { readonly text: string; readonly takes?: (character: string) => boolean }

const literal = (text: string): Step => ({ text, takes: (character) => character === text })
const STEPS: readonly Step[] = [
  literal('a'),
  literal('b'),
  literal('/'),
  { text: '*' },
  { text: '**' },
  { text: '**/' },
  { text: '?', takes: (character) => character !== '/' },
  { text: '[ab]', takes: (character) => character === 'a' || character === 'b' },
  { text: '[!a]', takes: (character) => character !== 'a' && character !== '/' },
  { text: '[^b]', takes: (character) => character !== 'b' && character !== '/' },
  { text: '[*-b]', takes: (character) => '*' <= character && character <= 'b' && character !== '/' },
  { text: '\\*', takes: (character) => character === '*' },
]

/** Neighbours that would read as another step together are no pattern of these steps. */
const isUnambiguous = (steps: readonly Step[]) =>
  steps.every(({ text }, index) => {
    const next = steps[index + 1]?.text ?? ''
    return !(text.endsWith('*') && text !== '\\*' && (next.startsWith('*') || (text === '**' && next === '/')))
  })

function matches([step, ...rest]: readonly Step[], path: string): boolean {
  if (!step) return path === ''
  const { text, takes } = step
  if (takes) return path !== '' && takes(path[0]!) && matches(rest, path.slice(1))
  for (let taken = 0; taken <= path.length; taken++) {
    const piece = path.slice(0, taken)
    const isTaken = text === '*' ? !piece.includes('/') : text === '**' || piece === '' || piece.endsWith('/')
    if (isTaken && matches(rest, path.slice(taken))) return true
  }
  return false
}

/** As the description says: against the last name, the end of the path behind a slash, or all of it. */
function isFound(steps: readonly Step[], path: string): boolean {
  const first = steps[0]?.text
  if (first === '/') return matches(steps, path)
  const starts = Array.from(path).flatMap((character, at) => (character === '/' ? [at + 1] : []))
  if (steps.some(({ text }) => text === '/' || text.startsWith('**'))) {
    return [0, ...starts].some((start) => matches(steps, path.slice(start)))
  }
  return matches(steps, path.slice(starts.at(-1) ?? 0))
}

const paths = fc
  .array(fc.constantFrom('a', 'b', '*', '/'), { maxLength: 8 })
  .map((characters) => `/${characters.join('')}`.replace(/\/+/g, '/'))
const patterns = fc
  .array(fc.constantFrom(...STEPS), { minLength: 1, maxLength: 6 })
  .filter((steps) => isUnambiguous(steps) && !steps.at(-1)!.text.endsWith('/'))

test('a pattern matches what its description says, and nothing else', () => {
  let found = 0
  fc.assert(
    fc.property(patterns, paths, (steps, path) => {
      const expected = isFound(steps, path)
      if (expected) found++
      expect([parseGlob(steps.map(({ text }) => text).join('')).matches(path), expected]).toEqual([expected, expected])
    }),
    RUNS,
  )
  expect(found).toBeGreaterThan(RUNS.numRuns / 20) // or the test would say little
})

test('what a search looks for first is in the last name of every path that matches', () => {
  fc.assert(
    fc.property(patterns, paths, (steps, path) => {
      const { matches: isMatch, literal: text } = parseGlob(steps.map((step) => step.text).join(''))
      if (isMatch(path)) expect(path.slice(path.lastIndexOf('/') + 1)).toContain(text)
    }),
    RUNS,
  )
})

test('whatever is typed is a pattern, or refused as one', () => {
  const characters = fc.constantFrom(...Array.from('ab/*?[]!^-\\\n😀'))
  const typed = fc.oneof(fc.string({ unit: characters, maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 12 }))
  fc.assert(
    fc.property(typed, fc.oneof(paths, typed), (pattern, path) => {
      try {
        expect(typeof parseGlob(pattern).matches(path)).toBe('boolean')
      } catch (error) {
        expect(error).toBeInstanceOf(AgentError)
        expect(error).toMatchObject({ code: 'USAGE' })
      }
    }),
    RUNS,
  )
})

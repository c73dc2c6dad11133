/** JSON from outside, of which every reader must make the same. */

/** Deeper than any document of ours: what recurses over the value must not run out of stack. */
const DEPTH_MAX = 100

/** A key of this name would change what an object is. */
const UNFIT_KEYS: readonly string[] = ['__proto__']

/**
 * As `JSON.parse`, but refuses what RFC 8259 leaves to each reader: a key that an object has twice (section 4), and numbers
 * that a double does not hold (section 6: beyond 2^53).
 *
 * @param valuesMax - so many values are allowed: a list of empty lists takes twenty times its text in memory
 * @throws SyntaxError saying what is wrong, and where
 */
export function parseStrictJson(text: string, valuesMax = Infinity): unknown {
  assertEnd(text, valuesMax)
  const value: unknown = JSON.parse(text)
  if (!isPlain(value, text)) assertStrict(text)
  return value
}

/**
 * Whether nothing speaks against the text, in a third of the time that it takes to say what does: an object that has a key twice
 * has fewer keys than were written.
 */
function isPlain(value: unknown, text: string): boolean {
  const keys = countKeys(value, 0)
  return keys === countKeysIn(text)
}

/** NaN where something in it is not as it should be. */
function countKeys(value: unknown, depth: number): number {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER ? NaN : 0
  if (typeof value !== 'object' || value === null) return 0
  if (depth === DEPTH_MAX) return NaN
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countKeys(item, depth + 1), 0)
  const keys = Object.keys(value)
  let sum = keys.length
  for (const key of keys) {
    if (UNFIT_KEYS.includes(key)) return NaN
    sum += countKeys((value as Record<string, unknown>)[key], depth + 1)
  }
  return sum
}

/** @param text - that is known to be JSON */
function countKeysIn(text: string): number {
  let keys = 0
  for (let quote = text.indexOf('"'); quote >= 0;) {
    const end = endOfString(text, quote)
    if (isKey(text, end)) keys++
    quote = text.indexOf('"', end)
  }
  return keys
}

/** @throws SyntaxError saying what is wrong, and where */
function assertStrict(text: string): void {
  const open: (Set<string> | undefined)[] = []
  for (const token of tokensOf(text)) {
    const keys = open.at(-1)
    if (token.kind === 'open') {
      open.push(token.text === '{' ? new Set() : undefined)
      if (open.length > DEPTH_MAX) throw new SyntaxError(`it is nested more than ${DEPTH_MAX} deep at ${token.at}`)
    } else if (token.kind === 'close') open.pop()
    else if (token.kind === 'key') {
      const key = JSON.parse(token.text) as string
      if (keys?.has(key)) throw new SyntaxError(`it has the key ${token.text} twice, at ${token.at}`)
      if (UNFIT_KEYS.includes(key)) throw new SyntaxError(`it has the key ${token.text}, at ${token.at}`)
      keys?.add(key)
    } else if (Math.abs(Number(token.text)) > Number.MAX_SAFE_INTEGER) {
      throw new SyntaxError(`the number ${token.text.slice(0, 40)} at ${token.at} is too large`)
    }
  }
}

/** Each value but the first comes after one of these. */
function assertEnd(text: string, valuesMax: number): void {
  if (text.length <= valuesMax) return
  const interesting = /["{[,]/g
  let values = 0
  for (let match = interesting.exec(text); match; match = interesting.exec(text)) {
    if (match[0] === '"') interesting.lastIndex = endOfString(text, match.index)
    else if (++values > valuesMax) throw new SyntaxError(`it has more than ${valuesMax} values`)
  }
}

interface Token {
  readonly kind: 'open' | 'close' | 'key' | 'number'
  readonly text: string
  /** Index in the text. */
  readonly at: number
}

/** What decides, of a text that is known to be JSON. Strings are skipped by their quotes: they may be long. */
function* tokensOf(text: string): Generator<Token> {
  const interesting = /["{}[\]]|-?\d[\d.eE+-]*/g
  for (let match = interesting.exec(text); match; match = interesting.exec(text)) {
    const { 0: found, index: at } = match
    if (found === '"') {
      const end = endOfString(text, at)
      interesting.lastIndex = end
      if (isKey(text, end)) yield { kind: 'key', text: text.slice(at, end), at }
    } else if (found === '{' || found === '[') yield { kind: 'open', text: found, at }
    else if (found === '}' || found === ']') yield { kind: 'close', text: found, at }
    else yield { kind: 'number', text: found, at }
  }
}

const BACKSLASH = 0x5c
const COLON = 0x3a
const WHITESPACE: readonly number[] = [0x20, 0x09, 0x0a, 0x0d]

/** A quote after an odd number of backslashes is no end. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let first = quote
    while (text.charCodeAt(first - 1) === BACKSLASH) first--
    if ((quote - first) % 2 === 0) return quote + 1
  }
  return text.length
}

function isKey(text: string, end: number): boolean {
  let at = end
  while (WHITESPACE.includes(text.charCodeAt(at))) at++
  return text.charCodeAt(at) === COLON
}

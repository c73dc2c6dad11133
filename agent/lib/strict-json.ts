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
  return value
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

function endOfString(text: string, start: number): number {
  const special = /["\\]/g
  special.lastIndex = start + 1
  for (let match = special.exec(text); match; match = special.exec(text)) {
    if (match[0] === '"') return special.lastIndex
    special.lastIndex++ // what is escaped is no end, whatever it is
  }
  return text.length
}

function isKey(text: string, end: number): boolean {
  const next = /[^ \t\n\r]/g
  next.lastIndex = end
  return next.exec(text)?.[0] === ':'
}

/** Shell patterns over paths: `*` and `?` stay within a name, `**` does not, `[a-z]` and `[!a-z]` are one character of it. */
import { AgentError } from '../errors'

/** A pattern, ready to be held against many paths. */
export interface Glob {
  /**
   * Takes time in proportion to the path, whatever the path: those of a catalog may have been made to take long.
   *
   * @param path - absolute, as on the host that was backed up
   */
  readonly matches: (path: string) => boolean
  /**
   * Text that is in the last name of every path that matches: a search looks at nothing else, and has not the names above
   * a mount point. Empty where the pattern says too little.
   */
  readonly literal: string
}

/**
 * As with `find`: a pattern without a slash is held against the last name of a path, one that starts with a slash
 * against all of it, any other against its end. A slash at its end, as shells complete directories, means nothing.
 *
 * @throws AgentError USAGE
 */
export function parseGlob(text: string): Glob {
  const pattern = text.replace(/(.)\/+$/s, '$1')
  const tokens = parseTokens(pattern, text)
  const literal = longestLiteral(pattern)
  if (pattern.startsWith('/')) return { matches: matcher(tokens), literal }
  if (!tokens.some(reachesDirectories)) {
    const matchesName = matcher(tokens)
    return { matches: (path) => matchesName(path.slice(path.lastIndexOf('/') + 1)), literal }
  }
  return { matches: matcher([...DIRECTORIES, ...tokens]), literal }
}

/**
 * What a step of a pattern takes: a given character, one that a test accepts, or any number of them. `directories` takes
 * nothing, or all up to a slash and the slash too; within a name, `within directory` comes after it.
 */
type Token =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'class'; readonly set: RegExp }
  | { readonly kind: 'any name' | 'any path' | 'directories' | 'within directory' }

const DIRECTORIES: readonly Token[] = [{ kind: 'directories' }, { kind: 'within directory' }]
/** In order: a class, `**` with the slash after it, `**`, `*`, `?`, a character with a backslash, any other. */
const TOKEN = /\[(!|\^)?(\]?[^\]]*)\]|\*\*\/|\*\*|\*|\?|\\(.)|(.)/gsu
const ANY_CHARACTER = /[^/]/u

function parseTokens(pattern: string, text: string): Token[] {
  return Array.from(pattern.matchAll(TOKEN)).flatMap(([token, not, set, escaped]): Token[] => {
    if (set !== undefined && set !== '') return [{ kind: 'class', set: parseClass(not !== undefined, set, text) }]
    if (token === '**/') return [...DIRECTORIES]
    if (token === '**') return [{ kind: 'any path' }]
    if (token === '*') return [{ kind: 'any name' }]
    if (token === '?') return [{ kind: 'class', set: ANY_CHARACTER }]
    return Array.from(escaped ?? token, (character) => ({ kind: 'character', character }))
  })
}

/** All but one thing that can be written is a class. */
function parseClass(isNegated: boolean, set: string, text: string): RegExp {
  try {
    return new RegExp(`^(?!/)[${isNegated ? '^' : ''}${set.replace(/[\\\]^]/g, '\\$&')}]$`, 'su')
  } catch (cause) {
    throw new AgentError('USAGE', `the pattern '${text}' has a range that ends before it starts`, {
      hint: 'Between brackets a hyphen makes a range, as in [a-z]. For brackets that are in the name itself, write \\[ and \\].',
      cause,
    })
  }
}

/** How far all ways through a pattern have come: the tokens that come next. */
interface State {
  readonly tokens: readonly number[]
  readonly isMatch: boolean
  /** By character: an ASCII one is its own index, which is what makes this fast. */
  readonly next: (State | undefined)[]
}

/** Kept ready at most (design limit): patterns of people make some dozens, one that is made for it makes millions. */
const STATES_MAX = 1000
const ASCII = 128

/**
 * Follows all ways through the pattern at the same time, and remembers where each step led (an automaton that is built while
 * it runs): a character of the path is looked at once, whatever the pattern.
 */
function matcher(tokens: readonly Token[]): (path: string) => boolean {
  const known = new Map<string, State>()
  const start = stateOf(closure(tokens, [0]))

  function stateOf(ways: readonly number[]): State {
    const key = ways.join()
    const state = known.get(key) ?? { tokens: ways, isMatch: ways.includes(tokens.length), next: [] }
    if (known.size < STATES_MAX) known.set(key, state)
    return state
  }
  function advance(state: State, character: string, code: number): State {
    const next = stateOf(
      closure(
        tokens,
        state.tokens.flatMap((token) => after(tokens, token, character)),
      ),
    )
    if (code < ASCII && known.size < STATES_MAX) state.next[code] = next
    return next
  }

  return (path) => {
    let state = start
    for (let at = 0; at < path.length; at++) {
      const code = path.codePointAt(at) as number
      state = state.next[code] ?? advance(state, String.fromCodePoint(code), code)
      if (state.tokens.length === 0) return false
      if (code > 0xffff) at++
    }
    return state.isMatch
  }
}

/** The tokens that may come next once this one has taken a character; none where it does not take it. */
function after(tokens: readonly Token[], at: number, character: string): number[] {
  const token = tokens[at]
  switch (token?.kind) {
    case 'any path':
      return [at]
    case 'any name':
      return character === '/' ? [] : [at]
    case 'directories':
      return [character === '/' ? at : at + 1]
    case 'within directory':
      return [character === '/' ? at - 1 : at]
    case 'character':
      return token.character === character ? [at + 1] : []
    case 'class':
      return token.set.test(character) ? [at + 1] : []
    case undefined: // all were taken, and a character is left
      return []
  }
}

/** With what comes after tokens that may take nothing. */
function closure(tokens: readonly Token[], ways: readonly number[]): number[] {
  const all = new Set<number>()
  const enter = (at: number): void => {
    if (all.has(at)) return
    all.add(at)
    const kind = tokens[at]?.kind
    if (kind === 'any name' || kind === 'any path') enter(at + 1)
    else if (kind === 'directories') enter(at + 2)
  }
  ways.forEach(enter)
  return [...all].sort((a, b) => a - b)
}

function reachesDirectories(token: Token): boolean {
  return (
    token.kind === 'any path' || token.kind === 'directories' || (token.kind === 'character' && token.character === '/')
  )
}

function longestLiteral(pattern: string): string {
  let longest = ''
  let current = ''
  for (const [token, , set, escaped] of pattern.matchAll(TOKEN)) {
    const literal = escaped ?? token
    if (literal === '/' || token.startsWith('**'))
      longest = current = '' // what was before it may be of another name
    else if (token === '*' || token === '?' || (set !== undefined && set !== '')) current = ''
    else current += literal
    if (current.length > longest.length) longest = current
  }
  return longest
}

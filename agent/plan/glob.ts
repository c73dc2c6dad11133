/** Shell patterns over paths: `*` and `?` stay within a name, `**` does not, `[a-z]` and `[!a-z]` are one character of it. */
import { AgentError } from '../errors'

/** A pattern, ready to be held against many paths. */
export interface Glob {
  /** @param path - absolute, as on the host that was backed up */
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
  const start = pattern.startsWith('/') ? '^' : '(?:^|/)'
  const expression = compile(`${start}${translate(pattern)}$`, text)
  return { matches: (path) => expression.test(path), literal: longestLiteral(pattern) }
}

/** All but one thing that can be written is a pattern. */
function compile(expression: string, text: string): RegExp {
  try {
    return new RegExp(expression, 'su')
  } catch (cause) {
    throw new AgentError('USAGE', `the pattern '${text}' has a range that ends before it starts`, {
      hint: 'Between brackets a hyphen makes a range, as in [a-z]. For brackets that are in the name itself, write \\[ and \\].',
      cause,
    })
  }
}

const SPECIAL = /[\\^$.*+?()[\]{}|/]/g
/** In order: a class, `**` with the slash after it, `**`, `*`, `?`, a character with a backslash, any other. */
const TOKEN = /\[(!|\^)?(\]?[^\]]*)\]|\*\*\/|\*\*|\*|\?|\\(.)|(.)/gsu

function translate(pattern: string): string {
  return pattern.replace(TOKEN, (token: string, not?: string, set?: string, escaped?: string) => {
    if (set !== undefined && set !== '')
      return `(?!/)[${not === undefined ? '' : '^'}${set.replace(/[\\\]^]/g, '\\$&')}]`
    if (token === '**/') return '(?:.*/)?'
    if (token === '**') return '.*'
    if (token === '*') return '[^/]*'
    if (token === '?') return '[^/]'
    return (escaped ?? token).replace(SPECIAL, '\\$&')
  })
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

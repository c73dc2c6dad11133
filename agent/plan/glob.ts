/** Shell patterns over paths: `*` and `?` stay within a name, `**` does not, `[a-z]` and `[!a-z]` are one character. */

/** A pattern, ready to be held against many paths. */
export interface Glob {
  /** @param path - absolute, as on the host that was backed up */
  readonly matches: (path: string) => boolean
  /**
   * Text that is in the last name of every path that matches: a search looks at nothing else. Empty where the pattern
   * says too little.
   */
  readonly literal: string
}

/**
 * As with `find`: a pattern without a slash is held against the last name of a path, one that starts with a slash
 * against all of it, any other against its end.
 */
export function parseGlob(pattern: string): Glob {
  const whole = pattern.startsWith('/')
  const expression = new RegExp(`${whole ? '^' : '(?:^|/)'}${translate(pattern)}$`, 'su')
  return { matches: (path) => expression.test(path), literal: longestLiteral(pattern) }
}

const SPECIAL = /[\\^$.*+?()[\]{}|/]/g
/** In order: a class, `**` with the slash after it, `**`, `*`, `?`, a character with a backslash, any other. */
const TOKEN = /\[(!|\^)?(\]?[^\]]*)\]|\*\*\/|\*\*|\*|\?|\\(.)|(.)/gsu

function translate(pattern: string): string {
  return pattern.replace(TOKEN, (token: string, not?: string, set?: string, escaped?: string) => {
    if (set !== undefined && set !== '') return `[${not === undefined ? '' : '^/'}${set.replace(/[\\\]^]/g, '\\$&')}]`
    if (token === '**/') return '(?:.*/)?'
    if (token === '**') return '.*'
    if (token === '*') return '[^/]*'
    if (token === '?') return '[^/]'
    return (escaped ?? token).replace(SPECIAL, '\\$&')
  })
}

function longestLiteral(pattern: string): string {
  const name = pattern.slice(pattern.lastIndexOf('/') + 1)
  let longest = ''
  let current = ''
  const end = (): void => {
    if (current.length > longest.length) longest = current
    current = ''
  }
  for (const [token, , set, escaped] of name.matchAll(TOKEN)) {
    if (escaped !== undefined) current += escaped
    else if (token === '?' || token.startsWith('*') || (set !== undefined && set !== '')) end()
    else current += token
  }
  end()
  return longest
}

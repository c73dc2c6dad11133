/** Which names tar leaves out: its `--exclude` as `tarCreate` gives it, for those who go through a tree without tar. */

/** What stands for more than itself in a pattern. */
const SPECIAL = /\\(.)|\*+|\?|\[[!^]?\]?(?:\[:\w+:\]|[^\]])*\]|./gs

/** Of bytes, as tar sees them in the C locale. */
const CLASSES: Readonly<Record<string, string>> = {
  ...{ alpha: 'a-zA-Z', digit: '0-9', alnum: 'a-zA-Z0-9', upper: 'A-Z', lower: 'a-z', xdigit: '0-9a-fA-F' },
  ...{ space: ' \\t\\n\\v\\f\\r', blank: ' \\t', punct: '!-/:-@\\[-`{-~', cntrl: '\\x00-\\x1f\\x7f' },
  ...{ print: ' -~', graph: '!-~' },
}

/**
 * @param globs - as `tarCreate` takes them; what is below an excluded directory must not be asked for
 * @returns whether tar leaves a member out; undefined where a glob says more than this can follow
 */
export function excluder(globs: readonly string[]): ((member: string) => boolean) | undefined {
  const patterns: RegExp[] = []
  for (const glob of globs) {
    const bytes = Buffer.from(glob).toString('latin1')
    const body = bytes.startsWith('/') ? translate(`.${bytes}`) : translate(bytes)
    if (body === undefined) return undefined
    try {
      patterns.push(new RegExp(bytes.startsWith('/') ? `^${body}$` : `(?:^|/)${body}$`, 's'))
    } catch {
      return undefined // a range that ends before it starts
    }
  }
  return (member) => patterns.some((pattern) => pattern.test(member))
}

function translate(glob: string): string | undefined {
  let body = ''
  for (const [token, escaped] of glob.matchAll(SPECIAL)) {
    if (escaped !== undefined) body += literal(escaped)
    else if (token.startsWith('*')) body += '[^/]*'
    else if (token === '?') body += '[^/]'
    else if (token.length > 1) {
      const set = translateSet(token)
      if (set === undefined) return undefined
      body += set
    } else if (token === '\\') return undefined
    else body += literal(token)
  }
  return body
}

function translateSet(token: string): string | undefined {
  const isNegated = token[1] === '!' || token[1] === '^'
  const members = token.slice(isNegated ? 2 : 1, -1)
  // Said in ways that few tools agree on, or not closed: tar takes `[!]` for its letters.
  if (members === '' || /[\\/]|\[[.=]/.test(members)) return undefined
  const classes = [...members.matchAll(/\[:(?:(\w+):\])?/g)].map(([, name]) => name)
  if (classes.some((name) => name === undefined || CLASSES[name] === undefined)) return undefined
  const set = members.replace(/\[:(\w+):\]|[\]^[]/g, (text, name?: string) =>
    name === undefined ? `\\${text}` : (CLASSES[name] ?? '\\/'),
  )
  return `(?!/)[${isNegated ? '^' : ''}${set}]`
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')
}

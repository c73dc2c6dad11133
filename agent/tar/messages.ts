/** What GNU tar says on standard error although it ends with status 0: what it may say, and what means a loss. */

import { collectTagged, TAGGED_PATH_MAX, type TaggedDirectories } from './tags'

/** What was said that must be known: how often, and the first of it. */
export interface Warnings {
  readonly count: number
  readonly lines: readonly string[]
}

export const NO_WARNINGS: Warnings = { count: 0, lines: [] }

/** Beyond this, more of the same tells nobody anything; it is counted. */
const LINES_MAX = 20

/** Of a long line, its beginning and its end: names are at its beginning, and what is wrong is at its end. */
const LINE_START = 300
const LINE_END = 200

/** What tar leaves out by design. */
type LeftOut = 'sockets' | 'mount points'

/**
 * Messages of tar 1.29 to 1.35 in the C locale, where a colon in a name stands behind a backslash: no name can look like the
 * end of a message. Everything else that tar may say is a loss that it does not count as one: with "Warning: Cannot fgetxattr"
 * (file_has_acl_at, fgetfilecon, …) an entry has lost its attributes, its ACL, its label or its capabilities.
 */
const ALLOWED: readonly (readonly [ending: string, kind: LeftOut])[] = [
  [': socket ignored', 'sockets'],
  [': file is on a different filesystem; not dumped', 'mount points'],
]

/** @returns what was left out by design, or undefined where the line is a warning */
export function classifyMessage(line: string): LeftOut | undefined {
  return ALLOWED.find(([ending]) => line.startsWith('tar: ') && line.endsWith(ending) && !isEscaped(line, ending))?.[1]
}

const TAGGED = /^tar: (?<directory>.*\/): contains a cache directory tag (?<tag>\S+); contents not dumped$/s

/** Of which directory a line says that its contents are left out: its path as in a catalog, a character for each byte. */
function findTagged(line: string): { readonly path: string; readonly tag: string } | undefined {
  const { directory, tag } = TAGGED.exec(line)?.groups ?? {}
  if (directory === undefined || tag === undefined) return undefined
  return { path: unescape(directory).replace(/\/$/, '').replace(/^\.\//, ''), tag }
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
}

/** As tar quotes names in the C locale. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3}|.)/gs, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(parseInt(code, 8)) : (ESCAPES[code] ?? code),
  )
}

/** Whether an odd number of backslashes stands in front of the ending: its colon is then part of a name. */
function isEscaped(line: string, ending: string): boolean {
  const name = line.slice(0, -ending.length)
  return (name.length - name.replace(/\\+$/, '').length) % 2 === 1
}

export interface MessageSummary {
  /** How many of each kind were left out, and the first message. */
  readonly leftOut: ReadonlyMap<LeftOut, { readonly count: number; readonly first: string }>
  /** Directories of which the contents were left out, as they ask for it themselves. */
  readonly tagged: TaggedDirectories
  readonly warnings: Warnings
}

export interface TarMessages {
  /** Takes what comes next of standard error. */
  push(chunk: Buffer): void
  /** All that was said so far. */
  summary(): MessageSummary
}

/** Counts tar's messages line by line as they come; memory does not grow with them. */
export function tarMessages(): TarMessages {
  const leftOut = new Map<LeftOut, { readonly count: number; readonly first: string }>()
  const tagged = collectTagged()
  const warnings = collectWarnings()
  let start = ''
  let end = ''

  const extend = (text: string): void => {
    const room = TAGGED_PATH_MAX - start.length
    start += text.slice(0, room)
    end = (end + text.slice(room)).slice(-LINE_END - 1)
  }
  const take = (): void => {
    const isWhole = end.length <= LINE_END
    const whole = start + end
    const line =
      whole.length > LINE_START + LINE_END ? `${whole.slice(0, LINE_START)}…${whole.slice(-LINE_END)}` : whole
    start = end = ''
    if (line === '') return
    const found = findTagged(whole)
    if (found) {
      tagged.add(isWhole ? found.path : undefined, found.tag)
      return
    }
    const kind = classifyMessage(line)
    if (kind === undefined) {
      warnings.add(line)
      return
    }
    const { count = 0, first = line } = leftOut.get(kind) ?? {}
    leftOut.set(kind, { count: count + 1, first })
  }
  return {
    push(chunk) {
      const [rest = '', ...lines] = chunk.toString('latin1').split('\n')
      extend(rest)
      for (const line of lines) {
        take()
        extend(line)
      }
    },
    summary() {
      take()
      return { leftOut, tagged: tagged.list(), warnings: warnings.list() }
    },
  }
}

/** Keeps the first warnings, and counts all. */
export function collectWarnings() {
  const lines: string[] = []
  let count = 0
  return {
    add(line: string): void {
      count++
      if (lines.length < LINES_MAX) lines.push(line)
    },
    list: (): Warnings => ({ count, lines: [...lines] }),
  }
}

export function joinWarnings(all: readonly Warnings[]): Warnings {
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    lines: all.flatMap(({ lines }) => lines).slice(0, LINES_MAX),
  }
}

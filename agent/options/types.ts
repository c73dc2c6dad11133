import { z } from 'zod'
import { withoutAnchors } from '../contract'
import { anchored, durationGrammar, listGrammar, numberGrammar, sizeGrammar } from './grammar'

/**
 * A kind of option value: how it is written, and what it means. The same rules hold for a flag, an environment variable,
 * the configuration file and the schedules of a deployment.
 *
 * @template Written - how JSON has it
 */
export interface OptionType<T, Absent = undefined, Written = unknown> {
  /** Stands for the value in help. Switches have none, since their flag takes no value. */
  readonly placeholder?: string
  /** Completes the sentence "it must be …". */
  readonly expected: string
  /** Accepts the value as JSON has it, and converts it. */
  readonly schema: z.ZodType<T, Written>
  /** How a parameter of an SSM document is written: see `grammar.ts`. */
  readonly grammar: string
  /** From the text of a flag or variable to what `schema` accepts. */
  readonly fromText: (text: string) => unknown
  /** May be given more than once; each text may hold several values, with this in between. */
  readonly separator?: ',' | '\n'
  /** The value where nobody gave any. */
  readonly absent: Absent
  /** Who knows the value can do something with it: no message repeats it. */
  readonly isSecret?: true
  /** All values there are, to offer the one that was probably meant. */
  readonly choices?: readonly string[]
  /** For values that would make sense, but not here: where they belong. Whole sentences. */
  readonly redirectHints?: ReadonlyMap<string, string>
}

const asIs = (text: string): unknown => text
/** What most kinds have in common. */
export const single = { fromText: asIs, absent: undefined } as const

/**
 * @param pattern - anchored regular expression
 * @param grammar - where the pattern is not one for SSM documents
 */
export function text(
  placeholder: string,
  pattern: string,
  expected: string,
  grammar: string = withoutAnchors(pattern),
): OptionType<string, undefined, string> {
  return { ...single, placeholder, expected, grammar, schema: z.string().regex(new RegExp(pattern, 'u')) }
}

export function choice<const C extends readonly [string, ...string[]]>(
  placeholder: string,
  choices: C,
  redirectHints: Readonly<Record<string, string>> = {},
): OptionType<C[number], undefined, C[number]> {
  const expected = `one of ${choices.join(', ')}`
  const schema: z.ZodType<C[number], C[number]> = z.enum(choices)
  const grammar = choices.join('|')
  return {
    ...single,
    placeholder,
    expected,
    grammar,
    schema,
    choices,
    redirectHints: new Map(Object.entries(redirectHints)),
  }
}

export function wholeNumber(min: number, max: number): OptionType<number, undefined, number> {
  return {
    ...single,
    placeholder: 'N',
    expected: `a whole number from ${min} to ${max}`,
    grammar: numberGrammar(min, max),
    schema: z.int().min(min).max(max),
    fromText: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
  }
}

/** Some of so many equal parts of a whole. */
export interface Fraction {
  readonly count: number
  readonly parts: number
}

/** With more parts, a nightly backup would take years to come around. */
const PARTS_MAX = 1000
const FRACTION_GRAMMAR = `(${numberGrammar(1, PARTS_MAX)})/(${numberGrammar(1, PARTS_MAX)})`

/** `2/7`: two of seven. */
export const fraction: OptionType<Fraction, undefined, string> = {
  ...single,
  placeholder: 'N/T',
  expected: `a fraction such as 1/7, of at most ${PARTS_MAX} parts`,
  grammar: FRACTION_GRAMMAR,
  schema: z.string().transform((text, context) => {
    const [count, parts] = new RegExp(anchored(FRACTION_GRAMMAR)).test(text) ? text.split('/').map(Number) : []
    if (count !== undefined && parts !== undefined && count <= parts) return { count, parts }
    context.addIssue({ code: 'custom' })
    return z.NEVER
  }),
}

/** In JSON a plain number needs no quotes. */
const written = z.union([z.string(), z.number().transform(String)])

const SIZE = /^(\d{1,12}(?:\.\d{1,3})?)([KMGT]?)(?:iB)?$/i
const UNITS = ['', 'K', 'M', 'G', 'T']

/** `500`, `64K`, `1.5G`: bytes, in units of 1024 as LVM has them. Undefined where the text is no size. */
function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text)
  if (!match) return undefined
  return Math.round(Number(match[1]) * 1024 ** UNITS.indexOf((match[2] ?? '').toUpperCase()))
}

/** In bytes. */
export function size(minBytes: number, expected: string): OptionType<number, undefined, string | number> {
  return {
    ...single,
    placeholder: 'SIZE',
    expected,
    grammar: sizeGrammar(minBytes),
    schema: written.transform((text, context) => {
      const bytes = parseSize(text)
      if (bytes !== undefined && bytes >= minBytes) return bytes
      context.addIssue({ code: 'custom' })
      return z.NEVER
    }),
  }
}

/** Space to reserve for one thick snapshot. */
export type SnapshotSize =
  | { readonly kind: 'auto' }
  /** Of the origin's size. */
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'bytes'; readonly sizeBytes: number }

/** A snapshot smaller than this fills before it is mounted. */
const SNAPSHOT_BYTES_MIN = 4 * 1024 * 1024

export const snapshotSize: OptionType<SnapshotSize, undefined, string | number> = {
  ...single,
  placeholder: 'SIZE',
  expected: '"auto", a percentage of the volume from 1% to 100%, or a size of at least 4M such as 10G',
  grammar: `auto|(${numberGrammar(1, 100)})%|${sizeGrammar(SNAPSHOT_BYTES_MIN)}`,
  schema: written.transform((text, context): SnapshotSize => {
    if (text === 'auto') return { kind: 'auto' }
    const percent = /^(\d{1,3})%$/.exec(text)?.[1]
    if (percent !== undefined && Number(percent) >= 1 && Number(percent) <= 100) {
      return { kind: 'percent', percent: Number(percent) }
    }
    const sizeBytes = parseSize(text)
    if (sizeBytes !== undefined && sizeBytes >= SNAPSHOT_BYTES_MIN) return { kind: 'bytes', sizeBytes }
    context.addIssue({ code: 'custom' })
    return z.NEVER
  }),
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, '': 1 } as const

/** `90`, `90s`, `15m`, `2h`, `7d`: seconds. */
export function duration(
  maxSeconds: number,
  expected: string,
  minSeconds = 1,
): OptionType<number, undefined, string | number> {
  return {
    ...single,
    placeholder: 'TIME',
    expected,
    grammar: durationGrammar(maxSeconds, minSeconds),
    schema: written.transform((text, context) => {
      const match = /^(\d{1,9})([smhd]?)$/.exec(text)
      const seconds = match ? Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] : 0
      if (seconds >= minSeconds && seconds <= maxSeconds) return seconds
      context.addIssue({ code: 'custom' })
      return z.NEVER
    }),
  }
}

const DAY = '[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?'
const ZONE = 'Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]'
const TIMESTAMP = new RegExp(`^(?<day>${DAY})([T ](?<time>${TIME})(?<zone>${ZONE})?)?$`)

/** A moment. A day alone is its end: what there was on that day. */
export const timestamp: OptionType<Date, undefined, string> = {
  ...single,
  placeholder: 'TIME',
  expected: 'a time such as 2026-01-31, 2026-01-31T14:00 or 2026-01-31T14:00+01:00',
  grammar: `${DAY}([T ]${TIME}(${ZONE})?)?`,
  schema: z.string().transform((text, context) => {
    const { day = '', time = '23:59:59', zone = 'Z' } = TIMESTAMP.exec(text)?.groups ?? {}
    const moment = new Date(`${day}T${time}${zone}`)
    // V8 takes 31 February for 3 March.
    const isThere = !Number.isNaN(moment.getTime()) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
    if (isThere) return moment
    context.addIssue({ code: 'custom' })
    return z.NEVER
  }),
}

/** On or off: `--name` and `--no-name`. */
export const boolean: OptionType<boolean, false, boolean> = {
  expected: 'true or false',
  grammar: 'true|false',
  schema: z.boolean(),
  fromText: (text) => ({ true: true, 1: true, false: false, 0: false })[text] ?? text,
  absent: false,
}

/**
 * Several values. On the command line the option may be repeated.
 *
 * @param separator - parts the values within one text: a line end where a value may hold commas. A parameter of an SSM
 *   document is a single line
 */
export function listOf<T, W>(
  item: OptionType<T, undefined, W>,
  separator: ',' | '\n',
): OptionType<readonly T[], readonly [], readonly W[]> {
  return {
    ...item,
    grammar: separator === ',' ? listGrammar(item.grammar) : item.grammar,
    schema: z.array(item.schema).readonly(),
    fromText: (text) => {
      const parts = text.split(separator).map((part) => (separator === ',' ? part.trim() : part))
      const given = parts.filter((part) => part !== '')
      // A variable that a script forgot to set must not mean everything.
      return given.length > 0 ? given : parts
    },
    separator,
    absent: [],
  }
}

import { z } from 'zod'

/**
 * A kind of option value: how it is written, and what it means. The same rules hold for a flag, an environment variable
 * and the configuration file.
 */
export interface Kind<T, Absent = undefined> {
  /** Stands for the value in help. Switches have none, since their flag takes no value. */
  readonly placeholder?: string
  /** Completes the sentence "it must be …". */
  readonly expected: string
  /** Accepts the value as JSON has it, and converts it. */
  readonly schema: z.ZodType<T>
  /** From the text of a flag or variable to what `schema` accepts. */
  readonly fromText: (text: string) => unknown
  /** May be given more than once; each text may hold several values. */
  readonly repeatable: boolean
  /** The value where nobody gave any. */
  readonly absent: Absent
  /** All values there are, to offer the one that was probably meant. */
  readonly choices?: readonly string[]
  /** For values that would make sense, but not here: where they belong. Whole sentences. */
  readonly elsewhere?: ReadonlyMap<string, string>
}

const asIs = (text: string): unknown => text
const single = { fromText: asIs, repeatable: false, absent: undefined } as const

/** @param pattern - anchored regular expression, as shared with the SSM documents */
export function text(placeholder: string, pattern: string, expected: string): Kind<string> {
  return { ...single, placeholder, expected, schema: z.string().regex(new RegExp(pattern, 'u')) }
}

export function choice<const C extends readonly [string, ...string[]]>(
  placeholder: string,
  choices: C,
  elsewhere: Readonly<Record<string, string>> = {},
): Kind<C[number]> {
  const expected = `one of ${choices.join(', ')}`
  const schema = z.enum(choices)
  return { ...single, placeholder, expected, schema, choices, elsewhere: new Map(Object.entries(elsewhere)) }
}

export function wholeNumber(min: number, max: number): Kind<number> {
  return {
    ...single,
    placeholder: 'N',
    expected: `a whole number from ${min} to ${max}`,
    schema: z.int().min(min).max(max),
    fromText: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
  }
}

/** Some of so many equal parts of a whole. */
export interface Share {
  readonly count: number
  readonly parts: number
}

/** With more parts, a nightly backup would take years to come around. */
const PARTS_MAX = 1000

/** `2/7`: two of seven. */
export const share: Kind<Share> = {
  ...single,
  placeholder: 'N/T',
  expected: `a share such as 1/7, of at most ${PARTS_MAX} parts`,
  schema: z.string().transform((text, context) => {
    const [, count, parts] = (/^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(text) ?? []).map(Number)
    if (count !== undefined && parts !== undefined && count <= parts && parts <= PARTS_MAX) return { count, parts }
    context.addIssue({ code: 'custom' })
    return z.NEVER
  }),
}

/** An absolute path without `..`; trailing slashes are dropped. */
export const absolutePath: Kind<string> = {
  ...single,
  placeholder: 'PATH',
  expected: 'an absolute path such as /srv, without ".."',
  schema: z
    .string()
    .regex(/^\/[^\0]*$/)
    .refine((path) => !path.split('/').includes('..'))
    .transform(tidyPath),
}

/** A mount point, or a device-mapper name such as `vg0-home`. */
export const volumeName: Kind<string> = {
  ...single,
  placeholder: 'VOLUME',
  expected: 'a mount point such as /srv, or a name such as vg0-srv',
  schema: z
    .string()
    .regex(/^[^\0]+$/)
    .transform(tidyPath),
}

function tidyPath(path: string): string {
  return path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1')
}

/** A path as a shell completes it: a slash at the end means nothing. */
export const anyPath: Kind<string> = {
  ...single,
  placeholder: 'PATH',
  expected: 'a path without ".."',
  schema: z
    .string()
    .regex(/^[^\0]+$/)
    .refine((path) => !path.split('/').includes('..'))
    .transform((path) =>
      path
        .replace(/\/+/g, '/')
        .replace(/^(\.\/)+/, '')
        .replace(/(.)\/$/, '$1'),
    ),
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
export function size(minBytes: number, expected: string): Kind<number> {
  return {
    ...single,
    placeholder: 'SIZE',
    expected,
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

export const snapshotSize: Kind<SnapshotSize> = {
  ...single,
  placeholder: 'SIZE',
  expected: '"auto", a share of the volume from 1% to 100%, or a size of at least 4M such as 10G',
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

const SECONDS = { s: 1, m: 60, h: 3600, '': 1 } as const

/** `90`, `90s`, `15m`, `2h`: seconds. */
export function duration(maxSeconds: number, expected: string): Kind<number> {
  return {
    ...single,
    placeholder: 'TIME',
    expected,
    schema: written.transform((text, context) => {
      const match = /^(\d{1,9})([smh]?)$/.exec(text)
      const seconds = match ? Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] : 0
      if (seconds >= 1 && seconds <= maxSeconds) return seconds
      context.addIssue({ code: 'custom' })
      return z.NEVER
    }),
  }
}

const INSTANT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?)?$/

/** A moment. A day alone is its end: what there was on that day. */
export const instant: Kind<Date> = {
  ...single,
  placeholder: 'TIME',
  expected: 'a time such as 2026-01-31, 2026-01-31T14:00 or 2026-01-31T14:00+01:00',
  schema: z.string().transform((text, context) => {
    const [, day, time = '23:59:59', zone = 'Z'] = INSTANT.exec(text) ?? []
    const moment = new Date(`${day ?? ''}T${time}${zone}`)
    // V8 takes 31 February for 3 March.
    const isThere =
      !Number.isNaN(moment.getTime()) && new Date(`${day ?? ''}T00:00:00Z`).toISOString().startsWith(day ?? '')
    if (isThere) return moment
    context.addIssue({ code: 'custom' })
    return z.NEVER
  }),
}

/** On or off: `--name` and `--no-name`. */
export const toggle: Kind<boolean, false> = {
  expected: 'true or false',
  schema: z.boolean(),
  fromText: (text) => ({ true: true, 1: true, false: false, 0: false })[text] ?? text,
  repeatable: false,
  absent: false,
}

/**
 * Several values. On the command line the option may be repeated.
 *
 * @param separator - parts the values within one text: a line end where a value may hold commas
 */
export function listOf<T>(item: Kind<T>, separator: ',' | '\n'): Kind<readonly T[], readonly []> {
  return {
    ...item,
    expected: item.expected,
    schema: z.array(item.schema).readonly(),
    fromText: (text) => {
      const parts = text.split(separator).map((part) => (separator === ',' ? part.trim() : part))
      const given = parts.filter((part) => part !== '')
      // A variable that a script forgot to set must not mean everything.
      return given.length > 0 ? given : parts
    },
    repeatable: true,
    absent: [],
  }
}

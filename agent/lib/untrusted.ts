/** Fields of JSON that somebody else wrote, who may have put anything there: terminals and commands get to see it. */
import { z } from 'zod'

/** Control characters, other line ends, and halves of characters. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu
const CONTROL_BUT_LINE_ENDS = /[^\P{Cc}\n\t]|[\p{Zl}\p{Zp}\p{Cs}]/gu

/** Linux takes no path longer than this (PATH_MAX in limits.h). */
const PATH_CHARACTERS_MAX = 4096

/** Whether text may become a word of a command, or part of a key. */
export function isWord(text: string): boolean {
  return text.search(CONTROL) === -1
}

/** Becomes a word of a command, or part of a key. */
export const word = z.string().max(PATH_CHARACTERS_MAX).refine(isWord, 'must not have control characters')

/** Becomes part of a key, and of a device's path: it may not lead anywhere else. */
export const fileName = z
  .string()
  .regex(/^[\w+.][\w+.-]*$/)
  .refine((name) => name !== '.' && name !== '..', 'must not lead upwards')

export const bytes = z.int().min(0)
/** Of what is not empty. */
export const size = z.int().min(1)
export const time = z.iso.datetime()
export const seconds = z.number().min(0)
export const crc32 = z.string().regex(/^[0-9a-f]{8}$/)
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** As the kernel tells of it. Restores go below it. */
export const mountPoint = word.startsWith('/').refine((path) => path === '/' || isTidy(path), 'must be a plain path')

/** Is shown within a line. */
export const line = z.string().transform((text) => text.replaceAll(/[\n\t]/g, ' ').replaceAll(CONTROL, '?'))

/** Several lines, in which words are looked for. */
export const lines = z.string().transform((text) => text.replaceAll(CONTROL_BUT_LINE_ENDS, '?'))

/** What a tool printed as JSON. */
export const toolOutput = z.unknown().transform(withoutControls)

function isTidy(path: string): boolean {
  return path
    .slice(1)
    .split('/')
    .every((name) => name !== '' && name !== '.' && name !== '..')
}

/** As it is where there is nothing to replace, which is nearly always. */
function withoutControls(value: unknown): unknown {
  return hasControls(value) ? replaceControls(value) : value
}

function hasControls(value: unknown): boolean {
  if (typeof value === 'string') return !isWord(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(hasControls)
}

function replaceControls(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(CONTROL, '?')
  if (Array.isArray(value)) return value.map(replaceControls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceControls(item)]))
}

/** What is in a list or a record of ours: they look at it themselves, so that zod alone could not tell. */
export const contents = new WeakMap<object, z.ZodType>()

function holding<Schema extends z.ZodType>(schema: Schema, item: z.ZodType): Schema {
  contents.set(schema, item)
  return schema
}

/** Of each of whose items the same is true. Of a million that are wrong, the first one says enough. */
export function listOf<Item>(item: z.ZodType<Item>, min = 0) {
  return holding(z.array(z.unknown()).min(min), item).transform((given, context): readonly Item[] => {
    const items: Item[] = []
    for (const [index, value] of given.entries()) {
      const parsed = item.safeParse(value)
      if (!parsed.success) return refuse(context, index, parsed.error)
      items.push(parsed.data)
    }
    return items
  })
}

/** As `listOf`, by key. */
export function recordOf<Value>(key: z.ZodType<string>, value: z.ZodType<Value>) {
  const entries = holding(z.record(z.string(), z.unknown()), value)
  return entries.transform((given, context): Readonly<Record<string, Value>> => {
    const pairs: [string, Value][] = []
    for (const [name, content] of Object.entries(given)) {
      const [parsedKey, parsed] = [key.safeParse(name), value.safeParse(content)]
      if (!parsedKey.success) return refuse(context, name, parsedKey.error)
      if (!parsed.success) return refuse(context, name, parsed.error)
      pairs.push([parsedKey.data, parsed.data])
    }
    return Object.fromEntries(pairs)
  })
}

function refuse(context: z.RefinementCtx, at: string | number, { issues: [issue] }: z.ZodError): never {
  context.addIssue({ code: 'custom', message: issue?.message ?? '', path: [at, ...(issue?.path ?? [])] })
  return z.NEVER
}

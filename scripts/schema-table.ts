/** A JSON Schema as a table for people: a row for each field, whatever it is in. */
import { isDeepStrictEqual } from 'node:util'
import { table } from './markdown'
import type { JsonSchema } from './output-schemas'

/** Of more values than these a list in a table helps nobody. */
const VALUES_MAX = 10

/** Fields that are described elsewhere already: what is in those is left out. */
export interface Known {
  readonly fields: Readonly<Record<string, JsonSchema>>
  /** Link to the page that has them. */
  readonly page: string
}

/** @throws RangeError where a field has no description */
export function schemaTable(schema: JsonSchema, known?: Known): string {
  return table(['Field', 'What it is', 'Type'], fieldRows(schema, '', known))
}

export function fieldsOf({ properties = {} }: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return properties as Record<string, JsonSchema>
}

function fieldRows(schema: JsonSchema, path: string, known?: Known): string[][] {
  const own = Object.entries(fieldsOf(schema)).flatMap(([name, field]) => {
    const { description } = field
    const at = path === '' ? name : `${path}.${name}`
    if (description === undefined) throw new RangeError(`${at} has no description`)
    const isOptional = !schema.required?.includes(name)
    const type = `${typeOf(field)}${isOptional ? ', optional' : ''}`
    const inner = fieldRows(field, at)
    if (inner.length > 0 && known && isDeepStrictEqual(field, known.fields[name]))
      return [[`\`${at}\``, `${description} Its fields are those of ${known.page}.`, type]]
    return [[`\`${at}\``, description, type], ...inner]
  })
  const within = [
    ...alternativesOf(schema).flatMap((alternative) => fieldRows(alternative, path)),
    ...(isSchema(schema.items) ? fieldRows(schema.items, `${path}[]`) : []),
  ]
  return [...own, ...within]
}

export function alternativesOf({ anyOf, oneOf }: JsonSchema): readonly JsonSchema[] {
  return anyOf ?? oneOf ?? []
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.enum && schema.enum.length <= VALUES_MAX)
    return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (schema.format === 'date-time') return 'time'
  if (schema.type === 'array') return `array of ${isSchema(schema.items) ? typeOf(schema.items) : 'anything'}`
  if (schema.type === 'object' && isSchema(schema.additionalProperties))
    return `object, by name: ${typeOf(schema.additionalProperties)}`
  const alternatives = [...new Set(alternativesOf(schema).map(typeOf))]
  if (alternatives.length > 0) return alternatives.join(' or ')
  return typeof schema.type === 'string' ? schema.type : 'anything'
}

/** Whatever a command tells programs has to be what docs/reference/ says of it. */
import { z } from 'zod'
import { SCHEMAS, type JsonSchema } from '../../scripts/output-schemas'
import { printableJson } from '../../agent/lib/printable'
import type { Outcome } from '../../agent/outcome'
import type { CommandName } from '../../agent/options/commands'

const readers = new Map<string, z.ZodType>()

/**
 * Refuses a field that the schema does not have, too.
 *
 * @param json - as it was parsed
 */
export function assertDescribed(name: string, json: unknown): void {
  const schema = SCHEMAS[name]
  if (!schema) throw new Error(`nothing is known of what '${name}' tells programs`)
  const reader = readers.get(name) ?? z.fromJSONSchema(closed(schema))
  readers.set(name, reader)
  const { error } = reader.safeParse(json)
  if (!error) return
  throw new Error(`docs/reference/schemas/${name}.json does not describe this output: ${z.prettifyError(error)}
${JSON.stringify(json).slice(0, 2000)}`)
}

/** Looks over the last line of standard output, if it is for programs. */
export function parseLastLine(command: string, stdout: string): unknown {
  const json = readLastLine(stdout)
  if (json) assertDescribed('error' in json ? 'error' : command, json)
  return json
}

/** As `parseLastLine`, of a version that need not say what docs/reference/ says now. */
export function readLastLine(stdout: string): object | undefined {
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  return line.startsWith('{') ? (JSON.parse(line) as object) : undefined
}

/** A command whose every outcome is looked over. */
export function describedBy<Parameters extends readonly unknown[]>(
  name: CommandName,
  command: (...parameters: Parameters) => Promise<Outcome>,
): (...parameters: Parameters) => Promise<Outcome> {
  return async (...parameters) => {
    const outcome = await command(...parameters)
    assertDescribed(name, JSON.parse(printableJson(outcome.json)))
    return outcome
  }
}

/** The same schema, without room for fields that it does not name. */
function closed(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'properties' in value && 'type' in value
      ? { ...value, additionalProperties: false }
      : value,
  ) as JsonSchema
}

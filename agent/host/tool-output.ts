import { z } from 'zod'
import { AgentError } from '../errors'

/**
 * Reads what a tool printed as JSON.
 *
 * @param shape - anything at all where left out
 * @throws AgentError OUTPUT_UNREADABLE, with the place that is not understood
 */
export function parseOutput<Value = unknown>(
  command: string,
  json: string,
  shape: z.ZodType<Value> = z.unknown() as z.ZodType<Value>,
): Value {
  try {
    return shape.parse(JSON.parse(json))
  } catch (cause) {
    const where = cause instanceof z.ZodError ? ` at ${cause.issues[0]?.path.join('.') ?? ''}` : ''
    throw new AgentError(
      'OUTPUT_UNREADABLE',
      `the output of ${command} is not understood${where}: ${json.slice(0, 200)}`,
      {
        hint: `This version of ${command} may be newer or older than those the agent knows: please report it, with its --version.`,
        cause,
      },
    )
  }
}

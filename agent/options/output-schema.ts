import { z } from 'zod'
import { ERROR_CODES, type ErrorCode } from '../errors'

export const errorCode = z.enum(Object.keys(ERROR_CODES) as ErrorCode[])

/** The last line of a command that could not do its work. */
export const failureOutput = z
  .object({
    error: z
      .object({
        code: errorCode.describe('One of the [error codes](errors.md).'),
        message: z.string().describe('What happened, for people.'),
        hint: z.string().describe('What to do about it, for people.'),
      })
      .describe('Why.'),
    duringCleanup: z.array(z.string()).exactOptional().describe('What failed besides, while the command ended.'),
  })
  .describe('The command could not do its work.')

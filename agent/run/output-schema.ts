/** What several commands tell programs of runs. */
import { z } from 'zod'
import { DEPTHS } from '../contract'
import type { Told } from '../outcome'

export const runField = z.string().describe('Name of the run.')
export const hostField = z.string().describe('Name of the host in the bucket.')
export const classField = z.string().describe('Retention class.')
export const mountPointField = z.string().describe('Where the volume was mounted.')

/** Of every command that reads backups. */
export const deletedFields = {
  deletedRead: z
    .array(z.string())
    .exactOptional()
    .describe(
      'Keys that were deleted or have expired, and were read from versions that are left. With `--include-deleted`.',
    ),
  deletedUnread: z
    .array(z.string())
    .exactOptional()
    .describe('Keys that were deleted or have expired, and that `--include-deleted` would read.'),
}
/** What is told of objects that were deleted. */
export type DeletedNotes = Told<z.ZodObject<typeof deletedFields>>

const word = z.object({
  depth: z.enum(DEPTHS).describe('How far.'),
  ok: z.boolean().describe('Whether everything was good.'),
  at: z.iso.datetime().exactOptional().describe("When, by S3's clock. Absent where it was part of the backup itself."),
  sizesOnly: z
    .literal(true)
    .exactOptional()
    .describe("The server keeps no checksums, so that no more than the objects' sizes was compared."),
})

export const verifiedSchema = word.extend({
  by: z.enum(['operator', 'host']).exactOptional().describe("Whose word it is, where it is not the backup's own."),
  hostSays: word
    .exactOptional()
    .describe("What the host says beyond it, which takes nothing from it: only the host's own word stands for that."),
})

/** What a manifest says of filesystems that were read in place, without a snapshot. */
import { z } from 'zod'

export const quietSourceSchema = z.object({
  kind: z.literal('quiet').describe('A small filesystem that was read in place.'),
  consistency: z
    .enum(['frozen', 'stable-read'])
    .describe('Held still while it was read, or read until two readings agreed.'),
})

export type QuietSource = Readonly<z.infer<typeof quietSourceSchema>>

import { z } from 'zod'
import { RETRIEVAL_TIERS, type RetrievalTier } from '../contract'
import type { Told } from '../outcome'
import { errorCode } from '../options/output-schema'
import { warningsSchema } from '../run/manifest'
import { deletedFields, hostField, mountPointField, runField } from '../run/output-schema'

const names = (what: string) => z.array(z.string()).describe(`${what}: the first of them.`)
const count = (what: string) => z.int().describe(`${what}: how many there are.`)

/** Entries that do not come back, by the reason. */
export const leftOutSchema = z.object({
  lost: names('Entries in frames that are damaged'),
  lostEntries: count('Entries in frames that are damaged'),
  tooLong: names('Entries whose paths are longer than the kernel takes'),
  tooLongEntries: count('Entries whose paths are longer than the kernel takes'),
  impossible: names('Entries such as Linux has none, each with what is wrong'),
  impossibleEntries: count('Entries such as Linux has none'),
  byHand: names('Entries that only tar itself can restore, as the catalog does not describe them'),
  byHandEntries: count('Entries that only tar itself can restore'),
})

const fetchSchema = z.object({
  requests: z.int().describe('Requests to S3.'),
  bytes: z.int().describe('Bytes that are read.'),
  segments: z.array(z.int()).describe('Segments that are read from, counted from 0.'),
})

const entriesFields = {
  mountPoint: mountPointField,
  directory: z.string().describe('Where it is restored to.'),
  entries: z.int().describe('Entries that are restored.'),
  kept: z
    .int()
    .describe('Entries that are left as they are there: by the conflict policy, or because they are equal already.'),
}

const volumeReportSchema = leftOutSchema.extend({
  ...entriesFields,
  failed: names('Entries that are not there, or not as they were backed up'),
  failedEntries: count('Entries that are not there, or not as they were backed up'),
  complaint: z.string().describe('The end of what tar wrote to standard error; empty where it wrote nothing.'),
  fetch: fetchSchema.describe('What reading cost.'),
})

const volumePreviewSchema = leftOutSchema.extend({
  ...entriesFields,
  conflicts: names('Entries whose names are taken'),
  conflictEntries: count('Entries whose names are taken'),
  sizeBytes: z.int().describe('What they take on the target.'),
  fetch: fetchSchema.describe('What reading would cost.'),
  storageClasses: z.array(z.string()).describe('Those of the objects that are needed.'),
  frozen: z.int().describe('Objects that have to be thawed first.'),
})

const volumeFailureSchema = z.object({
  mountPoint: mountPointField,
  directory: z.string().describe('Where it was to be restored to.'),
  code: errorCode.describe('One of the [error codes](errors.md).'),
  message: z.string().describe('What happened, for people.'),
  hint: z.string().describe('What to do about it, for people.'),
})

const missingVolumeSchema = z.object({
  mountPoint: z.string().describe('Where it was mounted.'),
  why: z.string().describe('Why, for people.'),
  failed: z.boolean().describe('Whether it should have been backed up.'),
})

const warnedVolumeSchema = z.object({
  mountPoint: mountPointField,
  warnings: warningsSchema.optional().describe('What its archive lacks.'),
  isWhole: z.boolean().describe('Whether all of the volume is wanted, and so what the warnings name.'),
})

const elsewhereSchema = z.object({
  mountPoint: mountPointField,
  run: z.string().describe('The newest run that has it.'),
})

const runFields = {
  run: runField,
  host: hostField,
  absent: z.array(missingVolumeSchema).describe('What was mounted on the host, was asked for, and is not in the run.'),
  warned: z.array(warnedVolumeSchema).describe('Volumes that were backed up with warnings.'),
}
/** Beside what a restore came to. */
const besides = {
  elsewhere: z
    .array(elsewhereSchema)
    .exactOptional()
    .describe('Volumes that the newest run lacks, and one of the ten before it has.'),
  ...deletedFields,
}

export const restoreOutput = z
  .object({
    ...runFields,
    volumes: z.array(volumeReportSchema).describe('What was restored.'),
    failures: z.array(volumeFailureSchema).describe('Volumes that were not restored, or not to their end.'),
    ...besides,
  })
  .describe('What was restored.')

export const restorePreviewOutput = z
  .object({
    ...runFields,
    volumes: z.array(volumePreviewSchema).describe('What would be restored.'),
    ...besides,
  })
  .describe('With `--dry-run`: what would be done.')

export const waitingOutput = z
  .object({
    waitingFor: z.array(z.string()).describe('Keys of the objects that are being thawed.'),
    tier: z.enum(Object.keys(RETRIEVAL_TIERS) as RetrievalTier[]).describe('How fast.'),
    days: z.int().describe('How long they stay readable.'),
    ...besides,
  })
  .describe('With status 5: nothing was restored yet.')

const retrievalStatusSchema = z.object({
  mountPoint: mountPointField,
  storageClasses: z.array(z.string()).describe('Those of its objects.'),
  readable: z.int().describe('Objects that can be read.'),
  thawing: z.int().describe('Objects that are being thawed.'),
  frozen: z.int().describe('Objects that nobody has asked for.'),
  missing: z.int().describe('Objects that are not there.'),
  catalog: z.enum(['good', 'missing', 'damaged']).describe('A restore makes one again that is not good.'),
})

export const restoreStatusOutput = z
  .object({
    run: runField,
    host: hostField,
    ready: z.boolean().describe('Whether everything can be read now.'),
    volumes: z.array(retrievalStatusSchema).describe('Its volumes.'),
    ...deletedFields,
  })
  .describe('Whether the archives of a run can be read.')

/** What a restore says when it ends, whether it is done or not. */
export type RestoreOutput = Told<typeof restoreOutput> | Told<typeof restorePreviewOutput> | Told<typeof waitingOutput>

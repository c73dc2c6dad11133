import { z } from 'zod'
import { classField, hostField } from '../run/output-schema'
import { LEVELS, manifestSchema, type Manifest } from '../run/manifest'
import type { Told } from '../outcome'
import { KINDS, leftoverSchema, plannedSchema, snapshotSchema, uploadSchema } from '../source/output-schema'

const skippedSchema = z.object({
  mountPoint: z.string().describe('Where it is mounted.'),
  device: z.string().describe('What is mounted.'),
  filesystem: z.string().describe('Type of its filesystem.'),
  reason: z.string().describe('Why.'),
})

export const backupPlanOutput = z
  .object({
    dryRun: z.literal(true).describe('Nothing was done.'),
    class: classField,
    host: hostField,
    run: z.string().describe('A name of a run, as it would be made now.'),
    volumes: z.array(plannedSchema).describe('What would be backed up.'),
    sources: z
      .array(
        z.object({
          mountPoint: z.string().describe('Where it is mounted.'),
          source: z.enum(KINDS).describe('What would take its snapshot.'),
          reason: z.string().describe('Why that.'),
        }),
      )
      .describe('By what, and why.'),
    skipped: z.array(skippedSchema).describe('What could be backed up, and is not chosen.'),
    unsupported: z.array(skippedSchema).describe('What is on the disks of this host, and cannot be snapshotted.'),
    unfit: z
      .array(skippedSchema.extend({ remedy: z.string().describe('What to look at, as the beginning of a sentence.') }))
      .describe('What is chosen, and in no state for it: a backup without it is incomplete.'),
    snapshots: z.array(snapshotSchema).describe('What would be taken, in this order.'),
    levels: z
      .array(
        z.object({
          volume: z.string().describe('Its name.'),
          level: z.enum(LEVELS).describe('What its archive would hold, unless too much has changed.'),
          base: z
            .string()
            .exactOptional()
            .describe('Of a differential archive: the run with the full one that it refers to.'),
          because: z.string().exactOptional().describe('Of a full archive: why it cannot be differential.'),
        }),
      )
      .describe('With `--level auto` or `differential`: what would be archived of each volume.'),
  })
  .describe('With `--dry-run`: what would be done.')

const besides = z.object({
  leftBehind: z.array(z.string()).describe('What could not be cleaned up on the host, for people. Status 4.'),
  manifest: z.string().describe('Key of the manifest.'),
})
export const backupRunOutput = manifestSchema
  .omit({ system: true })
  .extend(besides.shape)
  .describe('The manifest without `system`, and where it is.')

/** The run was held against the schema of manifests before it was published. */
export type BackupOutput =
  Told<typeof backupPlanOutput> | (Omit<Manifest, 'system'> & { readonly system: undefined } & Told<typeof besides>)

export const cleanupOutput = z
  .object({
    dryRun: z.boolean().describe('Whether nothing was removed.'),
    mounts: z.array(z.string()).describe('Mount points.'),
    snapshots: z.array(leftoverSchema).describe('Snapshots.'),
    uploads: z.array(uploadSchema).describe('Unfinished uploads.'),
    scratches: z.array(z.string()).exactOptional().describe('Directories that killed drills had restored to.'),
    leftBehind: z.array(z.string()).describe('What could not be removed, for people. Status 4.'),
  })
  .describe('What was removed, or with `--dry-run` would be.')

export type CleanupOutput = Told<typeof cleanupOutput>

const checkSchema = z.object({
  name: z.string().describe('What was looked at.'),
  status: z.enum(['ok', 'warn', 'fail']).describe('`warn`: backups work, but not as well as they should.'),
  what: z.string().describe('What was seen, for people.'),
  fix: z.string().exactOptional().describe('What to do about it, for people; absent where all is well.'),
})

export const preflightOutput = z
  .object({
    ready: z.boolean().describe('Whether nothing failed.'),
    checks: z.array(checkSchema).describe('What was looked at.'),
  })
  .describe('What a backup needs, and what of it is there.')

import { z } from 'zod'
import type { Told } from '../outcome'
import { LEVELS, manifestSchema, sampleSchema } from '../run/manifest'
import { classField, deletedFields, hostField, runField, verifiedSchema } from '../run/output-schema'

const listedRunSchema = z.object({
  class: classField,
  host: hostField,
  run: runField,
  deleted: z.literal(true).exactOptional().describe('Its manifest was deleted. With `--include-deleted`.'),
  misdating: z
    .object({
      isFuture: z.boolean().describe('It is named after a time after its writing, which no copy of a bucket explains.'),
      what: z.string().describe('What speaks against it, for people.'),
    })
    .exactOptional()
    .describe('Why it is not taken for what its name says.'),
  startedAt: z.string().describe('As its name says, in ISO 8601; empty where that is no time.'),
  status: z
    .enum([...manifestSchema.shape.status.options, 'unreadable'])
    .describe('`unreadable`: there is a manifest, but this agent cannot read it.'),
  problem: z.string().exactOptional().describe('Why it is unreadable, for people.'),
  level: z
    .enum(LEVELS)
    .exactOptional()
    .describe('`differential` where an archive of it is to be read with a base. Absent where it is unreadable.'),
  bases: z
    .array(
      z.object({
        run: runField,
        state: z
          .enum(['there', 'gone', 'damaged', 'unknown'])
          .describe('What is known of it. Unless it is `there`, nobody should count on the run.'),
        problem: z.string().exactOptional().describe('What speaks against it, for people.'),
      }),
    )
    .describe('The runs that have its bases.'),
  mountPoints: z.array(z.string()).describe('Those of its volumes.'),
  rawBytes: z.int().describe('Length of all tar streams.'),
  storedBytes: z.int().describe('Size of all segments.'),
  verified: verifiedSchema.describe(
    'How far it was verified: the latest word of an operator, or without one that of the host.',
  ),
  sampled: z
    .array(sampleSchema.extend({ volume: z.string().describe('Name of the volume.') }))
    .describe('What the backup compared with the source of volumes of which it did not compare everything.'),
})

export const listOutput = z
  .object({
    host: hostField,
    total: z.int().describe('How many runs there are.'),
    runs: z.array(listedRunSchema).describe('Newest first, as many as `--limit` says; misdated ones last.'),
    ...deletedFields,
  })
  .describe('The runs of a host.')

const listedHostSchema = z.object({
  host: hostField,
  classes: z.array(z.string()).describe('Retention classes of its runs.'),
  runs: z.int().describe('How many runs it has.'),
  newest: z
    .object({ run: runField, startedAt: z.string().describe('When it began, in ISO 8601.') })
    .exactOptional()
    .describe('The newest run that is what its name says.'),
})

export const hostsOutput = z
  .object({
    total: z.int().describe('How many hosts have runs.'),
    hosts: z.array(listedHostSchema).describe('In the order of their names, as many as `--limit` says.'),
  })
  .describe('With `--hosts`: the hosts that have runs.')

const debrisRunSchema = z.object({
  class: classField,
  run: z.string().exactOptional().describe("Name of the run. Absent for what is in no run's place."),
  objects: z.int().describe('How many there are.'),
  bytes: z.int().describe('Their size.'),
  newestAt: z.iso.datetime().describe("When the newest of them was written, by S3's clock."),
  mayBeRunning: z.boolean().describe('Whether that is so recent that the run may not have ended yet.'),
})

const debrisUploadSchema = z.object({
  key: z.string().describe('Its key.'),
  initiatedAt: z.iso
    .datetime()
    .exactOptional()
    .describe("When it began, by S3's clock. Absent where the server does not say."),
  mayBeRunning: z.boolean().describe('Whether that is so recent that the run may not have ended yet.'),
})

export const debrisOutput = z
  .object({
    host: hostField,
    runs: z.array(debrisRunSchema).describe('Newest first, at most 1,000.'),
    totalRuns: z.int().describe('How many there are in all.'),
    objects: z.int().describe('Objects of all of them.'),
    bytes: z.int().describe('Bytes of all of them.'),
    uploads: z
      .array(debrisUploadSchema)
      .exactOptional()
      .describe('Unfinished uploads, at most 1,000. Absent where these credentials may not list them.'),
    totalUploads: z.int().exactOptional().describe('How many there are in all.'),
    ...deletedFields,
  })
  .describe('With `--debris`: objects without a manifest.')

const versionSchema = z.object({
  firstRun: z.string().describe('The first run that has it so.'),
  lastRun: z.string().describe('The last one; any run between them that was searched has it too.'),
  class: classField,
  runs: z.int().describe('How many runs have it so.'),
  type: z
    .enum(['file', 'directory', 'symlink', 'hardlink', 'fifo', 'character', 'block'])
    .describe('What it is; `hardlink`: a further name of a file.'),
  size: z.int().describe('Size of a file, holes included; else 0.'),
  mode: z.int().describe('Permission, set-id and sticky bits.'),
  uid: z.int().describe('Owner.'),
  gid: z.int().describe('Group.'),
  mtime: z.string().describe('When it was last modified, in ISO 8601.'),
  link: z
    .string()
    .exactOptional()
    .describe('Target of a symbolic link; of a hard link, the path that it is linked to.'),
})

const foundPathSchema = z.object({
  path: z.string().describe('As on the host.'),
  volume: z.string().describe('Name of the volume.'),
  versions: z.array(versionSchema).describe('Newest first.'),
})

const notSearchedSchema = z.object({
  class: classField,
  host: hostField,
  run: runField,
  volume: z
    .string()
    .exactOptional()
    .describe("Name of the volume; absent where not even the run's manifest can be read."),
  reason: z.string().describe('Why, for people.'),
})

export const findOutput = z
  .object({
    host: hostField,
    pattern: z.string().describe('What was looked for.'),
    runs: z.int().describe('Runs that were to be searched.'),
    found: z.array(foundPathSchema).describe('In the order of their paths, as many as `--limit` says.'),
    more: z.int().describe('Entries of further paths.'),
    notSearched: z
      .array(notSearchedSchema)
      .describe('What could not be searched, or has matches in a base that is gone: the first 100. Status 3.'),
    notSearchedCount: z.int().describe('How much there is of that.'),
    ...deletedFields,
  })
  .describe('Paths, and how they were over time.')

export type ListOutput = Told<typeof listOutput> | Told<typeof debrisOutput>
export type FindOutput = Told<typeof findOutput>

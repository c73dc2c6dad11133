import { z } from 'zod'
import { classField, deletedFields, hostField, mountPointField, runField } from '../run/output-schema'

const findingSchema = z.object({
  volume: z.string().describe('Name of the volume.'),
  what: z.string().describe('What is not as it should be, for people.'),
  hint: z.string().describe('What to do about it, for people.'),
})

const volumeCheckSchema = z.object({
  volume: z.string().describe('Name of the volume.'),
  mountPoint: mountPointField,
  base: runField
    .exactOptional()
    .describe(
      'Of a differential archive: the run that has its base, which was looked at, too. Objects and storage classes are of both, ' +
        'bytes, frames and entries of the archive alone.',
    ),
  objects: z.int().describe('Objects that were looked at.'),
  storedBytes: z.int().describe('Sum of the sizes of the segments.'),
  storageClasses: z.array(z.string()).describe('Those of the segments.'),
  withoutChecksum: z
    .int()
    .describe('Objects for which the server keeps no CRC32 of the whole, so that only their size could be compared.'),
  frames: z.int().describe('Frames that were read back; 0 with depth `checksum`, which reads nothing.'),
  rawBytes: z.int().describe('Bytes of the tar stream that were read back.'),
  entries: z.int().describe('Entries that were read back.'),
  findings: z.array(findingSchema).describe('Without any, everything that is counted here is good.'),
})

/** Recorded beside the run, and the last line of `verify`. */
export const verificationSchema = z
  .object({
    verification: z.literal(1).describe('Format of this record.'),
    run: runField,
    class: classField,
    host: hostField,
    depth: z.enum(['checksum', 'stream']).describe("S3's own checksums, or everything read back."),
    startedAt: z.iso.datetime().describe('When it started, by the clock of whoever verified.'),
    finishedAt: z.iso.datetime().describe('When it ended.'),
    ok: z.boolean().describe('Whether nothing was found.'),
    sizesOnly: z
      .literal(true)
      .exactOptional()
      .describe(
        'With depth `checksum`: the server keeps no checksum of at least one object, so that this is no more than their sizes.',
      ),
    volumes: z.array(volumeCheckSchema).describe('What was looked at, and what was found.'),
  })
  .describe('What was looked at and found.')

export const verifyOutput = verificationSchema.extend(deletedFields).describe('What was looked at and found.')

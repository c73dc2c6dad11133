/** What each command of the operators' program tells programs. Schemas are for types and documents alone. */
import { z } from 'zod'

const host = z.string().describe("An instance's ARN, or the name that was given with `--host`.")

const hostDebris = z.object({
  host,
  runs: z.int().describe('Its runs that have no manifest.'),
  mayBeRunning: z.int().describe('Of these, how many are so recent that they may not have ended yet.'),
  objects: z.int().describe('Objects of them.'),
  bytes: z.int().describe('Bytes of them.'),
  newestAt: z.string().describe('When the newest of these objects was written.'),
})

const unfinishedUpload = z.object({
  key: z.string().describe('What was to be written.'),
  initiatedAt: z.string().exactOptional().describe('When it was begun, where the server says so.'),
  mayBeRunning: z.boolean().describe('Whether that is so recent that the run may not have ended yet.'),
})

export const fleetDebrisOutput = z
  .object({
    totalHosts: z.int().describe('Hosts that have any.'),
    runs: z.int().describe('Runs without a manifest, of all hosts.'),
    objects: z.int().describe('Objects of them.'),
    bytes: z.int().describe('Bytes of them.'),
    hosts: z.array(hostDebris).describe('Those with most bytes first.'),
    uploads: z
      .array(unfinishedUpload)
      .exactOptional()
      .describe('Unfinished uploads, at most 1,000. Absent where these credentials may not list them.'),
    totalUploads: z.int().exactOptional().describe('How many there are in all.'),
  })
  .describe('What lies in the bucket and is of no finished run.')

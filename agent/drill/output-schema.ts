import { z } from 'zod'
import { classField, hostField, runField } from '../run/output-schema'

/** Recorded beside the runs, and the last line of `drill`. */
export const drillRecordSchema = z.object({
  drill: z.literal(1).describe('Format of this record.'),
  class: classField,
  host: hostField,
  run: runField,
  drilledOn: z.string().describe('Name of the machine that restored it, as its kernel has it.'),
  startedAt: z.iso.datetime().describe('When the drill started, by the clock of that machine.'),
  finishedAt: z.iso.datetime().describe('When it ended.'),
  ok: z.boolean().describe('Whether all that was asked for came back, was equal, and the check script was content.'),
  restoreSeconds: z.number().describe('From the command to the last byte in place; 0 where it did not come to that.'),
  restoredBytes: z.int().describe('What was restored takes so much on disk.'),
  entries: z.int().describe('Entries that were restored.'),
  volumes: z.array(z.string()).describe('Mount points of the volumes that were restored: the first of them.'),
  share: z
    .string()
    .exactOptional()
    .describe('Where that was not all of the run: which part of each volume, such as `3/7`, or `part`.'),
  checkScript: z.string().exactOptional().describe('What looked at the restored files besides.'),
  problems: z.array(z.string()).describe('What was not as it should be, for people: the first of them.'),
})

export const drillOutput = drillRecordSchema
  .extend({
    recorded: z.string().exactOptional().describe('Key of the record; absent where it could not be written. Status 3.'),
    leftBehind: z.array(z.string()).describe('What could not be removed from this host, for people. Status 4.'),
  })
  .describe('What a drill came to.')

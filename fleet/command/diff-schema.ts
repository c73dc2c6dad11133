import { z } from 'zod'
import type { Told } from '../../agent/outcome'

const runSchema = z.object({
  host: z.string().describe('Whose run it is.'),
  class: z.string().describe('Its retention class.'),
  run: z.string().describe('Its name.'),
})

/** A line of the file that `--list` writes, too. */
export const changeSchema = z.object({
  change: z
    .enum(['new', 'changed', 'gone', 'unknown'])
    .describe('What became of it; `unknown` where a catalog does not describe it.'),
  path: z.string().describe('Its path on the host.'),
  path64: z.string().exactOptional().describe('The same in base64, where it is not UTF-8.'),
  type: z.string().describe('What it is, or was: `file`, `directory`, `symlink` and so on.'),
  size: z.int().exactOptional().describe('Size of a file in the later run.'),
  sizeBefore: z.int().exactOptional().describe('Size of a file in the earlier run.'),
  mtime: z.string().exactOptional().describe('When it was modified, in the later run: seconds since 1970.'),
  mtimeBefore: z.string().exactOptional().describe('The same in the earlier run.'),
  what: z
    .array(z.enum(['content', 'time', 'mode', 'owner', 'type', 'target', 'attributes']))
    .exactOptional()
    .describe('What of it has changed; `content` is its size, `attributes` whether it has any.'),
})

const counts = {
  new: z.int().describe('Entries that only the later run has.'),
  changed: z.int().describe('Entries that have changed.'),
  gone: z.int().describe('Entries that only the earlier run has.'),
  same: z.int().describe('Entries that are the same.'),
  unknown: z.int().describe('Entries that a catalog does not describe, so that they cannot be compared.'),
  newBytes: z.int().describe('Size of the files that are new or have changed.'),
  goneBytes: z.int().describe('Size of the files that are gone.'),
}

export const diffOutput = z
  .object({
    before: runSchema.describe('The run that was named first.'),
    after: runSchema.describe('The run that was named second.'),
    totals: z.object(counts).describe('Of all filesystems that both runs have.'),
    volumes: z
      .array(z.object({ mountPoint: z.string().describe('Where it is mounted.'), ...counts }))
      .describe('One by one.'),
    notCompared: z
      .array(
        z.object({
          mountPoint: z.string().describe('Where it is mounted.'),
          reason: z.string().describe('Why, for people.'),
        }),
      )
      .describe('Filesystems that only one of the runs has. Status 3.'),
    largest: z.array(changeSchema).describe('The largest of what changed; `--limit` says how many.'),
    list: z.string().exactOptional().describe('The file that has all of it, a line of JSON each.'),
  })
  .describe('What changed from one run to another.')

export type DiffOutput = Told<typeof diffOutput>

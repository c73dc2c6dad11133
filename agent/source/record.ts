/** What a manifest says of where its snapshots came from. */
import { z } from 'zod'
import { lines, recordOf, word } from '../lib/untrusted'
import { ebsLayoutSchema, ebsSourceSchema } from './ebs/record'
import { deviceMapperName, lvmLayoutSchema, lvmSourceSchema } from './lvm/record'
import { quietSourceSchema } from './quiet/record'
import { mountPointName } from './volume-name'

export const sourceSchema = z.discriminatedUnion('kind', [lvmSourceSchema, ebsSourceSchema, quietSourceSchema])

/** How the snapshot of a volume was taken, and of what. */
export type SourceRecord = Readonly<z.infer<typeof sourceSchema>>
export type SourceKind = SourceRecord['kind']

export const SOURCE_KINDS: readonly string[] = sourceSchema.options.map(({ shape }) => shape.kind.value)

/** What a volume is called in keys, by what it says of its source, and of where it was mounted. */
export function volumeNameOf({
  source,
  mountPoint,
}: {
  readonly source: SourceRecord
  readonly mountPoint: string
}): string {
  return source.kind === 'lvm' ? deviceMapperName(source) : mountPointName(mountPoint)
}

/** How consistent a volume is by itself, in a few words. @param lived - how long there was a snapshot of it */
export function describeSource(source: SourceRecord, lived: string): string {
  switch (source.kind) {
    case 'lvm':
      return `snapshot lived ${lived}`
    case 'ebs':
      return `EBS ${source.engine}${source.consistency === 'frozen' ? ', frozen meanwhile' : ''}, lived ${lived}`
    case 'quiet':
      return `read in place, ${source.consistency === 'frozen' ? 'frozen meanwhile' : 'twice alike'}`
  }
}

/** Whether a volume shows the moment at which the others were snapshotted, and hooks held applications. */
export function isOfOneMoment({ kind }: Pick<SourceRecord, 'kind'>): boolean {
  return kind !== 'quiet'
}

/** What a rebuild needs of each source that the host has. */
export const layoutsSchema = z.object({
  lvm: lvmLayoutSchema.optional().describe('What a rebuild of LVM on empty disks needs.'),
  ebs: ebsLayoutSchema.optional().describe('What volumes like those of the instance are made by.'),
  partitionTables: recordOf(word, lines)
    .optional()
    .describe('What `sfdisk --dump` says of each disk with partitions, by its device.'),
})
export type HostLayouts = Readonly<z.infer<typeof layoutsSchema>>

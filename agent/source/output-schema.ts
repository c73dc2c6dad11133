/** What is told programs of volumes, of snapshots to be taken, and of what killed runs left. */
import { z } from 'zod'
import { ebsLeftoverFields, ebsPlanFields, ebsVolumeFields } from './ebs/output-schema'
import { lvmLeftoverFields, lvmPlanFields, lvmVolumeFields } from './lvm/output-schema'
import { quietLeftoverFields, quietPlanFields } from './quiet/output-schema'
import { sourceSchema, type SourceKind } from './record'

/** Of sources. */
export const KINDS = sourceSchema.options.map(({ shape }): SourceKind => shape.kind.value)

export const plannedSchema = z.object({
  kind: z.enum(KINDS).describe('What its snapshot is taken of.'),
  volume: z.string().describe('Its name in keys and on the command line.'),
  device: z.string().describe('What is mounted.'),
  mountPoint: z.string().describe('Where it is mounted.'),
  filesystem: z.string().describe('Type of its filesystem.'),
  sizeBytes: z.int().describe('Size of the device.'),
  usedBytes: z.int().describe('What the filesystem says is used.'),
  uuid: z.string().describe('UUID of the filesystem; empty where it has none.'),
  label: z.string().describe('Label of the filesystem; empty where it has none.'),
  mountOptions: z.string().describe('As in the mount table.'),
  ...lvmVolumeFields,
  ...ebsVolumeFields,
})

export const snapshotSchema = z.object({
  origin: plannedSchema.describe('The volume.'),
  source: sourceSchema.describe('What the manifest would say of it.'),
  description: z.string().describe('What it would be, for people.'),
  originName: z.string().describe('What it would be of, for people.'),
  mountPoint: z.string().describe('Where it would be mounted.'),
  tar: z.array(z.string()).describe('The command that would print the tar stream.'),
  ...lvmPlanFields,
  ...quietPlanFields,
  ...ebsPlanFields,
})

export const uploadSchema = z.object({
  key: z.string().describe('Its key.'),
  uploadId: z.string().describe("S3's name for it."),
  initiated: z.iso
    .datetime()
    .exactOptional()
    .describe('When it began, by the clock of the server. Of one that was listed.'),
})

export const leftoverSchema = z.object({
  kind: z.enum(KINDS).describe('What it is a snapshot of.'),
  name: z.string().describe('Its name, for people: `vg0/snapstream_…`.'),
  uploads: z.array(uploadSchema).describe('Unfinished uploads that it remembers.'),
  ...lvmLeftoverFields,
  ...quietLeftoverFields,
  ...ebsLeftoverFields,
})

/** What agents up to version 0.2 wrote. */
import { z } from 'zod'
import { bytes, crc32, fileName, listOf, seconds, sha256, size, time, word } from '../lib/untrusted'
import { lvmLayoutSchema } from '../source/lvm/record'
import { archiveSchema, manifestSchema, systemSchema, volumeSchema, type Manifest, type VolumeBackup } from './manifest'

const storedObject1 = z.object({ key: word, sizeBytes: size, crc32 })

const volumeSchema1 = volumeSchema.omit({ source: true, level: true }).extend({
  group: fileName,
  name: fileName,
  snapshot: z.object({ kind: z.enum(['thin', 'thick']), sizeBytes: bytes, takenAt: time, livedSeconds: seconds }),
  archive: archiveSchema.extend({
    segments: listOf(storedObject1.extend({ rawOffset: bytes, rawBytes: size }), 1),
    catalog: storedObject1,
    /** Of the tar stream: what is stored had no hash of its own. */
    sha256,
  }),
})

export const manifestSchema1 = manifestSchema.extend({
  format: z.literal(1),
  volumes: listOf(volumeSchema1),
  system: systemSchema.omit({ lvm: true }).extend(lvmLayoutSchema.shape),
})
export type Manifest1 = z.infer<typeof manifestSchema1>

/** The same in the words of the latest format. LVM was the only source, and all archives were full. */
export function upgrade({ volumes, system, ...rest }: Manifest1): Manifest {
  const { lvs, vgs, pvs, thinPools, groupConfigurations, ...others } = system
  return {
    ...rest,
    volumes: volumes.map(upgradeVolume),
    system: { ...others, lvm: { lvs, vgs, pvs, thinPools, groupConfigurations } },
  }
}

function upgradeVolume({ group, name, snapshot, ...rest }: Manifest1['volumes'][number]): VolumeBackup {
  const { kind: type, sizeBytes, takenAt, livedSeconds } = snapshot
  return {
    ...rest,
    source: { kind: 'lvm', group, name, snapshot: { type, sizeBytes } },
    level: 'full',
    snapshot: { takenAt, livedSeconds },
  }
}

/** Whom the auditor tells, as lists for tests to look at. */
import type { EbsSnapshot, EbsVolume } from '../../agent/ec2'
import type { ComplianceRecord } from '../../fleet/audit/compliance'
import type { Digest } from '../../fleet/audit/digest'
import type { HostEvent } from '../../fleet/audit/events'
import type { MetricDatum } from '../../fleet/audit/metrics'
import type { Outlets } from '../../fleet/audit/outlets'
import type { DaySize } from '../../fleet/audit/trend'

export interface MemoryOutlets extends Outlets {
  readonly metrics: MetricDatum[]
  readonly compliance: ComplianceRecord[]
  readonly events: HostEvent[]
  readonly digests: Digest[]
  sizes: readonly DaySize[]
  volumes: readonly EbsVolume[]
  snapshots: readonly EbsSnapshot[]
  /** Ids of what is gone. */
  readonly removed: string[]
  /** What rejects from now on. */
  readonly broken: Set<string>
}

export function memoryOutlets(): MemoryOutlets {
  const broken = new Set<string>()
  const arrive = async (call: string, signal: AbortSignal) => {
    signal.throwIfAborted()
    if (broken.has(call)) throw new Error(`${call} does not work`)
  }
  const outlets: MemoryOutlets = {
    ...{ metrics: [], compliance: [], events: [], digests: [], sizes: [], volumes: [], snapshots: [], removed: [] },
    broken,
    async putMetrics(data, signal) {
      await arrive('putMetrics', signal)
      outlets.metrics.push(...data)
    },
    async readBucketSizes(_days, signal) {
      await arrive('readBucketSizes', signal)
      return outlets.sizes
    },
    async putCompliance(record, signal) {
      await arrive('putCompliance', signal)
      outlets.compliance.push(record)
    },
    async putEvents(events, signal) {
      await arrive('putEvents', signal)
      outlets.events.push(...events)
    },
    async publish(digest, signal) {
      await arrive('publish', signal)
      outlets.digests.push(digest)
    },
    leftovers: {
      async findVolumes(signal) {
        await arrive('findVolumes', signal)
        return outlets.volumes
      },
      findSnapshots: async () => outlets.snapshots,
      readPower: async () => new Map(),
      detachVolume: async () => undefined,
      async deleteVolume(id, signal) {
        await arrive(`deleteVolume ${id}`, signal)
        outlets.removed.push(id)
      },
      async deleteSnapshot(id, signal) {
        await arrive(`deleteSnapshot ${id}`, signal)
        outlets.removed.push(id)
      },
    },
  }
  return outlets
}

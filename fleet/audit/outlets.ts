/** Whom the auditor tells, and what it asks besides: types only. Two implementations: AWS, and the tests' lists in memory. */
import type { EbsSnapshot, EbsVolume } from '../../agent/ec2'
import type { ComplianceRecord } from './compliance'
import type { Digest } from './digest'
import type { HostEvent } from './events'
import type { MetricDatum } from './metrics'
import type { DaySize } from './trend'

/** All calls reject with what the SDK throws, or an AgentError. */
export interface Outlets {
  putMetrics(data: readonly MetricDatum[], signal: AbortSignal): Promise<void>
  /** Of the last days, as far as S3 has measured them. */
  readBucketSizes(days: number, signal: AbortSignal): Promise<readonly DaySize[]>
  /** In the place of all that was said of the node before. */
  putCompliance(record: ComplianceRecord, signal: AbortSignal): Promise<void>
  putEvents(events: readonly HostEvent[], signal: AbortSignal): Promise<void>
  publish(digest: Digest, signal: AbortSignal): Promise<void>
  readonly leftovers: Leftovers
}

/** What bears the mark of an expiry in EBS, in the auditor's account and region. */
export interface Leftovers {
  findVolumes(signal: AbortSignal): Promise<readonly EbsVolume[]>
  findSnapshots(signal: AbortSignal): Promise<readonly EbsSnapshot[]>
  /** `running`, `stopped`, … by the ids of the instances; those that EC2 does not know are missing. */
  readPower(instanceIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>>
  detachVolume(volumeId: string, instanceId: string, signal: AbortSignal): Promise<void>
  /** Succeeds too where it is gone. */
  deleteVolume(volumeId: string, signal: AbortSignal): Promise<void>
  /** Succeeds too where it is gone. */
  deleteSnapshot(snapshotId: string, signal: AbortSignal): Promise<void>
}

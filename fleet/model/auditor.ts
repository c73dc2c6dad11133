/** What the auditor and its deployment have to agree on: how it is told what to do, and what alarms are made of. */
import { HOST_STATES } from './records'

/** Variables of the function's environment. */
export const AuditorVariable = {
  bucket: 'SNAPSTREAM_BUCKET',
  topic: 'SNAPSTREAM_TOPIC',
  /** Name of the stack, by which metrics and messages tell deployments apart. */
  stack: 'SNAPSTREAM_STACK',
  /** `yes`: figures of each host, too. */
  perHostMetrics: 'SNAPSTREAM_PER_HOST_METRICS',
  /** The configuration of the fleet, as JSON: part of the bundle, since the environment has room for 4 KB. */
  fleet: 'SNAPSTREAM_FLEET',
} as const

/** What the function is invoked with. */
export interface AuditorEvent {
  /** Tell the topic how the fleet is, whatever has changed. */
  readonly digest?: boolean
}

export const METRIC_NAMESPACE = 'Snapstream'
/** All metrics have the first; those of states and of hosts have more. */
export const MetricDimension = { stack: 'Stack', state: 'State', host: 'Host', class: 'Class' } as const

export const Metric = {
  /** By state. */
  hosts: 'Hosts',
  /** No verified backup is as young as it has to be. */
  hostsOverdue: 'HostsOverdue',
  hostsSuspicious: 'HostsSuspicious',
  /** The oldest newest good backup of all hosts that are protected, in hours. */
  oldestProtected: 'OldestProtectedHours',
  /** Accounts and regions of which nobody knows which hosts they have. */
  accountsUnknown: 'AccountsUnknown',
  /** What backups take, as their manifests have it, in bytes. */
  storedBytes: 'StoredBytes',
  /** 1 where the bucket grew as it never does. */
  storageOutOfTrend: 'StorageOutOfTrend',
  /** A pass has read, judged and written down what it found. */
  heartbeat: 'Heartbeat',
  /** By host and class: hours since the newest good backup. An option, since each costs. */
  backupAge: 'BackupAgeHours',
} as const

/** As they are stacked: the worst on top. */
export const SHOWN_STATES = [...HOST_STATES].reverse()

/**
 * What S3 calls the storage of a bucket in its own metrics, once a day and by class, whatever manifests say (Amazon S3 user guide,
 * "Metrics and dimensions").
 */
export const BUCKET_STORAGE_TYPES = [
  'StandardStorage',
  'StandardIAStorage',
  'GlacierInstantRetrievalStorage',
  'GlacierStorage',
  'DeepArchiveStorage',
] as const

/** Of the events on transitions, on the account's default bus. */
export const EVENT_SOURCE = 'snapstream'
export const EVENT_DETAIL_TYPE = 'Snapstream Host State Change'

/** Systems Manager wants custom types to begin like this (API_PutComplianceItems). */
export const COMPLIANCE_TYPE = 'Custom:SnapstreamBackup'

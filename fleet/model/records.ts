/**
 * What is known of a fleet, as plain records: the evidence that the bucket gives, and the hosts that there ought to be. Times
 * of the bucket are S3's, in seconds since 1970; what a host says of time is kept nowhere here.
 */
import type { Drill } from '../../agent/run/drill-record'
import type { Verified } from '../../agent/run/manifest'

/** What became of a run, as its manifest shows. */
export type RunState =
  | 'complete'
  /** Volumes failed, or something of them could not be read. */
  | 'incomplete'
  /** S3 has its manifest from another time than its name says. */
  | 'misdated'
  /** What lies there is no manifest of that run. */
  | 'unreadable'
  /** A later version of Snapstream wrote it. */
  | 'unsupported'
  /** Objects that its manifest names are not there, or of another size. */
  | 'objects-missing'
  /** What it holds is there, and what it is to be read with is not, or does not read back. */
  | 'base-missing'

/** The latest word of an operator, or without one that of the host within its run's own time. */
export interface RunVerdict {
  readonly by: 'operator' | 'host'
  readonly depth: Exclude<Verified, 'none'>
  readonly ok: boolean
  /** Nothing but the sizes of what is stored was confirmed. */
  readonly sizesOnly?: true
  readonly at: number
}

/** One run. There are 35 of each host and more: what only the newest needs is in `RunDetail`. */
export interface RunRecord {
  readonly run: string
  /** When S3 has its manifest from. */
  readonly writtenAt: number
  readonly state: RunState
  /** What its manifest says of it. */
  readonly verified: Verified
  /** Nothing but sizes was confirmed of something in it. */
  readonly sizesOnly?: true
  readonly volumes: number
  /** Objects of its archives, and catalogs. */
  readonly objects: number
  readonly entries: number
  readonly rawBytes: number
  /** Of the archives. */
  readonly storedBytes: number
  /** Of the catalogs, and of the lists of what is removed, which stay in S3 Standard. */
  readonly catalogBytes: number
  /** How long the host says that it took. */
  readonly seconds: number
  /** Entries modified within the day before their snapshot, where the run says. */
  readonly recentEntries?: number
  readonly verdict?: RunVerdict
  /** When its objects were last seen to be there, with the sizes that its manifest names. */
  readonly presentAt?: number
  /** It bears the tag without which nothing expires: its manifest does, and what that names as soon as it may. */
  readonly superseded?: true
  /** Of a run with differential archives: the runs that have the bases of these. Without them it is worth nothing. */
  readonly bases?: readonly string[]
  /** Something kept its manifest from being read, such as a key that the reader may not use: what it says is not known, and asked for again. */
  readonly unread?: true
  /** Which records of operators' verifications have been read, as a checksum of their keys and times: another says that there are others. */
  readonly heardOperator?: number
  /** Likewise of the host's own. */
  readonly heardHost?: number
}

/** What the newest run of a class says of the host. All text is the host's, cut and made printable. */
export interface RunDetail {
  readonly run: string
  readonly hostname: string
  readonly os: string
  readonly agentVersion: string
  readonly volumes: readonly {
    readonly volume: string
    readonly mountPoint: string
    readonly filesystem: string
    readonly source: string
    readonly entries: number
    readonly rawBytes: number
    readonly storedBytes: number
    /** Of a differential archive: the run that has its base. */
    readonly base?: string
    readonly warnings: number
  }[]
  readonly failures: readonly {
    readonly volume: string
    readonly mountPoint: string
    readonly code: string
    readonly message: string
    readonly hint: string
  }[]
  readonly notBackedUp: readonly { readonly mountPoint: string; readonly filesystem: string; readonly reason: string }[]
}

/** The runs of a host in one retention class, newest first by S3's clock. */
export interface ClassHistory {
  readonly class: string
  readonly runs: readonly RunRecord[]
  readonly newest?: RunDetail
}

/** A restore on trial. */
export type DrillRecord = Drill

/** All that the bucket shows of a host. */
export interface HostHistory {
  /** An instance's ARN, or the name that was given with `--host`. */
  readonly host: string
  readonly classes: readonly ClassHistory[]
  /** The newest drill. */
  readonly drill?: DrillRecord
}

/** How somebody knows that there ought to be backups of a host. */
export type Expectation = 'tag' | 'managed' | 'manifest' | 'list'

/** A host that ought to have backups, or had: as EC2, Systems Manager and the configuration show it. */
export interface ExpectedHost {
  readonly host: string
  /** Its tag `Name`, or what Systems Manager calls it. */
  readonly name?: string
  readonly account?: string
  readonly region?: string
  /** As EC2 has it; absent where EC2 was not asked, or does not know it. */
  readonly power?: 'running' | 'stopped' | 'terminated'
  readonly expectedBy: readonly Expectation[]
  /** Classes of the schedules whose tag it bears, and of the configured list. */
  readonly classes: readonly string[]
  /** As Systems Manager has it; absent where it does not. */
  readonly managed?: { readonly ping: 'online' | 'lost' | 'inactive'; readonly lastPingAt?: number }
}

/** Where hosts were looked for. */
export interface AccountView {
  readonly account: string
  readonly region: string
  /** Why it could not be read; its hosts are then not known, which is not the same as there being none. */
  readonly problem?: string
}

/** Everything that ought to be there. */
export interface Inventory {
  readonly hosts: readonly ExpectedHost[]
  readonly accounts: readonly AccountView[]
}

/** Why a backup may be missing, as Run Command and maintenance windows recorded it: it explains, and proves nothing. */
export interface Explanation {
  readonly host: string
  readonly class?: string
  readonly at: number
  readonly what: 'undeliverable' | 'timed-out' | 'cancelled' | 'failed' | 'cut-off' | 'no-invocation'
  /** One line for people. */
  readonly detail: string
}

/** What is remembered of a host from pass to pass, beside its history. */
export interface HostMemory {
  readonly host: string
  /** As of the last pass. */
  readonly state: HostState
  readonly stateSince: number
  /** By class: since when it has been expected. */
  readonly expectedSince: Readonly<Record<string, number>>
  /** Since when no inventory has shown it, where it is gone. */
  readonly goneSince?: number
  /** When an operator said that it may be forgotten. */
  readonly forgottenAt?: number
}

/** From the worst to the best: by this, hosts are sorted. */
export const HOST_STATES = [
  'never',
  'failing',
  'stale',
  'unknown',
  'suspicious',
  'incomplete',
  'unverified',
  'stopped',
  'gone',
  'protected',
] as const
export type HostState = (typeof HOST_STATES)[number]
/** Those about which nobody has to do anything. */
export const CALM_STATES: ReadonlySet<HostState> = new Set(['protected', 'stopped', 'gone'])

/** A host in one class. */
export interface ClassView {
  readonly class: string
  readonly state: HostState
  /** Why, for people. */
  readonly reason: string
  readonly maxAgeHours: number
  /** No verified backup is as young as it has to be, and there has been time to make one. */
  readonly overdue: boolean
  readonly runs: number
  readonly lastRunAt?: number
  /** The newest run that is complete, verified and whose time is right. */
  readonly lastGoodAt?: number
  readonly lastGoodRun?: string
  readonly failuresInARow: number
  /** The newest run did not read back, or objects of it are gone. */
  readonly damaged?: true
  readonly storedBytes: number
  readonly suspicions: readonly string[]
}

/** A host, judged. */
export interface HostView {
  readonly host: string
  readonly name?: string
  readonly account?: string
  readonly region?: string
  readonly power?: NonNullable<ExpectedHost['power']>
  readonly managed?: NonNullable<ExpectedHost['managed']>
  readonly expectedBy: readonly Expectation[]
  readonly state: HostState
  readonly stateSince: number
  readonly reason: string
  /** What to do next, for people; empty where nothing needs to be done. */
  readonly advice: string
  readonly overdue: boolean
  readonly classes: readonly ClassView[]
  readonly storedBytes: number
  readonly drill?: DrillRecord
  /** Filesystems that the newest run of any class left out, or failed on. */
  readonly leftOut: readonly { readonly mountPoint: string; readonly reason: string }[]
}

/** The whole fleet, judged: what the command, the page and the alarms show. */
export interface FleetView {
  /** By S3's clock. */
  readonly at: number
  /** The worst first. */
  readonly hosts: readonly HostView[]
  readonly counts: Readonly<Record<HostState, number>>
  readonly overdue: number
  readonly accounts: readonly AccountView[]
  /** Of the hosts that are protected, the age of the oldest newest good run. */
  readonly oldestProtectedHours?: number
}

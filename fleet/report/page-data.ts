/** What the page has on board: types that both sides of it share. All text is printable and cut, all times are S3's, in seconds. */
import type { DrillRecord, HostState } from '../model/records'
import type { PackedTable } from './columnar'

/** What the fleet's backups cost: as the program's `cost` has it. */
export interface ReportCost {
  /** As ISO 4217 has it. */
  readonly currency: string
  readonly perMonth: number
  readonly classes: readonly {
    readonly class: string
    readonly storageClass: string
    readonly storedBytes: number
    readonly perMonth: number
    /** A trap in one line; empty where there is none. */
    readonly note: string
  }[]
  /** By host: per month. */
  readonly hosts: ReadonlyMap<string, number>
  /** Terminated hosts whose last runs are kept. */
  readonly gone?: { readonly hosts: number; readonly perMonth: number }
  /** If all archives of a class were in one storage class. */
  readonly whatIf?: readonly {
    readonly class: string
    /** Absent: as they are now. */
    readonly storageClass?: string
    readonly perMonth: number
    /** To read the newest good backup of every host once. */
    readonly readBack: number
    readonly note: string
  }[]
  /** Which prices, of when, and what is not in them. */
  readonly notes: readonly string[]
}

// Types, not interfaces: those of rows have to be assignable to `Row`.

export type HostRow = {
  /** Name in the bucket: `prefix` and `id` together. */
  readonly prefix: string
  readonly id: string
  readonly name: string
  readonly account: string
  readonly region: string
  readonly power: string
  /** How Systems Manager reaches it. */
  readonly ping: string
  readonly expectedBy: string
  readonly state: HostState
  readonly since: number
  readonly reason: string
  readonly advice: string
  readonly overdue: boolean
  readonly storedBytes: number
  readonly perMonth: number | null
}

/** A host in a class; `host` is its place among the hosts, here and below. */
export type ClassRow = {
  readonly host: number
  readonly class: string
  readonly state: HostState
  readonly reason: string
  readonly maxAgeHours: number
  readonly overdue: boolean
  readonly count: number
  readonly lastRunAt: number | null
  readonly lastGoodAt: number | null
  readonly lastGoodRun: string
  readonly failuresInARow: number
  readonly storedBytes: number
  /** One a line. */
  readonly suspicions: string
  /** `packRuns` has made it. */
  readonly runs: string
}

export type LeftOutRow = { readonly host: number; readonly mountPoint: string; readonly reason: string }

export type FailureRow = {
  readonly host: number
  readonly class: string
  readonly mountPoint: string
  readonly code: string
  readonly message: string
  readonly hint: string
}

export type VolumeRow = {
  readonly host: number
  readonly class: string
  readonly mountPoint: string
  readonly filesystem: string
  readonly source: string
  readonly rawBytes: number
  readonly storedBytes: number
  readonly warnings: number
}

export type DrillRow = Required<DrillRecord> & {
  readonly host: number
}

export interface PageData {
  readonly at: number
  /** Days that the calendar shows, by UTC; the last is that of `at`. */
  readonly days: number
  readonly counts: Readonly<Record<HostState, number>>
  readonly overdue: number
  readonly oldestProtectedHours?: number
  readonly accounts: readonly { readonly account: string; readonly region: string; readonly problem?: string }[]
  readonly policies: readonly {
    readonly name: string
    readonly maxAgeHours: number
    readonly keepAtLeast: number
    readonly expireAfterDays: number
    readonly storageClass: string
  }[]
  readonly cost?: Omit<ReportCost, 'hosts'>
  readonly hosts: PackedTable<HostRow>
  readonly classes: PackedTable<ClassRow>
  readonly leftOut: PackedTable<LeftOutRow>
  readonly failures: PackedTable<FailureRow>
  readonly volumes: PackedTable<VolumeRow>
  readonly drills: PackedTable<DrillRow>
}

/** What every source of snapshots does. LVM is one: `lvm/`. */
import type { Argv, HostDeps, UploadRef } from '../context'
import type { AgentError } from '../errors'
import type { HostFilesystems } from '../host/mounts'
import type { Warnings } from '../tar/messages'
import type { DirectoryTags, TaggedDirectories } from '../tar/tags'
import type { SnapshotSize } from '../options/types'
import type { SourceChoice } from './choice'
import type { MountedFilesystem } from './filesystems'
import type { HostLayouts, SourceKind, SourceRecord } from './record'

/** A mounted filesystem that is backed up. */
export interface Volume {
  /** The source that takes its snapshot. */
  readonly kind: SourceKind
  /** Its name in keys and messages, and on the command line: `vg0-home`. No other volume of the host has it. */
  readonly volume: string
  /** What is mounted. */
  readonly device: string
  readonly mountPoint: string
  readonly filesystem: string
  /** Of the device. */
  readonly sizeBytes: number
  /** By the filesystem. */
  readonly usedBytes: number
  /** Of the filesystem; empty where it has none. */
  readonly uuid: string
  readonly label: string
  /** As in the mount table. */
  readonly mountOptions: string
}

/** What a source says of a filesystem that is its own: a volume, or why it is none. */
export type Claim<V extends Volume = Volume> =
  | { readonly volume: V }
  | { readonly skipped: string }
  /** It would be one, but is in no state for it now. @see UnfitFilesystem.remedy */
  | { readonly unfit: string; readonly remedy: string }

/** One snapshot to be taken. A source's own plans have more: all of it can be printed. */
export interface SnapshotPlan {
  readonly origin: Volume
  /** What the manifest will say of it. */
  readonly source: SourceRecord
  /** What it will be, and of what: `snapshot of 2.0 GiB`, `vg0/home`. */
  readonly description: string
  readonly originName: string
  /** Where it will be mounted. */
  readonly mountPoint: string
  /** What makes the archive, for the manifest and the dry run. */
  readonly tar: Argv
}

/** A snapshot's files, where they can be read. */
export interface MountedSnapshot extends AsyncDisposable {
  /** What the manifest says of it, with what is known only now. */
  readonly source: SourceRecord
  /** When it was as it is; absent where that was when it was taken. */
  readonly takenAt?: Date
  /** What tar said when it was read, where `tar` does not say it again. */
  readonly warnings?: Warnings
  /** Directories whose contents were left out when it was read, where `tar` does not say it again. */
  readonly tagged?: TaggedDirectories
  /** Prints the tar stream, any number of times: `plan.tar`, or how the same is had where only the source sees the files. */
  readonly tar: Argv
  /** As `tar`, of the names listed at its standard input; absent where only all of it can be read again. */
  readonly tarListed?: Argv
  /** The directory in which this host sees the files that tar reads; absent where only the source does. */
  readonly tree?: string
}

/** One whose snapshot is a device. */
export interface DeviceSnapshotPlan extends SnapshotPlan {
  /** Of the snapshot. */
  readonly device: string
  readonly mount: Argv
}

export interface SnapshotRequest {
  /** Name of the host in the bucket: on EC2, the instance's ARN. */
  readonly host: string
  readonly run: string
  readonly size: SnapshotSize
  /** Patterns of absolute paths, as they are on the host, that are not archived. */
  readonly exclude: readonly string[]
  /** By which directories say that their contents are not archived. */
  readonly tags: DirectoryTags
  /** Of EBS: filesystems of data are frozen while their snapshot begins. */
  readonly freeze: boolean
  /** Of EBS: the last snapshot of each volume stays. */
  readonly ebsKeepLast: boolean
  readonly ebsEngine: 'snapshot' | 'clone'
}

/** What a source found on a host. It answers without looking again: all of this is pure. */
export interface Survey {
  readonly kind: SourceKind
  /** Why a filesystem that it does not claim is none of its own: `not on LVM`. */
  absence(found: MountedFilesystem): string
  /** What its volumes are: `a logical volume of LVM with …`. */
  readonly volumes: string
  /** @returns undefined where the filesystem is none of its own */
  claim(found: MountedFilesystem): Claim | undefined
  /** @throws AgentError SNAPSHOT_SPACE */
  plan(volumes: readonly Volume[], request: SnapshotRequest): readonly SnapshotPlan[]
  /** The volumes by what their snapshots take space from: where one of those has too little, the others may have enough. */
  spaces(volumes: readonly Volume[]): readonly Space[]
}

/** Where the snapshots of some volumes take their space from. */
export interface Space {
  readonly name: string
  /** How much they take, of how much. @throws AgentError SNAPSHOT_SPACE */
  describe(request: SnapshotRequest): string
}

/** All that is known of a host before anything is done to it. */
export interface HostSurvey {
  readonly filesystems: HostFilesystems
  /** Which of the sources may have which filesystem. */
  readonly choice: SourceChoice
  /** In the order in which sources are asked: the first that claims a filesystem takes its snapshot. */
  readonly surveys: readonly Survey[]
}

/** Snapshots that were taken: a lease of each, and of all that are left. */
export interface Snapshots extends AsyncDisposable {
  /** Removes that one; a second time it does nothing. @throws AgentError CLEANUP_FAILED */
  release(plan: SnapshotPlan): Promise<void>
}

export interface Watch extends AsyncDisposable {
  /** That one has done its service, and will be gone. */
  forget(plan: SnapshotPlan): void
}

/** A snapshot that a killed run left on the host. */
export interface LeftoverSnapshot {
  readonly kind: SourceKind
  /** What an operator would call it: `vg0/snapstream_…`. */
  readonly name: string
  /** Unfinished uploads that it remembers. */
  readonly uploads: readonly UploadRef[]
}

/** A program that the agent runs, and where it comes from. */
export interface Tool {
  readonly name: string
  /** Succeeds where the tool is installed; prints its version. */
  readonly ask: Argv
  readonly package: string
}

/** What the manifest keeps of a source's part of the host, for a rebuild. */
export interface SourceLayout {
  readonly layouts: HostLayouts
  /** All devices that filesystems may lie on, backed up or not, and that answer. */
  readonly devices: readonly string[]
}

/**
 * A source of snapshots. `test/source/source-contract.ts` says what each has to do; it is run against the real thing.
 *
 * A plan or a leftover is given to the source that it is of: `sources.io.ts` sees to that.
 */
export interface SnapshotSource {
  readonly kind: SourceKind
  /** What operators call it. */
  readonly title: string
  readonly tools: readonly Tool[]
  /**
   * Looks at the host, and changes nothing.
   *
   * @param open - filesystems that it may have, and that no source before it has claimed: where it has none of these,
   * it need not look further
   * @throws AgentError TOOL_MISSING, OUTPUT_UNREADABLE, COMMAND_FAILED
   */
  survey(deps: HostDeps, filesystems: HostFilesystems, open: readonly MountedFilesystem[]): Promise<Survey>
  /**
   * Takes all snapshots back to back, so that together they show one moment.
   *
   * @returns a lease that removes them
   * @throws AgentError COMMAND_FAILED or INTERRUPTED, with none of them left
   */
  take(deps: HostDeps, plans: readonly SnapshotPlan[]): Promise<Snapshots>
  /**
   * Makes the snapshot's files readable. Whatever goes wrong is the failure of that volume alone.
   *
   * @returns a lease that ends that, once
   * @throws AgentError MOUNT_FAILED
   */
  mount(deps: HostDeps, plan: SnapshotPlan): Promise<MountedSnapshot>
  /**
   * The plans by what is mounted and read together: one wave after another, once everything before it was given back.
   * Absent where all can be read at once, and are, before any such wave.
   */
  waves?(plans: readonly SnapshotPlan[]): readonly (readonly SnapshotPlan[])[]
  /**
   * Checks that a snapshot still is what it was: to be called after the last byte was read from it, and before anybody
   * is told that the archive is good.
   *
   * @throws AgentError SNAPSHOT_INVALID
   */
  check(deps: HostDeps, plan: SnapshotPlan): Promise<void>
  /**
   * Watches the snapshots while they are read, and does what can be done to keep them.
   *
   * @param onFault - called once for each that is no longer valid, or has to go so that the host can go on
   * @returns a lease that ends the watch
   */
  watch(deps: HostDeps, plans: readonly SnapshotPlan[], onFault: OnFault): Watch
  /**
   * Makes the snapshot remember an unfinished upload, so that whoever removes it aborts that, too. To be called before
   * the first part is sent.
   */
  recordUpload(deps: HostDeps, plan: SnapshotPlan, upload: UploadRef): Promise<void>
  /**
   * Snapshots that bear our mark: nobody else's is ever touched.
   *
   * @param everywhere - also where nothing on this host tells of any; false where left out
   */
  findLeftovers(deps: HostDeps, everywhere?: boolean): Promise<readonly LeftoverSnapshot[]>
  /** @throws AgentError CLEANUP_FAILED */
  removeLeftover(deps: HostDeps, leftover: LeftoverSnapshot): Promise<void>
  /** To be read before snapshots clutter the reports. */
  readLayout(deps: HostDeps, volumes: readonly Volume[]): Promise<SourceLayout>
}

export type OnFault = (plan: SnapshotPlan, fault: AgentError) => void

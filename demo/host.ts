/** A host that is backed up, and what the demo has to know of it and do to it. */
import type { Guest } from '../test/guest/guest'
import type { RunningServer } from '../test/servers'

export interface DemoVolume {
  readonly name: string
  readonly filesystem: 'ext4' | 'xfs' | 'vfat'
  readonly mountPoint: string
  readonly sizeMiB: number
  /** Files of this machine that are copied into it. */
  readonly filled?: Fill
  /** Programs keep changing it. */
  readonly live: boolean
}

export interface Fill {
  readonly from: readonly string[]
  /** At most, so that the demo takes its time on any machine. */
  readonly bytes: number
  readonly files: number
}

export interface DemoHost extends AsyncDisposable {
  /** In the bucket. */
  readonly name: string
  /** What is special about it: `with LVM`. */
  readonly title: string
  readonly guest: Guest
  /** In the order in which they have to be mounted. */
  readonly volumes: readonly DemoVolume[]
  /** How the agent finds what it needs, besides the bucket. */
  readonly agentOptions: readonly string[]
  readonly agentEnvironment: Readonly<Record<string, string>>
  /** Takes the demo's own snapshots: lines for the shell of a hook that runs while the programs are held. */
  readonly truthCommands: readonly string[]
  /** What has to be done from outside of the host meanwhile. */
  readonly whileHeld?: () => Promise<void>
  /** Makes and mounts its volumes. */
  makeVolumes(): Promise<void>
  /** The demo's own snapshot of a volume; returns where it is mounted. */
  mountTruth(volume: DemoVolume): Promise<string>
  /** An empty filesystem to restore into, of the same kind and size; returns where it is mounted. */
  makeRestoreTarget(volume: DemoVolume): Promise<string>
  /** Marks of Snapstream's outside of the mount table and the bucket. */
  findSnapshots(): Promise<string[]>
}

/** @param server - for S3 */
export type BootHost = (server: RunningServer) => Promise<DemoHost>

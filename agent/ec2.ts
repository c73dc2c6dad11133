/** EC2 as the agent uses it; types only. `agent/source/ebs/ec2-client.io.ts` does it by the SDK. */
/** The instance that the agent runs on. */
export interface InstanceIdentity {
  readonly instanceId: string
  readonly arn: string
  readonly region: string
  /** Availability zone. */
  readonly zone: string
  readonly instanceType: string
}

/** What an instance has attached. */
export interface InstanceFacts {
  /** Absent where the root is no volume of EBS. */
  readonly rootVolumeId?: string
  readonly volumes: readonly { readonly volumeId: string; readonly deviceName: string }[]
  readonly networkInterfaces: number
}

/** How much can be attached to instances of a type. */
export interface AttachmentLimit {
  readonly attachmentsMax: number
  /** With network interfaces and instance store, each of which counts. */
  readonly shared: boolean
}

export type Ec2Tags = Readonly<Record<string, string>>

export interface EbsSnapshot {
  readonly snapshotId: string
  /** What it is a snapshot of. */
  readonly volumeId: string
  /** `pending`, `completed`, `error`, … */
  readonly state: string
  /** Why it failed; or how far it is, as EC2 has it: `42%`. */
  readonly detail: string
  readonly startedAt: Date
  readonly tags: Ec2Tags
}

/** What a volume is, whoever has it attached. */
export interface EbsMakeup {
  readonly sizeGiB: number
  /** `gp3`, … */
  readonly type: string
  readonly encrypted: boolean
  /** ARN of the key that it is encrypted with. */
  readonly kmsKeyId?: string
  readonly iops?: number
  /** Each second. */
  readonly throughputMiB?: number
}

export interface EbsVolume {
  readonly volumeId: string
  /** `creating`, `available`, `in-use`, `deleting`, `error`, … */
  readonly state: string
  readonly createdAt: Date
  readonly attachment?: { readonly instanceId: string; readonly deviceName: string; readonly state: string }
  /** Absent where EC2 does not say. */
  readonly makeup?: EbsMakeup
  readonly tags: Ec2Tags
}

/** All of these; at least one must be given. */
export interface Ec2Filter {
  readonly ids?: readonly string[]
  readonly tags?: Ec2Tags
}

/** Of all volumes of this instance at one moment, but for those that are left out. */
export interface SnapshotsRequest {
  readonly withoutRoot: boolean
  /** At most 40, without the root (API_InstanceSpecification). */
  readonly without: readonly string[]
  readonly tags: Ec2Tags
}

/** A volume in this instance's zone. */
export interface VolumeRequest {
  readonly snapshotId: string
  /** Asked twice with the same, EC2 makes one. At most 64 characters (API_CreateVolume). */
  readonly clientToken: string
  readonly tags: Ec2Tags
}

/** A copy of a volume in its zone, which can be attached at once. */
export interface CopyRequest {
  readonly sourceVolumeId: string
  readonly clientToken: string
  readonly tags: Ec2Tags
}

/**
 * What is tried without effect, to learn whether it is permitted. Policies go by tags: what would be done to something that
 * is not there yet cannot be tried.
 */
export type Ec2Trial =
  | { readonly action: 'CreateSnapshots'; readonly request: SnapshotsRequest }
  | { readonly action: 'CreateVolume'; readonly request: VolumeRequest }
  | { readonly action: 'CopyVolumes'; readonly request: CopyRequest }
  | { readonly action: 'DeleteSnapshot'; readonly snapshotId: string }

export interface Ec2CallOptions {
  /** How long one attempt may take, and no other follows it. */
  readonly onceWithinSeconds?: number
}

/**
 * EC2 as the agent uses it, for the instance that it runs on. All calls throw AgentError only; `ec2ErrorCode` knows what EC2
 * called it.
 */
export interface Ec2 {
  readonly instance: InstanceIdentity
  describeInstance(signal: AbortSignal): Promise<InstanceFacts>
  /** @returns undefined where EC2 does not say */
  describeAttachmentLimit(signal: AbortSignal): Promise<AttachmentLimit | undefined>
  /** One attempt: it has no token, so that another one may make a second set. Whoever calls looks for the first by its tags. */
  createSnapshots(
    request: SnapshotsRequest,
    signal: AbortSignal,
    options?: Ec2CallOptions,
  ): Promise<readonly EbsSnapshot[]>
  describeSnapshots(filter: Ec2Filter, signal: AbortSignal): Promise<readonly EbsSnapshot[]>
  deleteSnapshot(snapshotId: string, signal: AbortSignal): Promise<void>
  createVolume(request: VolumeRequest, signal: AbortSignal): Promise<EbsVolume>
  copyVolume(request: CopyRequest, signal: AbortSignal, options?: Ec2CallOptions): Promise<EbsVolume>
  describeVolumes(filter: Ec2Filter, signal: AbortSignal): Promise<readonly EbsVolume[]>
  /** To this instance. */
  attachVolume(volumeId: string, deviceName: string, signal: AbortSignal): Promise<void>
  detachVolume(volumeId: string, signal: AbortSignal): Promise<void>
  /** Has what is attached there go with the instance. */
  setDeleteOnTermination(deviceName: string, signal: AbortSignal): Promise<void>
  deleteVolume(volumeId: string, signal: AbortSignal): Promise<void>
  /** @returns unknown where EC2 looked at something else first */
  tryOut(trial: Ec2Trial, signal: AbortSignal): Promise<'permitted' | 'denied' | 'unknown'>
}

/**
 * What the agent, the CDK app and the SSM documents have to agree on: object keys, exit statuses, marks on the host.
 * Imports nothing, so that each of them can import it.
 */

/** Exit statuses are an API. Never 137, 168, 169 or 194: the SSM agent gives those meanings of its own. */
export const ExitStatus = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Some volumes failed, some entries could not be restored, or some runs not be searched: the rest is good. */
  incomplete: 3,
  /** The backup is safe, something of it was left behind on the host. */
  cleanupFailed: 4,
  waitingForGlacier: 5,
  /** Another run holds the lock. */
  busy: 11,
  interrupted: 130,
} as const
export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus]

/** First path components of the keys in the bucket. Lifecycle rules, policies and the agent hang on these. */
export const Prefix = {
  data: 'data',
  catalogs: 'catalogs',
  manifests: 'manifests',
  /** What hosts found: their word, as everything that they write. */
  verifications: 'verifications',
  /** What operators found. No host may write here. */
  verdicts: 'verdicts',
  /** What restores on trial came to. No host may write here. */
  drills: 'drills',
  /** What the auditor keeps for itself; no host may read it, since it tells of all of them. */
  fleet: 'fleet',
  /** What the auditor tells people; no host may read it either. */
  reports: 'reports',
  agent: 'agent',
} as const

/** What the auditor keeps of what it has seen: manifests do not change, and are read once. */
export const FLEET_STATE_KEY = `${Prefix.fleet}/state.jsonl.zst`
/**
 * Tag of an object that newer good runs have made dispensable. Nothing expires without it, whatever its age, and only the
 * auditor may set it.
 */
export const SUPERSEDED_TAG = { key: 'snapstream-superseded', value: 'yes' } as const

/** The tag every snapshot of ours bears, and the prefix of its name. Nothing without it is ever removed. */
export const SNAPSHOT_TAG = 'snapstream'
export const SNAPSHOT_NAME_PREFIX = 'snapstream_'
/** Prefix of the tag that says which run took a snapshot: `snapstream.run=<run>`. */
export const RUN_TAG_PREFIX = 'snapstream.run='
/**
 * Prefix of the tags that name a snapshot's unfinished uploads, so that a host that may not list the bucket can abort
 * what a killed run left there.
 */
export const UPLOAD_TAG_PREFIX = 'snapstream.upload='
/** A logical volume with this tag is never backed up. */
export const SKIP_TAG = 'snapstream.skip'
/** A file for each run that has begun to make snapshots in EBS, until none of what it made needs to go any more. */
export const EBS_RUNS_DIRECTORY = '/var/lib/snapstream/ebs-runs'

/**
 * Keys of the tags of what a host makes in EC2. It bears the first three from its creation on, since a host may tag nothing
 * later; policies hang on them.
 */
export const Ec2Tag = {
  /** The instance's ARN: whoever has another ARN may neither use nor delete it. */
  host: 'snapstream:host',
  run: 'snapstream:run',
  /** From when on nobody needs it any more, as ISO 8601. */
  expires: 'snapstream:expires',
  /** On a volume that an instance may clone, the instance's ARN; no host can set it. Never `host`: that one may be deleted. */
  source: 'snapstream:source',
} as const

export const MOUNT_ROOT = '/run/snapstream'
export const LOCK_FILE = '/run/snapstream.lock'
/** The kernel's door to LVM's devices: one for all containers that can reach them, while each may have a /run of its own. */
export const SHARED_LOCK_FILE = '/dev/mapper/control'
/** Where drills restore, unless another directory is named. */
export const SCRATCH_DIRECTORY = '/var/lib/snapstream/drills'
export const CONFIG_FILE = '/etc/snapstream/config.json'
export const HOOKS_DIRECTORY = '/etc/snapstream/hooks.d'
/** Which part of each volume `--sample` compares next. Where it is lost, the first part comes again: nothing hangs on it. */
export const SAMPLES_FILE = '/var/lib/snapstream/samples.json'

/**
 * Unfinished uploads of volumes whose snapshot cannot remember them: `<source>/<run>/<volume>.jsonl`. Where they are lost, the
 * bucket's lifecycle rule ends the uploads some days later: nothing else hangs on them.
 */
export const UPLOADS_DIRECTORY = '/var/lib/snapstream/uploads'

/** Names by which directories are left out: none that tar would print in another way, nor one that leads elsewhere. */
export const TAG_PATTERN = '^[.]?[A-Za-z0-9_@~][A-Za-z0-9_.@~+-]{0,250}$'

/** Retention classes become a key component, a lifecycle filter and a parameter of an SSM document. */
export const CLASS_PATTERN = '^[a-z0-9][a-z0-9-]{0,31}$'
export const DEFAULT_CLASS = 'daily'

/** `YYYYMMDDTHHMMSSZ-` and six random characters: sorts by time, and two hosts never share one. */
export const RUN_PATTERN = '^[0-9]{8}T[0-9]{6}Z-[a-z0-9]{6}$'

/** As AWS and other S3 servers name theirs: becomes part of host names, and of hosts' ARNs. */
export const REGION_PATTERN = '^[a-z0-9][a-z0-9-]{1,31}$'

/** The longest that Systems Manager lets a command run, and so the longest that any run takes. */
export const RUN_SECONDS_MAX = 48 * 3600

/** What snapshots can be taken by. A test holds it against the sources that there are. */
export const SNAPSHOT_SOURCES = ['lvm', 'ebs', 'quiet'] as const
export type SnapshotSourceName = (typeof SNAPSHOT_SOURCES)[number]

/** How far archives can be verified, from least to most: each proves what the ones before it prove. */
export const DEPTHS = ['none', 'checksum', 'stream', 'source'] as const

/** A run of a host: where all its objects lie. */
export interface RunKey {
  /** Retention class. */
  readonly class: string
  /** The instance's ARN, or the name given by `--host`. */
  readonly host: string
  readonly run: string
}

export type Compression = 'zstd' | 'none'

/**
 * The key of an archive's segment: the first has no suffix, so that an archive of one segment is a plain file.
 *
 * @param volume - name of the volume, for example `vg0-home`
 * @param segment - 0 for the first
 */
export function dataKey(runKey: RunKey, volume: string, compression: Compression, segment: number): string {
  const extension = compression === 'zstd' ? 'tar.zst' : 'tar'
  const suffix = segment === 0 ? '' : `.${String(segment).padStart(3, '0')}`
  return `${Prefix.data}/${runKey.class}/${runKey.host}/${runKey.run}/${volume}.${extension}${suffix}`
}

export function catalogKey(runKey: RunKey, volume: string): string {
  return `${Prefix.catalogs}/${runKey.class}/${runKey.host}/${runKey.run}/${volume}.jsonl.zst`
}

/** Of a differential archive: the names that the base has and the volume no longer had. */
export function removedKey(runKey: RunKey, volume: string): string {
  return `${Prefix.catalogs}/${runKey.class}/${runKey.host}/${runKey.run}/${volume}.removed.zst`
}

export function manifestKey(runKey: RunKey): string {
  return `${Prefix.manifests}/${runKey.class}/${runKey.host}/${runKey.run}.json`
}

/**
 * Where what a verification found is recorded.
 *
 * @param time - `YYYYMMDDTHHMMSSZ`
 */
export function verificationKey(
  prefix: typeof Prefix.verifications | typeof Prefix.verdicts,
  runKey: RunKey,
  time: string,
): string {
  return `${prefix}/${runKey.class}/${runKey.host}/${runKey.run}/${time}.json`
}

/**
 * Where what a drill came to is recorded.
 *
 * @param time - `YYYYMMDDTHHMMSSZ`
 */
export function drillKey(runKey: RunKey, time: string): string {
  return `${Prefix.drills}/${runKey.class}/${runKey.host}/${runKey.run}/${time}.json`
}

/** The run whose drill this key is of, or undefined where it is no drill's key. */
export function parseDrillKey(key: string): RunKey | undefined {
  return DRILL_KEY.exec(key)?.groups as RunKey | undefined
}

/** Storage classes of which nothing can be read before it is retrieved. GLACIER_IR is none of them. */
export const ARCHIVE_STORAGE_CLASSES: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE'])

/** S3's names of the tiers, by ours. */
export const RETRIEVAL_TIERS = { bulk: 'Bulk', standard: 'Standard', expedited: 'Expedited' } as const

export type RetrievalTier = keyof typeof RETRIEVAL_TIERS

/** The run whose manifest this key is, or undefined where it is no manifest's key. */
export function parseManifestKey(key: string): RunKey | undefined {
  return MANIFEST_KEY.exec(key)?.groups as RunKey | undefined
}

/** An instance's ARN, or a name that is safe in a key, in a policy and in a file name. */
export const HOST_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$'
/** A pattern to be part of another one. */
export function withoutAnchors(pattern: string): string {
  return pattern.replace(/^\^|\$$/g, '')
}

const MANIFEST_KEY = new RegExp(
  `^${Prefix.manifests}/(?<class>${withoutAnchors(CLASS_PATTERN)})/(?<host>.+)/(?<run>${withoutAnchors(RUN_PATTERN)})\\.json$`,
)
const DRILL_KEY = new RegExp(
  `^${Prefix.drills}/(?<class>${withoutAnchors(CLASS_PATTERN)})/(?<host>${withoutAnchors(HOST_PATTERN)})/(?<run>${withoutAnchors(RUN_PATTERN)})/[0-9]{8}T[0-9]{6}Z\\.json$`,
)

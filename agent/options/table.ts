/**
 * Every option, as data. Flags, environment variables, fields of the configuration file, help and, with the table of
 * commands, the types of the requests all come from here.
 *
 * One name makes all four: `snapshotSize` is `--snapshot-size`, `SNAPSTREAM_SNAPSHOT_SIZE` and `"snapshotSize"`.
 * In requests, sizes are in bytes and times in seconds.
 */
import {
  CLASS_PATTERN,
  CONFIG_FILE,
  DEFAULT_CLASS,
  DEPTHS,
  HOOKS_DIRECTORY,
  HOST_PATTERN,
  REGION_PATTERN,
  RUN_PATTERN,
  TAG_PATTERN,
  RUN_SECONDS_MAX,
  RETRIEVAL_TIERS,
  SCRATCH_DIRECTORY,
  type RetrievalTier,
} from '../contract'
import { absolutePath, anyPath, GLOB_GRAMMAR, metricsPath, sourceChoice, volumeName } from './paths'
import {
  choice,
  duration,
  timestamp,
  listOf,
  fraction,
  size,
  snapshotSize,
  text,
  boolean,
  wholeNumber,
  type OptionType,
} from './types'

/**
 * @template V - of requests
 * @template Written - how JSON has it
 */
export interface Option<V, Written = unknown> {
  readonly summary: string
  readonly type: OptionType<unknown, unknown, Written>
  /** The value where nobody gave any. */
  readonly default: V
  /** The default as a person would write it. */
  readonly defaultText?: string
}

export function option<T, Absent, W>(summary: string, type: OptionType<T, Absent, W>): Option<T | Absent, W> {
  return { summary, type, default: type.absent }
}

export function optionWithDefault<T, W>(
  summary: string,
  type: OptionType<T, undefined, W>,
  defaultText: string,
): Option<T, W> {
  return { summary, type, default: type.schema.parse(type.fromText(defaultText)), defaultText }
}

/** Bucket names and access point aliases (S3 user guide, "General purpose bucket naming rules"). */
const BUCKET_PATTERN = '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$'
const ENDPOINT_PATTERN = '^https?://[^\\s/@?#]+(/[^\\s@?#]*)?$'
const ENDPOINT_GRAMMAR = 'https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~/-]*)?'
const ROLE_PATTERN = '^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\\w+=,.@/-]{1,512}$'
const PING_PATTERN = '^https?://[^\\s/@?#]+(/[^\\s@?#]*)?(\\?[^\\s@#]*)?$'
/** S3's storage classes that a multipart upload in a general purpose bucket can be put in. */
const STORAGE_CLASSES = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
] as const
/** Below this an 8 MiB part takes longer than S3 and proxies keep an idle connection. */
const BANDWIDTH_BYTES_MIN = 64 * 1024
/** Applications are held while hooks run: DLM allows its scripts no more either. */
const HOOK_SECONDS_MAX = 600
/** What a backup archives where nobody says. */
const DEFAULT_LEVEL = 'full'
const FULL_EVERY_SECONDS_MAX = 365 * 86_400
/** Once, `--level` was that of the compression. */
const COMPRESSION_LEVEL_HINTS = Object.fromEntries(
  Array.from({ length: 19 }, (_, index) => [String(index + 1), 'The level of the compression is --compression-level.']),
)

export const OPTIONS = {
  bucket: option(
    'bucket that holds the backups',
    text('NAME', BUCKET_PATTERN, 'the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens'),
  ),
  class: optionWithDefault(
    'retention class, which decides how long a backup is kept, and where',
    text('NAME', CLASS_PATTERN, 'up to 32 lower-case letters, digits and hyphens'),
    DEFAULT_CLASS,
  ),
  host: option(
    "name of the host in the bucket (by default the instance's ARN)",
    text('NAME', HOST_PATTERN, "an instance's ARN, or letters, digits, dots, hyphens and underscores"),
  ),
  run: option(
    'the run, as "snapstream list" shows it',
    text('RUN', RUN_PATTERN, 'the name of a run such as 20260131T020000Z-k3xw7a'),
  ),
  at: option('the newest run that had started by this time (UTC unless it has an offset)', timestamp),
  pattern: option(
    'shell pattern, matched against names, or against whole paths if it starts with a slash; "**" crosses directories',
    text('PATTERN', '^[^\\0]+$', 'a pattern', GLOB_GRAMMAR),
  ),
  path: option('restore only this file or directory, by its path on the host', listOf(anyPath, '\n')),
  target: option('directory to restore into; it stands for the root of the host that was backed up', absolutePath),
  mountAt: optionWithDefault('where to mount the new volumes during the restore', absolutePath, '/mnt/snapstream'),
  disk: option(
    'a new disk in place of an old one, such as /dev/sdb=/dev/nvme1n1',
    listOf(
      text(
        'OLD=NEW',
        '^/dev/[^=\\0]+=/dev/[^=\\0]+$',
        'two devices, such as /dev/sdb=/dev/nvme1n1',
        '/dev/[A-Za-z0-9._/+-]+=/dev/[A-Za-z0-9._/+-]+',
      ),
      ',',
    ),
  ),
  script: option('write the plan as a script to this new file', absolutePath),
  launchTemplate: option(
    'write an EC2 launch template for an instance like the lost one, as JSON, to this new file',
    absolutePath,
  ),
  inPlace: option('restore to the original place, on this host', boolean),
  stdout: option('print one file to standard output', boolean),
  onConflict: optionWithDefault(
    'what to do about files that already exist; newer: replace those older than the backup',
    choice('WHAT', ['fail', 'skip', 'overwrite', 'newer']),
    'fail',
  ),
  resume: option('continue an interrupted restore: keep what is already there and equal', boolean),
  bestEffort: option('restore what can be read of a damaged archive; reads everything twice', boolean),
  includeDeleted: option('also find and read deleted backups, as long as the bucket has a version of them', boolean),
  hosts: option('instead of runs, list the hosts that have any, and the newest run of each', boolean),
  debris: option('instead of runs, list objects without a manifest, and unfinished uploads', boolean),
  trustTimes: option(
    "believe the time in the names of runs, not S3's: for a bucket that was copied, or objects brought back by copying",
    boolean,
  ),
  thaw: option(
    'retrieve archives from Glacier: bulk is slow and cheap, the others are faster',
    choice('TIER', Object.keys(RETRIEVAL_TIERS) as [RetrievalTier, ...RetrievalTier[]]),
  ),
  days: optionWithDefault('for how many days retrieved archives stay readable', wholeNumber(1, 365), '7'),
  wait: option('wait for the retrieval instead of ending with status 5', boolean),
  source: option(
    'what takes the snapshots: lvm, ebs, quiet (reads small filesystems without one), or auto, the best for each; ' +
      '/mount=SOURCE decides for one filesystem',
    listOf(sourceChoice, ','),
  ),
  freeze: option(
    'with ebs: freeze the filesystems that hold data while their snapshot begins; never /, nor what the agent or SSM writes to',
    boolean,
  ),
  ebsKeepLast: optionWithDefault(
    'with ebs: keep the last snapshot of each EBS volume, so that the next one only has to copy what changed',
    choice('ANSWER', ['yes', 'no']),
    'yes',
  ),
  ebsEngine: optionWithDefault(
    'with ebs: read from volumes made of a snapshot, or from direct copies (clone), which are there sooner; where EC2 ' +
      'refuses those, of a snapshot all the same',
    choice('ENGINE', ['snapshot', 'clone']),
    'snapshot',
  ),
  volume: option('only the volumes with these mount points or names', listOf(volumeName, ',')),
  volumes: option('back up only the volumes with these mount points', listOf(absolutePath, ',')),
  excludeVolumes: option('back up all volumes except those with these mount points', listOf(absolutePath, ',')),
  exclude: option(
    'leave out paths that match this pattern: /var/cache/* only there, *.tmp anywhere',
    listOf(text('GLOB', '^[^\\0]+$', 'a pattern', GLOB_GRAMMAR), '\n'),
  ),
  excludeCaches: option(
    'leave out what is in directories that a CACHEDIR.TAG marks as caches; no filesystem may be one itself',
    boolean,
  ),
  excludeIfPresent: option(
    'leave out what is in directories that have a file or directory of this name, such as .nobackup; no filesystem may have one itself',
    listOf(text('NAME', TAG_PATTERN, 'a name of letters, digits and . _ - + @ ~'), ','),
  ),
  requireAll: option(
    'end with status 3 if a filesystem on disk is not backed up because no snapshot of it can be taken',
    boolean,
  ),
  limit: optionWithDefault('show at most this many', wholeNumber(1, 100_000), '20'),
  probeUpload: option(
    'also complete an upload of two parts as a backup does, to see whether the server confirms it; the 5 MiB object ' +
      'stays below data/ until its class expires, since hosts may not delete anything',
    boolean,
  ),
  dryRun: option('show what would be done, and change nothing', boolean),
  storageClass: option("S3 storage class of the archives (by default the bucket's)", choice('CLASS', STORAGE_CLASSES)),
  compression: optionWithDefault('compression of the archives', choice('KIND', ['zstd', 'none']), 'zstd'),
  compressionLevel: optionWithDefault('zstd level: higher is smaller and slower', wholeNumber(1, 19), '3'),
  level: optionWithDefault(
    'what to archive: all of each volume (full), what is new or changed since its last full archive (differential), or that as long as ' +
      'it serves (auto); where no differential archive can be made it is a full one, and the summary says why',
    choice('LEVEL', ['full', 'differential', 'auto'], COMPRESSION_LEVEL_HINTS),
    DEFAULT_LEVEL,
  ),
  fullEvery: optionWithDefault(
    'with --level auto or differential: make a full archive of a volume where its last one would be older than this',
    duration(FULL_EVERY_SECONDS_MAX, 'a time from 1h to 365d, such as 7d', 3600),
    '7d',
  ),
  snapshotSize: optionWithDefault(
    'space reserved in each thick snapshot for changes to its volume',
    snapshotSize,
    'auto',
  ),
  preHook: option(`run this before the snapshots, after those in ${HOOKS_DIRECTORY}/pre`, listOf(absolutePath, '\n')),
  postHook: option(`run this after the snapshots, before those in ${HOOKS_DIRECTORY}/post`, listOf(absolutePath, '\n')),
  onHookFailure: optionWithDefault(
    'what to do when a hook fails: give up, or continue with a crash-consistent backup',
    choice('WHAT', ['abort', 'continue']),
    'abort',
  ),
  hookTimeout: optionWithDefault(
    'how long each hook may take',
    duration(HOOK_SECONDS_MAX, 'a time from 1s to 10m'),
    '60s',
  ),
  parallel: optionWithDefault('volumes archived at a time', wholeNumber(1, 16), '2'),
  bandwidthLimit: option(
    'upload at most this much per second, all volumes together',
    size(BANDWIDTH_BYTES_MIN, 'a size per second of at least 64K, such as 50M'),
  ),
  nice: option('lower the CPU priority by this much', wholeNumber(0, 19)),
  verify: optionWithDefault(
    "check the archives before the run counts: by S3's own checksum, by reading everything back, or by comparing that with the snapshot",
    choice('DEPTH', DEPTHS),
    'checksum',
  ),
  sample: option(
    'with --verify source: compare only this fraction of each volume, and the next part in the next run; "1/7" compares everything within seven runs',
    fraction,
  ),
  depth: optionWithDefault(
    "how deep to check: by S3's own checksum, or by reading everything back",
    choice('DEPTH', ['checksum', 'stream'], {
      source:
        'The source of a backup is gone with its snapshot: compare them during the backup, with "snapstream backup --verify source".',
    }),
    'stream',
  ),
  deadline: option(
    'stop and clean up after this time; volumes that a backup has finished by then are published',
    duration(RUN_SECONDS_MAX, 'a time from 1s to 48h, such as 3h'),
  ),
  roleArn: option(
    'role to assume before anything is read, such as the driller role of the backup stack',
    text(
      'ARN',
      ROLE_PATTERN,
      "a role's ARN such as arn:aws:iam::111122223333:role/Driller",
      'arn:aws[a-z-]{0,16}:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}',
    ),
  ),
  share: option(
    'restore only this fraction of each volume, whichever part it happens to be: "1/7"; everything if not given',
    fraction,
  ),
  scratch: optionWithDefault(
    'directory in which a drill restores, and removes all of it afterwards; only root may be able to write to it',
    absolutePath,
    SCRATCH_DIRECTORY,
  ),
  checkScript: option(
    'executable to run with the directory that was restored, which stands for the root of the host: status 0 if all is well',
    absolutePath,
  ),
  checkTimeout: optionWithDefault(
    'how long the check script may take',
    duration(RUN_SECONDS_MAX, 'a time from 1s to 48h, such as 30m'),
    '1h',
  ),
  pingUrl: option(
    'tell this URL when the command starts (/start appended), succeeds, or does not (/fail), as healthchecks.io takes it; ' +
      'whoever knows the URL can do so too: set it in the configuration file',
    {
      ...text('URL', PING_PATTERN, 'a URL such as https://hc-ping.com/UUID, without credentials', ENDPOINT_GRAMMAR),
      isSecret: true,
    },
  ),
  metricsFile: option(
    'write what became of the backup to this file, for the textfile collector of Prometheus: its name has to end in .prom',
    metricsPath,
  ),
  region: option(
    "region of the bucket (by default AWS_REGION, then the instance's)",
    text('REGION', REGION_PATTERN, 'the name of a region such as eu-west-1'),
  ),
  endpointUrl: option(
    'S3 endpoint, if it is not that of AWS (by default AWS_ENDPOINT_URL_S3)',
    text('URL', ENDPOINT_PATTERN, 'a URL such as https://s3.example.net, without credentials', ENDPOINT_GRAMMAR),
  ),
  ec2EndpointUrl: option(
    'EC2 endpoint, if it is not that of AWS (by default AWS_ENDPOINT_URL_EC2)',
    text('URL', ENDPOINT_PATTERN, 'a URL such as https://ec2.example.net, without credentials', ENDPOINT_GRAMMAR),
  ),
  json: option('print one line of JSON and nothing else', boolean),
  logLevel: option(
    'what to report on standard error (by default info on a terminal, warn elsewhere)',
    choice('LEVEL', ['debug', 'info', 'warn', 'error']),
  ),
  config: optionWithDefault('configuration file', absolutePath, CONFIG_FILE),
} as const satisfies Record<string, Option<unknown>>

export type OptionName = keyof typeof OPTIONS
/** The value of an option as the configuration file and the schedules of a deployment have it. */
export type Written<K extends OptionName> = (typeof OPTIONS)[K] extends Option<unknown, infer W> ? W : never
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[]

/** `snapshotSize` -> `--snapshot-size` */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

export const VARIABLE_PREFIX = 'SNAPSTREAM_'

/** `snapshotSize` -> `SNAPSTREAM_SNAPSHOT_SIZE` */
export function variableOf(name: string): string {
  return `${VARIABLE_PREFIX}${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

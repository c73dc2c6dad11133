/** Every command, as data, and what each can be asked to do. */
import type { Command as ProgramCommand } from './program'
import type { OptionName, OPTIONS } from './table'

/** Every command has these. */
export const COMMON = ['bucket', 'host', 'region', 'endpointUrl', 'json', 'logLevel', 'config'] as const
/** What decides on the snapshots of a host. */
const SNAPSHOTS = [
  'class',
  'volumes',
  'excludeVolumes',
  'source',
  'snapshotSize',
  'freeze',
  'ebsKeepLast',
  'ebsEngine',
  'ec2EndpointUrl',
  'preHook',
  'postHook',
] as const

export const COMMANDS = {
  preflight: {
    summary: 'check that this host can be backed up, and say how to fix what is missing',
    options: [...COMMON, ...SNAPSHOTS, 'probeUpload'],
    required: ['bucket'],
    withoutDefault: [],
    needsRoot: false, // it says so itself, beside all else that is missing
  },
  backup: {
    summary: 'snapshot the volumes of this host and stream them to the bucket',
    options: [
      ...COMMON,
      ...SNAPSHOTS,
      'exclude',
      'excludeCaches',
      'excludeIfPresent',
      'requireAll',
      'dryRun',
      'storageClass',
      'compression',
      'compressionLevel',
      'level',
      'fullEvery',
      'onHookFailure',
      'hookTimeout',
      'parallel',
      'bandwidthLimit',
      'nice',
      'verify',
      'sample',
      'deadline',
      'pingUrl',
      'metricsFile',
    ],
    required: ['bucket'],
    withoutDefault: [],
    needsRoot: true,
  },
  verify: {
    summary: 'check the archives of a run in the bucket',
    options: [...COMMON, 'class', 'run', 'volume', 'depth', 'includeDeleted', 'trustTimes'],
    required: ['bucket', 'run'],
    withoutDefault: ['class'],
    needsRoot: false,
  },
  list: {
    summary: 'list the runs of a host, newest first, or the hosts that have any',
    options: [...COMMON, 'class', 'limit', 'hosts', 'debris', 'includeDeleted', 'trustTimes'],
    required: ['bucket'],
    withoutDefault: ['class'],
    needsRoot: false,
  },
  find: {
    summary: 'find files in the backups of a host, by name and over time',
    options: [...COMMON, 'pattern', 'class', 'run', 'at', 'volume', 'limit', 'includeDeleted', 'trustTimes'],
    argument: 'pattern',
    required: ['bucket', 'pattern'],
    withoutDefault: ['class'],
    needsRoot: false,
  },
  restore: {
    summary: 'restore volumes, directories or files',
    options: [
      ...COMMON,
      'class',
      'run',
      'at',
      'volume',
      'path',
      'target',
      'inPlace',
      'stdout',
      'onConflict',
      'resume',
      'bestEffort',
      'includeDeleted',
      'trustTimes',
      'thaw',
      'days',
      'wait',
      'dryRun',
      'deadline',
    ],
    required: ['bucket'],
    withoutDefault: ['class'],
    needsRoot: true,
  },
  'restore-plan': {
    summary: 'plan the rebuild of a whole host on empty disks, to be read before it is run',
    options: [
      ...COMMON,
      'class',
      'run',
      'at',
      'disk',
      'mountAt',
      'script',
      'launchTemplate',
      'includeDeleted',
      'trustTimes',
    ],
    required: ['bucket'],
    withoutDefault: ['class'],
    needsRoot: false,
  },
  'restore-status': {
    summary: 'show whether the archives of a run can be read now, or are in Glacier',
    options: [...COMMON, 'class', 'run', 'at', 'volume', 'includeDeleted', 'trustTimes'],
    required: ['bucket'],
    withoutDefault: ['class'],
    needsRoot: false,
  },
  drill: {
    summary:
      'restore a run on trial: of the host that the flag --host names, or else, whatever this machine is called, of the one whose last drill is the longest ago',
    options: [
      ...COMMON,
      'roleArn',
      'class',
      'run',
      'volume',
      'path',
      'share',
      'scratch',
      'checkScript',
      'checkTimeout',
      'trustTimes',
      'deadline',
      'pingUrl',
    ],
    required: ['bucket'],
    withoutDefault: [],
    needsRoot: true,
  },
  cleanup: {
    summary: 'remove what killed runs left behind on this host',
    options: [...COMMON, 'class', 'ec2EndpointUrl', 'scratch', 'dryRun'],
    required: ['bucket'],
    withoutDefault: [],
    needsRoot: true,
  },
} as const satisfies Record<string, Command>

/** A command of the agent. */
export interface Command extends ProgramCommand<OptionName> {
  readonly needsRoot: boolean
}

export type CommandName = keyof typeof COMMANDS
export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[]

type Value<K extends OptionName> = (typeof OPTIONS)[K]['default']

/** What a command was asked to do: a value for each of its options, checked and converted. */
export type Request<C extends CommandName> = { readonly command: C } & {
  readonly [K in (typeof COMMANDS)[C]['options'][number]]: K extends (typeof COMMANDS)[C]['required'][number]
    ? Exclude<Value<K>, undefined>
    : K extends (typeof COMMANDS)[C]['withoutDefault'][number]
      ? Value<K> | undefined
      : Value<K>
}

/** A request once main has found out which host it concerns: what commands are given. */
export type WithHost<R> = R & { readonly host: string }

export type PreflightRequest = Request<'preflight'>
export type BackupRequest = Request<'backup'>
export type VerifyRequest = Request<'verify'>
export type ListRequest = Request<'list'>
export type FindRequest = Request<'find'>
export type RestoreRequest = Request<'restore'>
export type RestorePlanRequest = Request<'restore-plan'>
export type RestoreStatusRequest = Request<'restore-status'>
export type DrillRequest = Request<'drill'>
export type CleanupRequest = Request<'cleanup'>
export type AnyRequest = { readonly [C in CommandName]: Request<C> }[CommandName]

/** What was given to find the bucket. */
export interface BucketOptions {
  readonly bucket: string
  readonly region?: string | undefined
  readonly endpointUrl?: string | undefined
}

/** As flags of a command that an operator is to run next: it needs all of them again. */
export function bucketFlags({ bucket, region, endpointUrl }: BucketOptions): string[] {
  return [
    ...['--bucket', bucket],
    ...(region === undefined ? [] : ['--region', region]),
    ...(endpointUrl === undefined ? [] : ['--endpoint-url', endpointUrl]),
  ]
}

/** Options of commands to hosts. Those that hosts are asked for are the agent's, so that they mean the same. */
import { EXECUTION_SECONDS_MIN } from './documents'
import { HOST_PATTERN, RUN_SECONDS_MAX } from '../../agent/contract'
import { option, OPTIONS as AGENT_OPTIONS, optionWithDefault, type Option } from '../../agent/options/table'
import { boolean, duration, listOf, text } from '../../agent/options/types'

/** Names of CloudFormation's stacks. */
const STACK_PATTERN = '^[A-Za-z][A-Za-z0-9-]{0,119}$'
/** As SendCommand takes them (API reference). */
const CONCURRENCY_PATTERN = '^([1-9][0-9]{0,6}|[1-9][0-9]?%|100%)$'
const ERRORS_PATTERN = '^(0|[1-9][0-9]{0,6}|[1-9]?[0-9]%|100%)$'
const COMMAND_ID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
/** Names of log groups in CloudWatch. */
const LOG_GROUP_PATTERN = '^[A-Za-z0-9._/#-]{1,512}$'
/** What SendCommand takes (API reference). */
const DELIVERY_SECONDS_MIN = 30
const DELIVERY_SECONDS_MAX = 30 * 24 * 3600

export const RUN_OPTIONS = {
  tag: option(
    'hosts that bear this tag; several keys: all of them, several values of one key: any of them',
    listOf(text('KEY=VALUE', '^[^\\p{Cc}]{1,512}$', 'a tag such as Backup=true'), ','),
  ),
  hosts: option(
    'these hosts: IDs of instances or managed nodes, or ARNs of instances; 50 at most',
    listOf(text('HOST', '^[^\\p{Cc}]{1,256}$', 'the ID of an instance such as i-0123456789abcdef0'), ','),
  ),
  stack: optionWithDefault(
    "the backup stack, which the documents are named after; of another stage, 'Snapstream-STAGE'",
    text('NAME', STACK_PATTERN, 'the name of a stack such as Snapstream'),
    'Snapstream',
  ),
  maxConcurrency: optionWithDefault(
    'hosts at the same time, as a number or a percentage',
    text('N', CONCURRENCY_PATTERN, 'a number such as 10, or a percentage such as 25%'),
    '25%',
  ),
  maxErrors: optionWithDefault(
    'failures after which no more hosts are started, as a number or a percentage',
    text('N', ERRORS_PATTERN, 'a number such as 10, or a percentage such as 100%'),
    '100%',
  ),
  deliveryTimeout: optionWithDefault(
    'how long a host may be out of reach before the command is given up for it',
    duration(DELIVERY_SECONDS_MAX, 'a time from 30s to 720h', DELIVERY_SECONDS_MIN),
    '1h',
  ),
  executionTimeout: option(
    'how long each host may take (by default as its document says); the agent stops and cleans up some time before',
    duration(RUN_SECONDS_MAX, 'a time from 1m to 48h', EXECUTION_SECONDS_MIN),
  ),
  wait: option('follow the command until every host has ended; Ctrl-C leaves it running', boolean),
  logGroup: option(
    'log group of CloudWatch that gets all that hosts print, as they print it, and from which progress is read',
    text('NAME', LOG_GROUP_PATTERN, 'the name of a log group'),
  ),
  commandId: option(
    'the command, by the ID that it was sent with',
    text('COMMAND-ID', COMMAND_ID_PATTERN, 'the ID of a command, such as 01234567-89ab-cdef-0123-456789abcdef'),
  ),
  fromHost: option(
    "restore this host's backup (by default the host's own)",
    text('NAME', HOST_PATTERN, "an instance's ARN, or letters, digits, dots, hyphens and underscores"),
  ),
  run: AGENT_OPTIONS.run,
  depth: AGENT_OPTIONS.depth,
  at: AGENT_OPTIONS.at,
  volume: AGENT_OPTIONS.volume,
  path: AGENT_OPTIONS.path,
  target: AGENT_OPTIONS.target,
  inPlace: AGENT_OPTIONS.inPlace,
  onConflict: AGENT_OPTIONS.onConflict,
  thaw: AGENT_OPTIONS.thaw,
  days: AGENT_OPTIONS.days,
  resume: AGENT_OPTIONS.resume,
  bestEffort: AGENT_OPTIONS.bestEffort,
  includeDeleted: AGENT_OPTIONS.includeDeleted,
  dryRun: AGENT_OPTIONS.dryRun,
  storageClass: AGENT_OPTIONS.storageClass,
  volumes: AGENT_OPTIONS.volumes,
  excludeVolumes: AGENT_OPTIONS.excludeVolumes,
  source: AGENT_OPTIONS.source,
  freeze: AGENT_OPTIONS.freeze,
  verify: AGENT_OPTIONS.verify,
  sample: AGENT_OPTIONS.sample,
  bandwidthLimit: AGENT_OPTIONS.bandwidthLimit,
} as const satisfies Record<string, Option<unknown>>

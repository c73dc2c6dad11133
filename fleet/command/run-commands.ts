/** Commands to hosts, as data. What is not given is left to the document, so no default of the agent's holds here. */
import type { Command } from '../../agent/options/program'
import type { OptionName } from './table'

/** Where the command is sent, and how this program speaks. Hosts know the bucket by their document. */
const COMMON = ['region', 'json', 'logLevel', 'config'] as const
const TO_HOSTS = [
  'tag',
  'hosts',
  'stack',
  'maxConcurrency',
  'maxErrors',
  'deliveryTimeout',
  'wait',
  'logGroup',
] as const
const BACKUP = [
  ...(['class', 'volumes', 'excludeVolumes', 'source', 'freeze', 'verify', 'sample', 'storageClass'] as const),
  ...(['bandwidthLimit', 'dryRun'] as const),
] as const
const RESTORE = [
  ...(['fromHost', 'class', 'run', 'at', 'volume', 'path', 'target', 'inPlace', 'onConflict', 'thaw', 'days'] as const),
  ...(['resume', 'bestEffort', 'includeDeleted', 'dryRun'] as const),
] as const

const BY_HOST = 'by default as the host or its document says'

export const RUN_COMMANDS = {
  run: {
    summary: 'have hosts back up now',
    options: [...TO_HOSTS, ...BACKUP, 'executionTimeout', ...COMMON],
    required: [],
    withoutDefault: ['verify'],
    byDefault: BY_HOST,
  },
  verify: {
    summary: 'have a host verify one of its runs',
    options: [...TO_HOSTS, 'class', 'run', 'depth', 'executionTimeout', ...COMMON],
    required: ['run'],
    withoutDefault: ['depth'],
    byDefault: BY_HOST,
  },
  restore: {
    summary: 'have hosts restore volumes, directories or files, as root',
    options: [...TO_HOSTS, ...RESTORE, 'executionTimeout', ...COMMON],
    required: [],
    withoutDefault: ['onConflict', 'days'],
    byDefault: BY_HOST,
  },
  install: {
    summary: 'have hosts install the agent, in the version that the stack was deployed with',
    options: [...TO_HOSTS, ...COMMON],
    required: [],
    withoutDefault: [],
  },
  cleanup: {
    summary: 'have hosts remove what killed runs left behind on them',
    options: [...TO_HOSTS, 'dryRun', 'executionTimeout', ...COMMON],
    required: [],
    withoutDefault: [],
  },
  attach: {
    summary: 'follow a command that was sent before to its end',
    options: [...COMMON, 'commandId'],
    argument: 'commandId',
    required: ['commandId'],
    withoutDefault: [],
  },
  cancel: {
    summary: 'stop a command: hosts that have not begun will not, and where it runs the agent stops and cleans up',
    options: [...COMMON, 'commandId'],
    argument: 'commandId',
    required: ['commandId'],
    withoutDefault: [],
  },
} as const satisfies Record<string, Command<OptionName>>

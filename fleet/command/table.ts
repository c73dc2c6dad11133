/**
 * Every option of the operators' program, as data. As the agent's: one name makes the flag, the variable and the field of the
 * configuration file. Options that mean the same as the agent's are the agent's, so that a variable that is set for one
 * holds for the other.
 */
import { CLASS_PATTERN, REGION_PATTERN, RUN_PATTERN } from '../../agent/contract'
import { option, OPTIONS as AGENT_OPTIONS, optionWithDefault, type Option } from '../../agent/options/table'
import { absolutePath } from '../../agent/options/paths'
import { boolean, choice, listOf, text, wholeNumber } from '../../agent/options/types'
import { HOST_STATES } from '../model/records'
import { RUN_OPTIONS } from './run-table'

/** Where operators keep what they would give each time. The agent's file is another: it names programs that run as root. */
export const FLEET_CONFIG_FILE = '/etc/snapstream/fleet.json'

/** What an instance may be called, or a host: an ARN, an instance's id, its name, or a name that was given with `--host`. */
export const anyHost = text('HOST', '^[^\\p{Cc}]{1,256}$', "a host's name, an instance's id or an ARN")

const filePath = text('FILE', '^[^\\p{Cc}]{1,4096}$', 'the path of a file')
const className = text('NAME', CLASS_PATTERN, 'up to 32 lower-case letters, digits and hyphens')

export const OPTIONS = {
  bucket: AGENT_OPTIONS.bucket,
  region: option(
    "region of the bucket, or of the hosts that a command is sent to (by default AWS_REGION, then the instance's)",
    text('REGION', REGION_PATTERN, 'the name of a region such as eu-west-1'),
  ),
  endpointUrl: AGENT_OPTIONS.endpointUrl,
  class: option('retention class (by default all of them, or the one that a document is for)', className),
  host: option("the host: an instance's ARN, its id or its name; or what --host of the agent said", anyHost),
  only: option('only hosts in these states', listOf(choice('STATE', HOST_STATES), ',')),
  watch: option('look again each minute, until Ctrl-C', boolean),
  limit: optionWithDefault('show at most this many', wholeNumber(1, 100_000), '100'),
  inventory: optionWithDefault(
    'who ought to have backups: as the auditor last saw it, or by asking EC2 and Systems Manager now (ask)',
    choice('HOW', ['remember', 'ask']),
    'remember',
  ),
  html: option('write the page to this file', filePath),
  csv: option('write a table of the hosts to this file', filePath),
  prices: option('use the prices in this file instead of the list prices that are known', filePath),
  confirm: option('the host again, since this lets its last backups expire', anyHost),
  runs: option(
    'the earlier run and the later one, by name',
    listOf(text('RUN', RUN_PATTERN, 'the name of a run such as 20260131T020000Z-k3xw7a'), ','),
  ),
  list: option('write all changes to this new file, a line of JSON each', filePath),
  trustTimes: AGENT_OPTIONS.trustTimes,
  json: option('print one line of JSON and nothing else', boolean),
  logLevel: option(
    'what to report on standard error (by default warn)',
    choice('LEVEL', ['debug', 'info', 'warn', 'error']),
  ),
  config: optionWithDefault('configuration file', absolutePath, FLEET_CONFIG_FILE),
  ...RUN_OPTIONS,
} as const satisfies Record<string, Option<unknown>>

export type OptionName = keyof typeof OPTIONS

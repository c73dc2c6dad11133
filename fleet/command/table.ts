/**
 * Every option of the operators' program, as data. As the agent's: one name makes the flag, the variable and the field of the
 * configuration file. Options that mean the same as the agent's are the agent's, so that a variable that is set for one
 * holds for the other.
 */
import { CLASS_PATTERN } from '../../agent/contract'
import { option, OPTIONS as AGENT_OPTIONS, optionWithDefault, type Option } from '../../agent/options/table'
import { absolutePath } from '../../agent/options/paths'
import { boolean, choice, text } from '../../agent/options/types'

/** Where operators keep what they would give each time. The agent's file is another: it names programs that run as root. */
export const FLEET_CONFIG_FILE = '/etc/snapstream/fleet.json'

/** What an instance may be called, or a host: an ARN, an instance's id, its name, or a name that was given with `--host`. */
export const anyHost = text('HOST', '^[^\\p{Cc}]{1,256}$', "a host's name, an instance's id or an ARN")

const className = text('NAME', CLASS_PATTERN, 'up to 32 lower-case letters, digits and hyphens')

export const OPTIONS = {
  bucket: AGENT_OPTIONS.bucket,
  region: AGENT_OPTIONS.region,
  endpointUrl: AGENT_OPTIONS.endpointUrl,
  class: option('only this retention class', className),
  host: option("the host: an instance's ARN, its id or its name; or what --host of the agent said", anyHost),
  json: option('print one line of JSON and nothing else', boolean),
  logLevel: option(
    'what to report on standard error (by default warn)',
    choice('LEVEL', ['debug', 'info', 'warn', 'error']),
  ),
  config: optionWithDefault('configuration file', absolutePath, FLEET_CONFIG_FILE),
} as const satisfies Record<string, Option<unknown>>

export type OptionName = keyof typeof OPTIONS

/** The command line of the operators' program. */
import { PAGES as AGENT_PAGES } from '../../agent/pages'
import type { Program } from '../../agent/options/program'
import { COMMANDS, type CommandName } from './commands'
import { FLEET_CONFIG_FILE, OPTIONS, type OptionName } from './table'

export const FLEET: Program<CommandName, OptionName> = {
  name: 'snapstream-fleet',
  description: 'Shows which host has no good backup and why, and has hosts back up, verify and restore.',
  commands: COMMANDS,
  options: OPTIONS,
  pages: { fleet: "what the operators' program is for", ...AGENT_PAGES },
  configFile: FLEET_CONFIG_FILE,
  configExample: '{"bucket": "my-backups", "only": ["never", "failing"]}',
}

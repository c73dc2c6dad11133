import { printableLine } from '../../agent/lib/printable'

/** Time and level before a message of the agent's log. */
const PREFIX = /^\d{4}-\d\d-\d\dT[\d:.]+Z\s+(?:debug|info|warn|error)\s+/
const CHARACTERS_MAX = 60

/** What a line of a host's log says, for a row of a table. It is the host's word. */
export function progressOf(line: string): string {
  const text = printableLine(line.trim()).replace(PREFIX, '')
  return text.length <= CHARACTERS_MAX ? text : `${text.slice(0, CHARACTERS_MAX).toWellFormed()}…`
}

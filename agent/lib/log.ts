import { printableText } from './printable'
import type { Log } from '../context'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]

/** One line per message, with its time and level. Errors themselves are not logged but reported when all is over. */
export function createLog(level: LogLevel, now: () => Date, write: (line: string) => void): Log {
  const at = (own: LogLevel) => (message: string) => {
    if (LEVELS.indexOf(own) < LEVELS.indexOf(level)) return
    // A message may quote what a command printed; only its own line may begin with a time.
    write(`${now().toISOString()} ${own.padEnd(5)} ${printableText(message, '  ')}\n`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn') }
}

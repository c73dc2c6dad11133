import { isPrintable } from '../lib/printable'
import type { Argv } from '../context'

/** A command line as a person would type it, for messages and reports only. */
export function formatArgv(argv: Argv): string {
  return argv.map(formatWord).join(' ')
}

function formatWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return isPrintable(word) ? `'${word.replaceAll("'", `'\\''`)}'` : `$'${escape(word)}'`
}

/** As bash, zsh and ksh read it: each byte of what cannot be printed. */
function escape(word: string): string {
  return Array.from(word, (character) => {
    if (character === "'" || character === '\\') return `\\${character}`
    if (isPrintable(character)) return character
    // A terminal shows what was pasted: octal, since after \x a digit of the name would count.
    return Array.from(new TextEncoder().encode(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  }).join('')
}

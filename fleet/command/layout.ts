/** Text laid out for a terminal of so many characters a line. */
import { printableLine } from '../../agent/lib/printable'

/**
 * Words of a text in lines of at most so many characters, each after its indentation. A word that is longer has a line of
 * its own: whoever copies it gets all of it.
 *
 * @param first - what the first line begins with; the others are indented as far
 */
export function wrap(text: string, columns: number, first: string): string[] {
  const indent = ' '.repeat(first.length)
  const lines: string[] = []
  let line = first
  for (const word of printableLine(text).split(' ')) {
    if (line.length > indent.length && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = indent
    }
    line += `${line.length > indent.length ? ' ' : ''}${word}`
  }
  return [...lines, line]
}

/** A text within so many characters: of what is longer, the end is left out. */
export function cut(text: string, characters: number): string {
  const line = printableLine(text)
  return line.length <= characters ? line : `${line.slice(0, Math.max(0, characters - 1))}…`
}

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

/** Values as a line of bars, from nothing to the greatest of them. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values)
  const bar = (value: number) => BARS[most <= 0 ? 0 : Math.round((value / most) * (BARS.length - 1))] ?? ''
  return values.map(bar).join('')
}

/**
 * What hosts and files are called is for others to choose: control characters move a terminal's cursor, format characters
 * turn the direction of its text, and a newline would make a line that the agent did not write.
 */

/** Control and format characters, line and paragraph separators; and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** One line of output, whatever is in it. A line break within becomes ` | `. */
export function printableLine(text: string): string {
  return text
    .replaceAll(/\s*\n\s*/g, ' | ')
    .replaceAll('\t', ' ')
    .replaceAll(UNPRINTABLE, '?')
}

/** Text of several lines, such as what a command wrote. Lines after the first are marked, so that none passes for the agent's own. */
export function printableText(text: string, mark: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll('\t', ' ').replaceAll(UNPRINTABLE, '?'))
    .join(`\n${mark}`)
}

/** JSON in which everything that a terminal could act upon is escaped: parsed, it is the same. */
export function printableJson(value: object): string {
  // Outside of its strings, JSON has none of them; half characters are escaped by JSON.stringify already.
  return JSON.stringify(value).replaceAll(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.split('').map(escapeUnit).join(''),
  )
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Whether a text can become a word of a command, a path or a line as it is. */
export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0
}

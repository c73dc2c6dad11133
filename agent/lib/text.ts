import { printableLine } from './printable'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `1536` as `1.5 KiB`: binary units as LVM has them, one decimal below 100. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  const digits = power === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '')
  return `${digits} ${UNITS[power] ?? 'B'}`
}

/** Systems Manager's console shows 2,500 characters of a step's output; what matters fits well before (design limit). */
export const SUMMARY_CHARACTERS_MAX = 2000

/** `1 entry`, `2 entries` */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min` */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`
}

/** Rows of cells as indented lines, each column as wide as its widest cell. */
export function columns(given: readonly (readonly string[])[]): string[] {
  const rows = given.map((row) => row.map(printableLine))
  const widths = rows.reduce<number[]>((known, row) => row.map((cell, i) => Math.max(cell.length, known[i] ?? 0)), [])
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
}

/** A text of lines, each of which stays one line, whatever is in it. */
export function joinLines(lines: readonly string[]): string {
  return lines.map(printableLine).join('\n')
}

/** Keeps whole lines from the start, and the last one, within the limit; says how many were left out. */
export function fit(text: string, charactersMax = SUMMARY_CHARACTERS_MAX): string {
  if (text.length <= charactersMax) return text
  const lines = text.split('\n')
  if (lines.length === 1) return text.slice(0, charactersMax)
  const last = lines.at(-1) ?? ''
  const kept: string[] = []
  let length = last.length + '  … and 99999 more lines: all is in the JSON below\n'.length
  for (const line of lines.slice(0, -1)) {
    if (length + line.length + 1 > charactersMax) break
    kept.push(line)
    length += line.length + 1
  }
  return [...kept, `  … and ${lines.length - kept.length - 1} more lines: all is in the JSON below`, last]
    .join('\n')
    .slice(0, charactersMax)
}

/** `50 s`, `12 min`, `7 h`, `45 d`: one unit, rounded down. */
export function formatAge(time: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(time)) / 1000))
  if (Number.isNaN(seconds)) return '?'
  if (seconds < 120) return `${seconds} s`
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86400)} d`
}

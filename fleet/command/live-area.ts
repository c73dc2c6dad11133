/** Lines at the bottom of a terminal that are drawn again in their place. */
import type { Screen } from './context'
import type { Room } from './live-table'

/** Nothing is shown where there is no terminal. */
export interface LiveArea {
  readonly isShown: boolean
  readonly room: Room
  draw(lines: readonly string[]): void
  /** Takes away what was drawn. */
  clear(): void
}

const CLEAR_BELOW = '\x1b[J'

export function liveArea(screen: Screen): LiveArea {
  const { isTerminal } = screen
  let drawn = 0
  const upAndClear = () => `\r${drawn > 0 ? `\x1b[${drawn}A` : ''}${CLEAR_BELOW}`
  return {
    isShown: isTerminal,
    // As it is now: windows change.
    get room() {
      return { columns: screen.columns, rows: screen.rows }
    },
    draw(lines) {
      if (!isTerminal) return
      screen.write(`${upAndClear()}${lines.map((line) => `${line}\n`).join('')}`)
      drawn = lines.length
    },
    clear() {
      if (!isTerminal || drawn === 0) return
      screen.write(upAndClear())
      drawn = 0
    },
  }
}

import { printableLine } from './printable'
import { formatBytes, formatSeconds } from './text'
/** A terminal is redrawn this often. */
const REDRAW_MS = 250
const CLEAR_LINE = '\r\x1b[K'

export interface Progress extends Disposable {
  /** @param bytes - more of them are done */
  add(bytes: number): void
}

/** Where progress is shown, and messages between. */
export type Terminal = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>

/** Shows how far a transfer is, how fast, and how long it still takes; nothing where that is no terminal. */
export function showProgress(label: string, totalBytes: number, terminal: Terminal = process.stderr): Progress {
  const startedAt = performance.now()
  let doneBytes = 0
  let drawnAt = -Infinity
  return {
    add(bytes) {
      doneBytes += bytes
      const now = performance.now()
      if (!terminal.isTTY || now - drawnAt < REDRAW_MS) return
      drawnAt = now
      const rate = doneBytes / Math.max((now - startedAt) / 1000, 0.001)
      const left = Math.max(0, totalBytes - doneBytes) / Math.max(rate, 1)
      const percent = totalBytes === 0 ? 100 : Math.min(100, Math.floor((doneBytes / totalBytes) * 100))
      const line = `${printableLine(label)}  ${percent}%  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}  ${formatBytes(rate)}/s  ${formatSeconds(left)} left`
      terminal.write(`${CLEAR_LINE}${line.slice(0, (terminal.columns || 80) - 1)}`)
    },
    [Symbol.dispose]() {
      if (drawnAt > 0) terminal.write(CLEAR_LINE)
    },
  }
}

/** Writes a message in the place of the progress that may be shown, which is drawn anew below it. */
export function writeMessage(message: string, terminal: Terminal = process.stderr): void {
  terminal.write(terminal.isTTY ? `${CLEAR_LINE}${message}` : message)
}

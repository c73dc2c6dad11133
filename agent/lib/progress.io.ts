import { printableLine } from './printable'
import { formatBytes, formatSeconds } from './text'
/** A terminal is redrawn at most this often while bytes arrive, and each second while none do. */
const REDRAW_MS = 250
const STALL_REDRAW_MS = 1000
/** The rate is that of the last seconds: a stall, or a link that has become slow, is seen soon. */
const RATE_WINDOW_MS = 5000
const CLEAR_LINE = '\r\x1b[K'

export interface Progress extends Disposable {
  /** @param bytes - more of them are done */
  add(bytes: number): void
}

/** Where progress is shown, and messages between. */
export type Terminal = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>

/** Shows how far a transfer is, how fast, and how long it still takes; nothing where that is no terminal. */
export function showProgress(label: string, totalBytes: number, terminal: Terminal = process.stderr): Progress {
  if (!terminal.isTTY) return { add: () => undefined, [Symbol.dispose]: () => undefined }
  let doneBytes = 0
  let drawnAt = -Infinity
  let seen = [{ at: performance.now(), doneBytes }]
  const draw = (): void => {
    const now = performance.now()
    drawnAt = now
    const first = seen.findLast(({ at }) => at <= now - RATE_WINDOW_MS) ?? seen[0]
    const { at, doneBytes: before } = first ?? { at: now, doneBytes }
    seen = [...seen.filter((other) => other.at >= at), { at: now, doneBytes }]
    const rate = (doneBytes - before) / Math.max((now - at) / 1000, 0.001)
    const line = `${printableLine(label)}  ${formatProgress(doneBytes, totalBytes, rate)}`
    terminal.write(`${CLEAR_LINE}${line.slice(0, (terminal.columns || 80) - 1)}`)
  }
  const timer = setInterval(() => {
    if (performance.now() - drawnAt >= STALL_REDRAW_MS) draw()
  }, STALL_REDRAW_MS).unref()
  return {
    add(bytes) {
      doneBytes += bytes
      if (performance.now() - drawnAt >= REDRAW_MS) draw()
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      if (drawnAt > -Infinity) terminal.write(CLEAR_LINE)
    },
  }
}

function formatProgress(doneBytes: number, totalBytes: number, rate: number): string {
  const percent = totalBytes === 0 ? 100 : Math.min(100, Math.floor((doneBytes / totalBytes) * 100))
  const left = Math.max(0, totalBytes - doneBytes) / rate
  const time = left === 0 ? '' : rate < 1 ? '  stalled' : `  ${formatSeconds(left)} left`
  return `${percent}%  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}  ${formatBytes(rate)}/s${time}`
}

/** Writes a message in the place of the progress that may be shown until it is drawn again below it. */
export function writeMessage(message: string, terminal: Terminal = process.stderr): void {
  terminal.write(terminal.isTTY ? `${CLEAR_LINE}${message}` : message)
}

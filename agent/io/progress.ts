import { formatBytes } from '../plan/size'
import { formatSeconds } from '../plan/summary'

/** A terminal is redrawn this often. */
const REDRAW_MS = 250

export interface Progress extends Disposable {
  /** @param bytes - more of them are done */
  add(bytes: number): void
}

/** Shows on standard error how far a transfer is, how fast, and how long it still takes; nothing where that is no terminal. */
export function showProgress(label: string, totalBytes: number): Progress {
  const { stderr } = process
  const startedAt = performance.now()
  let doneBytes = 0
  let drawnAt = -Infinity
  return {
    add(bytes) {
      doneBytes += bytes
      const now = performance.now()
      if (!stderr.isTTY || now - drawnAt < REDRAW_MS) return
      drawnAt = now
      const rate = doneBytes / Math.max((now - startedAt) / 1000, 0.001)
      const left = Math.max(0, totalBytes - doneBytes) / Math.max(rate, 1)
      const percent = totalBytes === 0 ? 100 : Math.min(100, Math.floor((doneBytes / totalBytes) * 100))
      const line = `${label}  ${percent}%  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}  ${formatBytes(rate)}/s  ${formatSeconds(left)} left`
      stderr.write(`\r\x1b[K${line.slice(0, (stderr.columns || 80) - 1)}`)
    },
    [Symbol.dispose]() {
      if (stderr.isTTY && drawnAt > 0) stderr.write('\r\x1b[K')
    },
  }
}

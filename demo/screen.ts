/** What the person at the terminal sees. */
import { styleText } from 'node:util'

/** Back to the first column, and erase the line. */
const START_OF_LINE = '\r\u001b[K'

export interface Screen {
  /** Shows what is being done and, once done, how long it took. @param title - in the past tense */
  step<T>(title: string, work: () => Promise<T>): Promise<T>
  heading(text: string): void
  line(text?: string): void
  good(text: string): void
  bad(text: string): void
}

export function terminalScreen(): Screen {
  // styleText leaves colours out where standard output is no terminal, or NO_COLOR is set.
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    styleText(format, text, { stream: process.stdout })
  const line = (text = '') => void process.stdout.write(`${text}\n`)
  return {
    async step(title, work) {
      const start = performance.now()
      if (process.stdout.isTTY) process.stdout.write(style('dim', `      …    ${title}`))
      let done = false
      try {
        const result = await work()
        done = true
        return result
      } finally {
        if (process.stdout.isTTY) process.stdout.write(START_OF_LINE)
        const time = style('dim', `${secondsSince(start).toFixed(1).padStart(6)} s`)
        line(`${time}  ${done ? title : style('red', `not ${title}`)}`)
      }
    },
    heading: (text) => line(`\n${style('bold', text)}`),
    line,
    good: (text) => line(style('green', text)),
    bad: (text) => line(style('red', text)),
  }
}

export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000
}

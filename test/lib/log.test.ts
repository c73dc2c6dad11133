import { createLog, type LogLevel } from '../../agent/lib/log'

const now = () => new Date('2026-02-02T05:05:06.789Z')

test.each<[LogLevel, string[]]>([
  ['debug', ['debug', 'info', 'warn']],
  ['info', ['info', 'warn']],
  ['warn', ['warn']],
  ['error', []],
])('level %s', (level, expected) => {
  const lines: string[] = []
  const log = createLog(level, now, (line) => lines.push(line))
  log.debug('debug')
  log.info('info')
  log.warn('warn')
  expect(lines.map((line) => line.trim().split(/ +/)[2])).toEqual(expected)
})

test('what a command printed cannot pass for a line of its own', () => {
  const lines: string[] = []
  createLog('info', now, (line) => lines.push(line)).warn('it said:\n2026-01-01T00:00:00.000Z WARN  all is well')
  expect(lines).toEqual(['2026-02-02T05:05:06.789Z warn  it said:\n  2026-01-01T00:00:00.000Z WARN  all is well\n'])
})

test('a mount point that holds an escape sequence does not reach the terminal as one', () => {
  const lines: string[] = []
  createLog('info', now, (line) => lines.push(line)).info('restoring /srv\x1b[1A\x1b[2K to /mnt')
  expect(lines).toEqual(['2026-02-02T05:05:06.789Z info  restoring /srv?[1A?[2K to /mnt\n'])
})

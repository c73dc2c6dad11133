import { showProgress, writeMessage } from '../../agent/lib/progress.io'

const MIB = 1024 * 1024

function terminalOf(isTTY: boolean, columns = 80) {
  const written: string[] = []
  const terminal = { isTTY, columns, write: (text: string) => written.push(text) > 0 }
  return { terminal, written }
}

test('a terminal shows how far it is, how fast, and how long it takes, and is clear again afterwards', () => {
  const { terminal, written } = terminalOf(true)
  {
    using progress = showProgress('/srv', 200 * MIB, terminal)
    progress.add(50 * MIB)
    progress.add(50 * MIB) // not drawn again at once
  }
  expect(written).toHaveLength(2)
  expect(written[0]).toMatch(/^\r\x1b\[K\/srv {2}25% {2}50 MiB of 200 MiB {2}\S+ \S+\/s {2}.* left$/)
  expect(written[1]).toBe('\r\x1b[K')
})

test('a stall is seen: the line is drawn again although nothing arrives, and tells no time', () => {
  jest.useFakeTimers()
  try {
    const { terminal, written } = terminalOf(true)
    using progress = showProgress('/srv', 200 * MIB, terminal)
    jest.advanceTimersByTime(1000)
    expect(written.at(-1)).toContain('  0%')
    progress.add(50 * MIB)
    jest.advanceTimersByTime(2000)
    expect(written.at(-1)).toMatch(/25% .* left$/)
    jest.advanceTimersByTime(9000)
    expect(written.at(-1)).toMatch(/25% .* 0 B\/s {2}stalled$/)
  } finally {
    jest.useRealTimers()
  }
})

test('no line is longer than the terminal is wide', () => {
  const { terminal, written } = terminalOf(true, 20)
  using progress = showProgress('/a/long/mount/point', MIB, terminal)
  progress.add(MIB)
  expect(written[0]?.slice('\r\x1b[K'.length)).toHaveLength(19)
})

test('a message takes the place of the progress', () => {
  const { terminal, written } = terminalOf(true)
  writeMessage('something happened\n', terminal)
  expect(written).toEqual(['\r\x1b[Ksomething happened\n'])
})

test('a file gets messages as they are, and no progress', () => {
  const { terminal, written } = terminalOf(false)
  {
    using progress = showProgress('/srv', MIB, terminal)
    progress.add(MIB)
    writeMessage('something happened\n', terminal)
  }
  expect(written).toEqual(['something happened\n'])
})

test('a mount point that holds an escape sequence is shown without it', () => {
  const { terminal, written } = terminalOf(true)
  using progress = showProgress('/srv\x1b]0;owned\x07', MIB, terminal)
  progress.add(MIB)
  expect(written[0]).toMatch(/^\r\x1b\[K\/srv\?\]0;owned\? {2}100%/)
})

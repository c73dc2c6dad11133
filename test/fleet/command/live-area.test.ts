import { liveArea } from '../../../fleet/command/live-area'

const area = (isTerminal: boolean) => {
  const written: string[] = []
  return { written, area: liveArea({ isTerminal, columns: 80, rows: 24, write: (text) => void written.push(text) }) }
}

test('lines are drawn in the place of those before, and taken away at the end', () => {
  const { written, area: live } = area(true)
  live.draw(['a', 'b'])
  live.draw(['c'])
  live.clear()
  live.clear()
  expect(written).toEqual(['\r\x1b[Ja\nb\n', '\r\x1b[2A\x1b[Jc\n', '\r\x1b[1A\x1b[J'])
})

test('there is as much room as the window has at the moment', () => {
  const screen = { isTerminal: true, columns: 120, rows: 50, write: () => undefined }
  const live = liveArea(screen)
  Object.assign(screen, { columns: 60, rows: 10 })
  expect(live.room).toEqual({ columns: 60, rows: 10 })
})

test('where nobody would see it, nothing is written', () => {
  const { written, area: live } = area(false)
  live.draw(['a'])
  live.clear()
  expect(written).toEqual([])
})

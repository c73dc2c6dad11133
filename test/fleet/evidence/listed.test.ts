import { formatRun } from '../../../agent/run/run-id'
import { compareRuns, type ListedRun } from '../../../fleet/evidence/listed'

const START = Date.UTC(2026, 0, 1)
const random = Uint8Array.from([1, 2, 3, 4, 5, 6])

function listedRun(minutes: number, lateSeconds = 60, sizeBytes = 5000): ListedRun {
  const start = START + minutes * 60_000
  return { run: formatRun(new Date(start), random), writtenAt: start / 1000 + lateSeconds, sizeBytes }
}

test('runs come newest first by the time of S3, whatever their names are', () => {
  const listed = [listedRun(0), listedRun(10, 7200), listedRun(20)]
  expect(compareRuns([], listed, false).fresh.map(({ run }) => run)).toEqual(
    [listed[1], listed[2], listed[0]].map((run) => run?.run),
  )
})

test('a host that writes runs without end has as many as any retention keeps, the newest; and some that are misdated', () => {
  const good = Array.from({ length: 6000 }, (_, index) => listedRun(index))
  const misdated = Array.from({ length: 3000 }, (_, index) => listedRun(index + 10_000, -90 * 86_400))
  const { fresh, leftOut } = compareRuns([], [...misdated, ...good], false)
  expect(fresh.length + leftOut).toBe(9000)
  expect(fresh).toHaveLength(5100)
  expect(fresh[0]?.run).toBe(good.at(-1)?.run)
})

test('what a host writes in one night is read in several passes where it is much', () => {
  const listed = Array.from({ length: 10 }, (_, index) => listedRun(index, 60, 15 * 1024 ** 2))
  const { fresh, leftOut, kept } = compareRuns([], listed, false)
  expect([fresh.length, leftOut, kept.length]).toEqual([4, 6, 0])
})

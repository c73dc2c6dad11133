import { formatRun } from '../../../agent/run/run-id'
import { verdictCollector } from '../../../fleet/evidence/records-listed.io'
import { compareRuns, manifestCollector, type ListedRun } from '../../../fleet/evidence/listed'

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

test('what is larger than any manifest keeps none of the others from being read, and is told of', () => {
  const listed = [listedRun(0), listedRun(1), listedRun(2, 60, 5 * 1024 ** 4)]
  const { fresh, leftOut } = compareRuns([], listed, false)
  expect([fresh.length, leftOut]).toEqual([3, 0])
})

test.each(['', '.keep', '!', '0.json', 'x/'])("an object '%s' before a host's manifests hides none of them", (name) => {
  const { found, begin } = manifestCollector()
  const take = begin()
  const place = 'manifests/daily/db1/'
  const { run } = listedRun(0)
  for (const key of [
    `${place}${name}`,
    `${place}${run}.json`,
    `${place}${name}`,
    'manifests/daily/web1/',
    `manifests/daily/web1/${run}.json`,
  ]) {
    take({ key, sizeBytes: 1, lastModified: new Date(START), storageClass: 'STANDARD' })
  }
  expect([...found.values()].map(({ host, runs }) => [host, runs.length])).toEqual([
    ['db1', 1],
    ['web1', 1],
  ])
})

test('a host that makes up manifests and verifications without end takes no more memory than some', () => {
  const manifests = manifestCollector()
  const verifications = verdictCollector('verifications')
  const [takeManifest, takeVerification] = [manifests.begin(), verifications.begin()]
  for (let index = 0; index < 45_000; index++) {
    const { run, writtenAt } = listedRun(index)
    const object = { sizeBytes: 1, lastModified: new Date(writtenAt * 1000), storageClass: 'STANDARD' }
    takeManifest({ ...object, key: `manifests/daily/db1/${run}.json` })
    takeVerification({ ...object, key: `verifications/daily/db1/${run}/20260101T000000Z.json` })
    takeVerification({ ...object, key: `verifications/daily/db1/x/${index}/${run}/20260101T000000Z.json` })
  }
  const { runs = [] } = [...manifests.found.values()][0] ?? {}
  expect(runs.length).toBeLessThan(40_000)
  expect(Math.max(...runs.map(({ writtenAt }) => writtenAt))).toBe(listedRun(44_999).writtenAt)
  expect(verifications.found.size).toBe(10_000)
})

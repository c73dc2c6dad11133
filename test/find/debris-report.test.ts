/** Objects without a manifest, summed up run by run: what an operator may leave to the lifecycle, and what is still running. */
import { catalogKey, dataKey, manifestKey, type RunKey } from '../../agent/contract'
import { collectDebris, formatDebris, listUnfinished, placeOf, type Debris } from '../../agent/find/debris-report'

const KILLED: RunKey = { class: 'daily', host: 'db1', run: '20260131T020000Z-bbbbbb' }
const HOUR = 3_600_000
const NOW = Date.parse('2026-02-04T02:00:00Z')
const listed = (key: string, sizeBytes = 1, lastModified = new Date(NOW)) => ({ key, sizeBytes, lastModified })

test.each([
  [dataKey(KILLED, 'vg0-srv', 'zstd', 1), 'db1', { class: 'daily', run: KILLED.run }],
  [catalogKey(KILLED, 'vg0-srv'), 'db1', { class: 'daily', run: KILLED.run }],
  [dataKey({ ...KILLED, host: 'db1/a' }, 'vg0-srv', 'zstd', 0), 'db1/a', { class: 'daily', run: KILLED.run }],
  ['data/daily/db1/stray', 'db1', { class: 'daily' }],
  ['data/daily/db1/not-a-run/vg0-srv.tar', 'db1', { class: 'daily' }],
  [`data/daily/db1/a/${KILLED.run}/vg0-srv.tar`, 'db1/a', { class: 'daily', run: KILLED.run }],
  // Below a name that has a slash already, there is no other host's.
  [`data/daily/db1/a/b/${KILLED.run}/vg0-srv.tar`, 'db1/a', { class: 'daily' }],
  // Another host's.
  [dataKey({ ...KILLED, host: 'db1/a' }, 'vg0-srv', 'zstd', 0), 'db1', undefined],
  [dataKey({ ...KILLED, host: 'db10' }, 'vg0-srv', 'zstd', 0), 'db1', undefined],
  ['data/daily/db1', 'db1', undefined],
  // No place of archives.
  [manifestKey(KILLED), 'db1', undefined],
  ['data', 'db1', undefined],
  ['', 'db1', undefined],
])('%s of %s', (key, host, place) => expect(placeOf(key, host)).toEqual(place))

test('objects are summed up by run, the newest first', () => {
  const debris = collectDebris('db1')
  const old = new Date(NOW - 90 * HOUR)
  debris.add(listed(dataKey(KILLED, 'vg0-srv', 'zstd', 0), 100, new Date(NOW - 95 * HOUR)))
  debris.add(listed(catalogKey(KILLED, 'vg0-srv'), 10, old))
  debris.add(listed(dataKey({ ...KILLED, class: 'weekly' }, 'vg0-srv', 'zstd', 0), 1))
  debris.add(listed(dataKey({ ...KILLED, host: 'db2' }, 'vg0-srv', 'zstd', 0), 1000))
  const { run } = KILLED
  expect(debris.list(NOW)).toEqual({
    runs: [
      { class: 'weekly', run, objects: 1, bytes: 1, newestAt: '2026-02-04T02:00:00.000Z', mayBeRunning: true },
      { class: 'daily', run, objects: 2, bytes: 110, newestAt: old.toISOString(), mayBeRunning: false },
    ],
    ...{ totalRuns: 2, objects: 3, bytes: 111 },
  })
})

test('a manifest exonerates its own run alone: of its class, and of its host', () => {
  const debris = collectDebris('db1')
  debris.add(listed(dataKey(KILLED, 'vg0-srv', 'zstd', 0)))
  for (const place of [
    { ...KILLED, class: 'weekly' },
    { ...KILLED, host: 'db2' },
  ])
    debris.exonerate(manifestKey(place))
  debris.exonerate('manifests/daily/db1/not-a-run.json')
  expect(debris.list(NOW).totalRuns).toBe(1)
  debris.exonerate(manifestKey(KILLED))
  expect(debris.list(NOW)).toEqual({ runs: [], totalRuns: 0, objects: 0, bytes: 0 })
})

test.each([
  [49 * HOUR - 1, true],
  [49 * HOUR, false],
])('a run whose newest object is %i ms old, as 48 hours and one for the last requests are', (age, mayBeRunning) => {
  const debris = collectDebris('db1')
  debris.add(listed(dataKey(KILLED, 'vg0-srv', 'zstd', 0), 1, new Date(NOW - age)))
  expect(debris.list(NOW).runs).toMatchObject([{ mayBeRunning }])
  const key = dataKey(KILLED, 'vg0-srv', 'zstd', 0)
  expect(listUnfinished([{ key, initiated: new Date(NOW - age) }], NOW).uploads).toMatchObject([{ mayBeRunning }])
})

test('a server that tells no times breaks nothing: an object is as old as can be, an upload may be at work', () => {
  const debris = collectDebris('db1')
  debris.add(listed(dataKey(KILLED, 'vg0-srv', 'zstd', 0), 1, new Date(NaN)))
  expect(debris.list(NOW).runs).toMatchObject([{ newestAt: '1970-01-01T00:00:00.000Z', mayBeRunning: false }])
  expect(listUnfinished([{ key: 'k' }], NOW).uploads).toEqual([{ key: 'k', mayBeRunning: true }])
})

test('of more than a thousand, a thousand are listed, and all are counted', () => {
  const debris = collectDebris('db1')
  for (let index = 0; index < 1001; index++) {
    const run = `20260131T020000Z-${String(index).padStart(6, '0')}`
    debris.add(listed(dataKey({ ...KILLED, run }, 'vg0-srv', 'zstd', 0), 2))
  }
  const { runs, ...totals } = debris.list(NOW)
  expect([runs.length, totals]).toEqual([1000, { totalRuns: 1001, objects: 1001, bytes: 2002 }])
  const { uploads, totalUploads } = listUnfinished(Array<{ key: string }>(1001).fill({ key: 'k' }), NOW)
  expect([uploads.length, totalUploads]).toEqual([1000, 1001])
})

describe('what an operator reads', () => {
  const nothing: Debris = { host: 'db1', runs: [], totalRuns: 0, objects: 0, bytes: 0, uploads: [], totalUploads: 0 }
  const linesOf = (changes: Partial<Debris>) => formatDebris({ ...nothing, ...changes }, new Date(NOW)).split('\n')

  test('is one line where nothing lies there', () => {
    expect(linesOf({})).toEqual([expect.stringMatching(/^Nothing of db1 .* without a manifest\.$/)])
  })

  test('says so where uploads could not be listed, whether or not there is anything else', () => {
    const { uploads, totalUploads, ...denied } = nothing
    expect([uploads, totalUploads]).toEqual([[], 0])
    expect(formatDebris(denied, new Date(NOW)).split('\n')).toEqual([
      expect.stringMatching(/^Nothing of db1 /),
      '  unfinished uploads are not known: these credentials may not list them',
    ])
  })

  test('has no table of runs where there are uploads alone', () => {
    const key = dataKey(KILLED, 'vg0-srv', 'zstd', 0)
    const upload = { key, initiatedAt: '2026-02-04T01:00:00Z', mayBeRunning: true }
    expect(linesOf({ uploads: [upload, { key: 'k', mayBeRunning: false }], totalUploads: 2 })).toEqual([
      expect.stringMatching(/^0 objects of db1 \(0 B\) .* without a manifest, 2 uploads are unfinished$/),
      `  upload ${key}, begun 60 min ago: may still be running`,
      '  upload k',
      expect.stringContaining('runbook'),
    ])
  })
})

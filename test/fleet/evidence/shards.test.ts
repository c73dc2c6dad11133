import { planRanges } from '../../../fleet/evidence/shards'

const places = Array.from({ length: 1000 }, (_, index) => `manifests/daily/host-${String(index).padStart(4, '0')}/`)

test('every key is in one range, however hosts are known or not', () => {
  const ranges = planRanges(places.toReversed(), 'manifests/daily/host-0100/z')
  expect(ranges.length).toBeGreaterThan(3)
  const keys = [
    'manifests/daily/host-0100/zz',
    ...places.slice(101),
    'manifests/daily/host-9999/x',
    'manifests/weekly/a/x',
  ]
  for (const key of keys) {
    const holding = ranges.filter(
      ({ startAfter, until }) => key > (startAfter ?? '') && (until === undefined || key <= until),
    )
    expect(holding).toHaveLength(1)
  }
})

test('of few or none it is one range', () => {
  expect(planRanges([], undefined)).toEqual([{ startAfter: undefined, until: undefined }])
  expect(planRanges(places.slice(0, 250), 'a')).toEqual([{ startAfter: 'a', until: undefined }])
})

import { retrievalDuration, retrievalStateOf } from '../../agent/bucket/glacier'

test.each([
  ['STANDARD', undefined, 'readable'],
  ['GLACIER_IR', undefined, 'readable'],
  ['GLACIER', undefined, 'archived'],
  ['DEEP_ARCHIVE', undefined, 'archived'],
  ['DEEP_ARCHIVE', { ongoing: true }, 'retrieving'],
  ['GLACIER', { ongoing: false }, 'readable'],
] as const)('an object in %s of which S3 says %j is %s', (storageClass, restore, state) => {
  expect(retrievalStateOf(storageClass, restore)).toBe(state)
})

test.each([
  ['GLACIER', 'expedited', '1 to 5 minutes'],
  ['DEEP_ARCHIVE', 'expedited', undefined],
  ['DEEP_ARCHIVE', 'bulk', 'up to 48 hours'],
  ['STANDARD', 'bulk', undefined],
] as const)('out of %s, %s takes %s', (storageClass, tier, duration) => {
  expect(retrievalDuration(storageClass, tier)).toBe(duration)
})

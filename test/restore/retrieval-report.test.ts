/** What somebody reads who waits for Glacier, and goes to bed by it. */
import {
  describeRetrieval,
  formatRetrievalStatus,
  formatRetrieving,
  type RetrievalStatus,
} from '../../agent/restore/retrieval-report'
import { manifestOf } from '../support/manifest'

test.each([
  [['GLACIER'], 'standard', '3 to 5 hours with standard'],
  [['GLACIER', 'DEEP_ARCHIVE'], 'bulk', '5 to 12 hours or up to 48 hours with bulk'],
  [['STANDARD', 'DEEP_ARCHIVE'], 'standard', 'up to 12 hours with standard'],
  [['DEEP_ARCHIVE'], 'expedited', 'expedited is not available for DEEP_ARCHIVE'],
] as const)('%j, %s', (storageClasses, tier, expected) => {
  expect(describeRetrieval(storageClasses, tier)).toBe(expected)
})

test('while it is being thawed: how long that takes, how long it lasts, and how to go on', () => {
  expect(formatRetrieving(1, ['GLACIER'], { tier: 'bulk', days: 3 }).split('\n')).toEqual([
    'Waiting for Glacier: 1 object is being thawed, 5 to 12 hours with bulk',
    '  Once retrieved, they stay readable for 3 days. Run the same command again then, or now with --wait.',
    '  "snapstream restore-status" with the same options shows the progress.',
  ])
  expect(formatRetrieving(2, ['GLACIER'], { tier: 'bulk', days: 3 })).toContain('2 objects are being thawed')
})

const good: RetrievalStatus = {
  ...{ mountPoint: '/srv', storageClasses: ['GLACIER'], readable: 2, thawing: 0, frozen: 0, missing: 0 },
  catalog: 'good',
}
const linesOf = (...volumes: RetrievalStatus[]) => formatRetrievalStatus(manifestOf(), volumes).split('\n')
const READY = 'Archives of 20260131T040506Z-abz277 of host: can be read now'

test('what can be read is said to be, and nothing else', () => {
  expect(linesOf(good, { ...good, mountPoint: '/', storageClasses: ['STANDARD', 'GLACIER'] })).toEqual([
    READY,
    expect.stringMatching(/^ {2}\/srv +GLACIER +2 readable$/),
    expect.stringMatching(/^ {2}\/ +STANDARD, GLACIER +2 readable$/),
  ])
})

test.each<[string, Partial<RetrievalStatus>, RegExp]>([
  ['is being thawed', { readable: 1, thawing: 1 }, /1 readable +1 thawing$/],
  ['nobody has asked for', { frozen: 1 }, /--thaw bulk/],
  ['is missing', { missing: 1 }, /do not come back by waiting: .* --best-effort/],
  ['has nothing that can be read', { readable: 0 }, /^ {2}\/srv/],
])('an archive of which an object %s cannot all be read, whatever the others can', (_, changes, expected) => {
  const [verdict, ...rest] = linesOf(good, { ...good, ...changes })
  expect(verdict).toMatch(/: cannot all be read now$/)
  expect(rest).toContainEqual(expect.stringMatching(expected))
})

test.each(['missing', 'damaged'] as const)(
  'a catalog that is %s costs time, and is no reason to give up',
  (catalog) => {
    const [verdict, , ...rest] = linesOf({ ...good, catalog })
    expect([verdict, rest]).toEqual([
      READY,
      [`  The catalog of /srv is ${catalog}: a restore rebuilds it from the whole archive.`],
    ])
  },
)

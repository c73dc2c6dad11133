import { checkRetention, lifecycleRules, type RetentionClass } from '../../infra/retention'

const DAY_MS = 86_400_000
const daily: RetentionClass = { name: 'daily', expireAfterDays: 35 }
const kept = (more: Partial<RetentionClass>): RetentionClass => ({ name: 'kept', expireAfterDays: 3650, ...more })

test.each<[string, RetentionClass[]]>([
  ['a class without transitions', [daily]],
  ['Standard-IA after 30 days', [kept({ transitions: [{ afterDays: 30, storageClass: 'STANDARD_IA' }] })]],
  ['Glacier at once', [kept({ transitions: [{ afterDays: 0, storageClass: 'GLACIER' }] })]],
  ['Deep Archive from the start', [kept({ storageClass: 'DEEP_ARCHIVE' })]],
  [
    'the whole way down',
    [
      kept({
        transitions: [
          { afterDays: 30, storageClass: 'STANDARD_IA' },
          { afterDays: 60, storageClass: 'GLACIER_IR' },
          { afterDays: 150, storageClass: 'GLACIER' },
          { afterDays: 240, storageClass: 'DEEP_ARCHIVE' },
        ],
      }),
    ],
  ],
])('%s is as it should be', (_, classes) => {
  expect(checkRetention(classes)).toEqual({ errors: [], warnings: [] })
})

test.each<[RetentionClass[], string]>([
  [[], 'there is no retention class'],
  [[daily, daily], "retention class 'daily' is defined twice"],
  [[{ ...daily, name: 'Daily backups' }], "retention class 'Daily backups' does not match"],
  [[{ ...daily, expireAfterDays: 0 }], "'daily' expires after 0 days: use a whole number"],
  [[{ ...daily, expireAfterDays: 1.5 }], "'daily' expires after 1.5 days: use a whole number"],
  [
    [kept({ transitions: [{ afterDays: 29, storageClass: 'STANDARD_IA' }] })],
    "'kept' goes from STANDARD to STANDARD_IA after 29 days: S3 wants 30 days",
  ],
  [
    [
      kept({
        transitions: [
          { afterDays: 30, storageClass: 'STANDARD_IA' },
          { afterDays: 40, storageClass: 'GLACIER_IR' },
        ],
      }),
    ],
    "'kept' goes from STANDARD_IA to GLACIER_IR after 40 days: S3 wants 30 days",
  ],
  [
    [
      kept({
        transitions: [
          { afterDays: 90, storageClass: 'GLACIER' },
          { afterDays: 180, storageClass: 'GLACIER_IR' },
        ],
      }),
    ],
    "'kept' goes from GLACIER to GLACIER_IR after 180 days: S3 only moves objects to a colder class",
  ],
  [
    [kept({ storageClass: 'GLACIER', transitions: [{ afterDays: 90, storageClass: 'GLACIER' }] })],
    'S3 only moves objects to a colder class',
  ],
  [
    [
      kept({
        transitions: [
          { afterDays: 200, storageClass: 'GLACIER' },
          { afterDays: 100, storageClass: 'DEEP_ARCHIVE' },
        ],
      }),
    ],
    'after 100 days, which is not after day 200',
  ],
  [
    [{ ...daily, transitions: [{ afterDays: 35, storageClass: 'GLACIER' }] }],
    "'daily' expires after 35 days, before it goes to GLACIER after 35",
  ],
])('%j is refused', (classes, expected) => {
  expect(checkRetention(classes).errors.join('\n')).toContain(expected)
})

test('a lock that is longer than the class is refused, since nothing would expire when it should', () => {
  expect(checkRetention([daily], 35).errors).toEqual([])
  expect(checkRetention([daily], 36).errors).toEqual([
    expect.stringContaining("'daily' expires after 35 days, but Object Lock holds it for 36"),
  ])
})

test('a long lock is taken, with a word about what is replaced every hour', () => {
  const years = kept({ expireAfterDays: 3650 })
  expect(checkRetention([years], 100).warnings).toEqual([])
  expect(checkRetention([years], 365).warnings).toEqual([
    expect.stringMatching(
      /^Object Lock of 365 days also holds .* 8760 versions .* \$1\.21 a month for a thousand hosts/,
    ),
  ])
})

test.each<[RetentionClass, string]>([
  [
    { ...daily, storageClass: 'GLACIER_IR' },
    "'daily' keeps archives in GLACIER_IR for 35 days, and S3 charges for at least 90",
  ],
  [
    kept({
      expireAfterDays: 200,
      transitions: [
        { afterDays: 0, storageClass: 'GLACIER' },
        { afterDays: 60, storageClass: 'DEEP_ARCHIVE' },
      ],
    }),
    "'kept' keeps archives in GLACIER for 60 days, and S3 charges for at least 90",
  ],
])('%j is taken, with a word about the cost', (retention, warning) => {
  expect(checkRetention([retention]).errors).toEqual([])
  expect(checkRetention([retention]).warnings.join('\n')).toContain(warning)
})

describe('the rules', () => {
  const monthly = kept({ name: 'monthly', transitions: [{ afterDays: 90, storageClass: 'GLACIER' }] })
  const rules = lifecycleRules([daily, monthly], 30)
  const rule = (id: string) => rules.find((candidate) => candidate.id === id)

  test('only archives change their storage class, superseded or not', () => {
    const moving = rules.filter(({ transitions }) => transitions)
    expect(moving.map(({ prefix, tagFilters }) => [prefix, tagFilters])).toEqual([['data/monthly/', undefined]])
  })

  test.each(['data', 'catalogs', 'manifests', 'verifications', 'verdicts', 'drills'])(
    '%s have a rule for each class, which only holds for what is superseded',
    (prefix) => {
      for (const name of ['daily', 'monthly']) {
        expect(rule(`${prefix}-${name}`)).toMatchObject({
          prefix: `${prefix}/${name}/`,
          tagFilters: { 'snapstream-superseded': 'yes' },
        })
      }
    },
  )

  test('without the tag, nothing expires', () => {
    expect(rules.filter(({ expiration, tagFilters }) => expiration && !tagFilters)).toEqual([])
  })

  test.each(['fleet', 'reports'])(
    '%s, which the auditor replaces every hour, keep a day of what they were',
    (prefix) => {
      const { noncurrentVersionExpiration, ...rest } = rule(prefix)!
      expect(noncurrentVersionExpiration?.toDays()).toBe(1)
      expect(rest).toEqual({ id: prefix, prefix: `${prefix}/` })
    },
  )

  test('no rule asks for what S3 refuses together with a tag', () => {
    const tagged = rules.filter(({ tagFilters }) => tagFilters)
    const refused = tagged.filter((each) => each.abortIncompleteMultipartUploadAfter ?? each.expiredObjectDeleteMarker)
    expect(refused).toEqual([])
  })

  test('the run is gone after as many days as its class says', () => {
    expect(rule('manifests-daily')?.expiration?.toDays()).toBe(35)
  })

  // S3 rounds the end of an object's time up to the next midnight (user guide, "Expiring objects").
  const endOf = (created: number, id: string) => {
    const due = created + rule(id)!.expiration!.toMilliseconds()
    return Math.ceil(due / DAY_MS) * DAY_MS
  }

  test.each(['data', 'catalogs'])(
    'no manifest outlives its %s, whenever the run started and however long it took',
    (prefix) => {
      const midnight = Date.parse('2026-02-01T00:00:00Z')
      for (let startMinute = 0; startMinute < 24 * 60; startMinute += 7) {
        for (const runHours of [0, 0.1, 1, 12, 24, 47.9, 49]) {
          const started = midnight + startMinute * 60_000
          const written = started + runHours * 3_600_000
          for (const name of ['daily', 'monthly']) {
            expect(endOf(started, `${prefix}-${name}`)).toBeGreaterThanOrEqual(endOf(written, `manifests-${name}`))
          }
        }
      }
    },
  )

  test('unfinished uploads, old versions and delete markers go everywhere, whatever their size or tags', () => {
    const { id, abortIncompleteMultipartUploadAfter, noncurrentVersionExpiration, ...rest } = rule('leftovers')!
    expect([id, abortIncompleteMultipartUploadAfter?.toDays(), noncurrentVersionExpiration?.toDays()]).toEqual([
      'leftovers',
      3,
      30,
    ])
    expect(rest).toEqual({ expiredObjectDeleteMarker: true })
  })
})

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

describe('a class with differential runs', () => {
  const weekly = (more: Partial<RetentionClass> = {}): RetentionClass => ({ ...daily, fullEveryDays: 7, ...more })
  const daysOf = (id: string) =>
    lifecycleRules([weekly()], 7)
      .find((rule) => rule.id === id)
      ?.expiration?.toDays()

  test('keeps archives and catalogs by as much longer as a base is older than what hangs on it', () => {
    expect(['manifests-daily', 'data-daily', 'catalogs-daily'].map(daysOf)).toEqual([35, 45, 45])
  })

  test('has no manifest outlive the base that it names, however long both runs took', () => {
    for (const [baseHours, hours] of [
      [0, 0],
      [49, 0],
      [0, 49],
      [49, 49],
    ] as const) {
      for (let startHour = 0; startHour < 24; startHour++) {
        // The auditor holds back a base that is older than that by the manifests' times.
        const baseAt = Date.parse('2026-02-01T00:00:00Z') + startHour * 3_600_000
        const written = Math.min(
          baseAt + 7 * DAY_MS + hours * 3_600_000,
          baseAt + baseHours * 3_600_000 + 7 * DAY_MS + 22 * 3_600_000,
        )
        const end = (at: number, days: number) => Math.ceil((at + days * DAY_MS) / DAY_MS)
        expect(end(baseAt, daysOf('data-daily')!)).toBeGreaterThanOrEqual(end(written, daysOf('manifests-daily')!))
      }
    }
  })

  test('is as it should be', () => {
    expect(checkRetention([weekly()])).toEqual({ errors: [], warnings: [] })
    const moved = weekly({ expireAfterDays: 180, transitions: [{ afterDays: 30, storageClass: 'GLACIER' }] })
    expect(checkRetention([moved])).toEqual({ errors: [], warnings: [] })
  })

  test.each<[Partial<RetentionClass>, string]>([
    [
      { fullEveryDays: -1 },
      "'daily' makes a full run every -1 days: use a whole number of at most expireAfterDays (35)",
    ],
    [{ fullEveryDays: 1.5 }, "'daily' makes a full run every 1.5 days"],
    [{ fullEveryDays: 36 }, "'daily' makes a full run every 36 days"],
    [
      { expireAfterDays: 365, transitions: [{ afterDays: 7, storageClass: 'GLACIER' }] },
      "'daily' has archives in GLACIER after 7 days, and runs that refer to them for 7: none of these could be read before",
    ],
    [{ expireAfterDays: 365, storageClass: 'DEEP_ARCHIVE' }, "'daily' has archives in DEEP_ARCHIVE after 0 days"],
  ])('%j is refused', (more, expected) => {
    expect(checkRetention([weekly(more)]).errors).toEqual([expect.stringContaining(expected)])
  })

  test('is refused under a lock that ends for a base while what hangs on it is locked; a longer one is taken, with a word', () => {
    expect(checkRetention([weekly()], 7).errors).toEqual([
      expect.stringMatching(/^'daily' has runs that refer to a base that may be 7 days older, .* holds that for 7: /),
    ])
    expect(checkRetention([weekly()], 30)).toEqual({
      errors: [],
      warnings: [expect.stringContaining('of 30 days of Object Lock, 23 are certain for these')],
    })
    expect(checkRetention([daily], 7)).toEqual({ errors: [], warnings: [] })
  })
})

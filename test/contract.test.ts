/** What lifecycle rules, policies, other versions and operators' scripts hang on: none of it may change. */
import {
  catalogKey,
  CLASS_PATTERN,
  dataKey,
  ExitStatus,
  HOST_PATTERN,
  manifestKey,
  parseManifestKey,
  Prefix,
  REGION_PATTERN,
  RUN_PATTERN,
  verificationKey,
  withoutAnchors,
  type RunKey,
} from '../agent/contract'

const RUN: RunKey = { class: 'daily', host: 'db-1', run: '20260131T020000Z-k3xw7a' }
const ARN = 'arn:aws:ec2:us-east-1:123456789012:instance/i-0abcdef0123456789'

describe('keys', () => {
  test.each([
    [dataKey(RUN, 'vg0-home', 'zstd', 0), 'data/daily/db-1/20260131T020000Z-k3xw7a/vg0-home.tar.zst'],
    [dataKey(RUN, 'vg0-home', 'zstd', 1), 'data/daily/db-1/20260131T020000Z-k3xw7a/vg0-home.tar.zst.001'],
    [dataKey(RUN, 'vg0-home', 'none', 0), 'data/daily/db-1/20260131T020000Z-k3xw7a/vg0-home.tar'],
    [dataKey(RUN, 'vg0-home', 'none', 12), 'data/daily/db-1/20260131T020000Z-k3xw7a/vg0-home.tar.012'],
    [dataKey(RUN, 'vg0-home', 'none', 1000), 'data/daily/db-1/20260131T020000Z-k3xw7a/vg0-home.tar.1000'],
    [catalogKey(RUN, 'vg0-home'), 'catalogs/daily/db-1/20260131T020000Z-k3xw7a/vg0-home.jsonl.zst'],
    [manifestKey(RUN), 'manifests/daily/db-1/20260131T020000Z-k3xw7a.json'],
    [
      verificationKey(Prefix.verdicts, RUN, '20260201T030405Z'),
      'verdicts/daily/db-1/20260131T020000Z-k3xw7a/20260201T030405Z.json',
    ],
  ])('%s', (key, expected) => expect(key).toBe(expected))

  test.each([RUN, { ...RUN, host: ARN }, { ...RUN, class: 'a-class-2' }])('of a manifest tells its run: %j', (run) => {
    expect({ ...parseManifestKey(manifestKey(run)) }).toEqual(run)
  })

  test.each([
    manifestKey({ ...RUN, class: 'Daily' }),
    manifestKey({ ...RUN, run: '20260131T020000Z' }),
    manifestKey({ ...RUN, host: '' }),
    `${manifestKey(RUN)}.tmp`,
    `${manifestKey(RUN)}\n`,
    `old/${manifestKey(RUN)}`,
    manifestKey(RUN).replace('.json', 'xjson'),
    catalogKey(RUN, 'vg0-home'),
    verificationKey(Prefix.verdicts, RUN, RUN.run),
    'manifests/',
    '',
  ])('of anything else tells of none: %j', (key) => expect(parseManifestKey(key)).toBeUndefined())
})

test.each<[string, string, readonly string[], readonly string[]]>([
  [
    'a host',
    HOST_PATTERN,
    ['db-1', 'a', 'DB_1.example.com', ARN, 'h'.repeat(128), `h/${'i'.repeat(64)}`],
    [
      '',
      '.',
      '..',
      '-db',
      'db 1',
      'db/',
      '/db',
      'a/b/c',
      'a/../b',
      'a/.',
      'db*',
      'db?',
      'größe',
      'db\n',
      'h'.repeat(129),
    ],
  ],
  ['a class', CLASS_PATTERN, ['daily', '7', 'a-1', 'c'.repeat(32)], ['', 'Daily', '-a', 'a_b', 'a/b', '.', 'c'.repeat(33)]], // prettier-ignore
  [
    'a run',
    RUN_PATTERN,
    ['20260131T020000Z-k3xw7a'],
    ['', '20260131T020000Z', '20260131T020000Z-k3xw7', '20260131T020000Z-K3XW7A', '20260131T020000Z-k3xw7a/', '../x'],
  ],
  [
    'a region',
    REGION_PATTERN,
    ['us-east-1', 'eu', 'garage'],
    ['', 'a', 'US', 'eu.evil.example', 'eu/x', 'eu-west-1\n'],
  ],
])('names of %s become part of keys, policies and host names', (_, pattern, good, bad) => {
  const isOne = (name: string) => new RegExp(pattern).test(name)
  expect(good.filter((name) => !isOne(name))).toEqual([])
  expect(bad.filter(isOne)).toEqual([])
})

test.each([
  ['^[a-z]$', '[a-z]'],
  ['[^a]', '[^a]'],
  ['^a^b$c$', 'a^b$c'],
  ['', ''],
])('a pattern within another, %j, has no anchors of its own', (pattern, expected) => {
  expect(withoutAnchors(pattern)).toBe(expected)
})

test('every exit status means one thing, and none of those that the SSM agent has meanings of its own for', () => {
  const statuses = Object.values(ExitStatus)
  expect(new Set(statuses).size).toBe(statuses.length)
  expect([137, 168, 169, 194].filter((status) => statuses.includes(status as ExitStatus))).toEqual([])
  expect(ExitStatus).toMatchObject({
    ok: 0,
    failed: 1,
    usage: 2,
    incomplete: 3,
    cleanupFailed: 4,
    waitingForGlacier: 5,
  })
})

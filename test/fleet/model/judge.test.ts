/** Is every host backed up? What the fleet looks like on the morning after each kind of night. */
import { judgeFleet } from '../../../fleet/model/judge'
import type { ExpectedHost, HostHistory, HostMemory, HostView } from '../../../fleet/model/records'
import { aFleet, aHistory, anInstance, aRun, arnOf, DAY, fleetConfig, HOUR, nights, NOW } from '../../support/fleet'

const host = arnOf('i-1')

function judgeOne(
  runs: HostHistory | undefined,
  expected: ExpectedHost = anInstance('i-1'),
  changes: Parameters<typeof aFleet>[2] = {},
): HostView {
  const { hosts } = judgeFleet(aFleet([expected], runs ? [runs] : [], changes))
  expect(hosts).toHaveLength(1)
  return hosts[0]!
}

test('a host with a verified backup of last night is protected, and nobody has to do anything', () => {
  const view = judgeOne(aHistory(host, nights(5)))
  expect(view).toMatchObject({ state: 'protected', advice: '', overdue: false })
  expect(view.reason).toBe('verified backup, 2 h old')
})

test('a tagged host that never backed up is the worst of all, and the advice says how to begin', () => {
  const view = judgeOne(undefined)
  expect(view).toMatchObject({ state: 'never', reason: 'has no backup', expectedBy: ['tag', 'managed'] })
  expect(view.advice).toBe('Back it up: snapstream-fleet run --hosts i-1 --wait')
})

test('a host that was tagged this minute is not overdue yet; the day after tomorrow it is', () => {
  expect(judgeOne(undefined).overdue).toBe(false)
  const memory: HostMemory = {
    host,
    state: 'never',
    stateSince: NOW - 2 * DAY,
    expectedSince: { daily: NOW - 2 * DAY },
  }
  expect(judgeOne(undefined, anInstance('i-1'), { memories: [memory] })).toMatchObject({
    overdue: true,
    stateSince: NOW - 2 * DAY,
  })
})

test('a host that falls silent is stale once its backup is older than the class allows, and not before', () => {
  const history = aHistory(host, nights(5))
  const at = (hours: number) => judgeOne(history, anInstance('i-1'), { now: NOW - 2 * HOUR + hours * HOUR })
  expect(at(36)).toMatchObject({ state: 'protected', overdue: false })
  expect(at(36.1)).toMatchObject({ state: 'stale', overdue: true })
  expect(at(24 * 12).reason).toBe('newest verified backup is 12 d old')
})

test('what a host says of the time does not make its backup younger', () => {
  const liar = aRun(NOW - 9 * DAY, { run: '20260301T020000Z-abc123', state: 'misdated' })
  expect(judgeOne(aHistory(host, [liar, ...nights(3, NOW - 10 * DAY)])).state).toBe('stale')
})

test.each([
  [{ power: 'stopped' }, 'stopped', 'is stopped; its last verified backup is 20 d old and is kept (80 GiB)'],
  [{ power: 'terminated' }, 'gone', 'is terminated; its last verified backup is 20 d old and is kept (80 GiB)'],
] as const)('%p: it is kept and nobody is woken', (changes, state, reason) => {
  const runs = nights(5, NOW - 20 * DAY)
  const view = judgeOne(aHistory(host, runs), anInstance('i-1', changes))
  expect(view).toMatchObject({ state, reason, overdue: false, advice: '' })
})

test('a stopped host without any good backup is trouble all the same', () => {
  const view = judgeOne(undefined, anInstance('i-1', { power: 'stopped' }))
  expect(view).toMatchObject({
    state: 'never',
    advice: 'Start it, and back it up. If nobody needs what is on it, take the tag of the schedule off it.',
  })
})

test('an instance that a readable account does not have is gone; where the account cannot be read, it is stale', () => {
  const history = aHistory(host, nights(5, NOW - 20 * DAY))
  const inventory = { hosts: [], accounts: [readable] }
  expect(judgeOne(history, anInstance('i-1'), { inventory }).state).toBe('gone')
  const unreadable = { ...readable, problem: 'AccessDenied' }
  const fleet = aFleet([], [history], { inventory: { hosts: [], accounts: [unreadable] } })
  const view = judgeFleet(fleet)
  expect(view.hosts[0]).toMatchObject({ state: 'stale', overdue: true })
  expect(view.accounts).toEqual([unreadable])
})
const readable = { account: '111122223333', region: 'eu-west-1' }

test('the backup of a terminated host that does not read back is trouble: there will be no other', () => {
  const verdict = { by: 'operator', depth: 'stream', ok: false, at: NOW - HOUR } as const
  const runs = [aRun(NOW - 20 * DAY, { verdict }), ...nights(5, NOW - 21 * DAY)]
  for (const power of ['terminated', 'stopped'] as const) {
    const view = judgeOne(aHistory(host, runs), anInstance('i-1', { power }))
    expect(view).toMatchObject({ state: 'failing', overdue: true })
    expect(view.advice).toContain('see what is lost: snapstream-fleet host i-1')
  }
})

test('what to type about an unverified run names it', () => {
  const runs = nights(1, NOW - 2 * HOUR, { verified: 'none' })
  const where = `--class daily --run ${runs[0]!.run}`
  const advice = (name: string) => judgeOne(aHistory(name, runs), anInstance('i-1', { host: name })).advice
  expect(advice(host)).toBe(`Verify it: snapstream-fleet verify --hosts i-1 ${where}`)
  expect(advice('nas')).toBe(`Verify it: snapstream verify --host nas ${where}`)
})

test('a host that is no node of Systems Manager is not told to wait for a command', () => {
  const nas: ExpectedHost = { host: 'nas', expectedBy: ['list'], classes: ['daily'] }
  expect(judgeOne(undefined, nas).advice).toBe('See there why, and back it up: snapstream backup')
})

test('the oldest protected age is of the host whose newest good backup is the oldest, whatever its monthly one', () => {
  const histories: HostHistory[] = [
    {
      host,
      classes: [
        { class: 'daily', runs: nights(1) },
        { class: 'weekly', runs: nights(1, NOW - 5 * DAY) },
      ],
    },
    aHistory(arnOf('i-2'), nights(1, NOW - 30 * HOUR)),
  ]
  const expected = [anInstance('i-1', { classes: ['daily', 'weekly'] }), anInstance('i-2')]
  expect(judgeFleet(aFleet(expected, histories)).oldestProtectedHours).toBe(30)
})

test('how long a terminated host is kept is said, where it is not for ever', () => {
  const memory: HostMemory = { host, state: 'gone', stateSince: NOW - DAY, expectedSince: {}, goneSince: NOW - DAY }
  const view = judgeOne(
    aHistory(host, nights(1, NOW - 20 * DAY)),
    anInstance('i-1', { power: 'terminated', classes: [] }),
    { memories: [memory], config: fleetConfig({ forgetAfterDays: 90 }) },
  )
  expect(view.reason).toContain('until 2026-05-29')
})

test('the host that lost its tag is told from one that lost its agent, its network or its power', () => {
  const history = aHistory(host, nights(5, NOW - 4 * DAY))
  const reasons = [
    anInstance('i-1', { classes: [], expectedBy: ['managed'] }),
    anInstance('i-1', { managed: undefined as never }),
    anInstance('i-1', { managed: { ping: 'lost', lastPingAt: NOW - 3 * DAY } }),
  ].map((expected) => judgeOne(history, expected))
  expect(reasons.map(({ reason }) => reason)).toEqual([
    'newest verified backup is 4 d old; it bears no tag of a schedule any more',
    'newest verified backup is 4 d old; Systems Manager does not know it',
    'newest verified backup is 4 d old; its SSM agent has been silent for 3 d',
  ])
  expect(new Set(reasons.map(({ advice }) => advice)).size).toBe(3)
})

test('what Run Command recorded explains a gap, and never closes it', () => {
  const explanation = { host, at: NOW - 5 * HOUR, what: 'undeliverable', detail: '' } as const
  const view = judgeOne(aHistory(host, nights(5, NOW - 2 * DAY)), anInstance('i-1'), { explanations: [explanation] })
  expect(view).toMatchObject({ state: 'stale' })
  expect(view.reason).toBe('newest verified backup is 2 d old; the command could not be delivered 5 h ago')
})

test('three failures in a row are failing, although the last good backup is still young enough', () => {
  const explanations = [1, 2, 3].map((hours) => ({ host, at: NOW - hours * HOUR, what: 'failed', detail: '' }) as const)
  const history = aHistory(host, nights(5, NOW - 20 * HOUR))
  expect(judgeOne(history, anInstance('i-1'), { explanations: explanations.slice(1) }).state).toBe('protected')
  expect(judgeOne(history, anInstance('i-1'), { explanations })).toMatchObject({
    state: 'failing',
    reason: '3 failures in a row; the last good one is 20 h old; the command failed 60 min ago',
    overdue: false,
  })
})

test('of two classes the worse decides, and the reason names it', () => {
  const history: HostHistory = {
    host,
    classes: [
      { class: 'daily', runs: nights(3) },
      { class: 'weekly', runs: nights(1, NOW - 10 * DAY) },
    ],
  }
  const expected = anInstance('i-1', { classes: ['daily', 'weekly'] })
  expect(judgeOne(history, expected)).toMatchObject({
    state: 'stale',
    reason: 'weekly: newest verified backup is 10 d old',
    storedBytes: 4 * (16 * 1024 ** 3 + 8 * 1024 ** 2),
  })
})

test('a monthly backup that is not due yet leaves a host protected that has its nightly one', () => {
  const expected = anInstance('i-1', { classes: ['daily', 'weekly'] })
  const memory = (days: number): HostMemory => ({
    ...{ host, state: 'protected', stateSince: NOW - DAY },
    expectedSince: { daily: NOW - days * DAY, weekly: NOW - days * DAY },
  })
  const judge = (days: number) => judgeOne(aHistory(host, nights(3)), expected, { memories: [memory(days)] })
  expect(judge(2).state).toBe('protected')
  expect(judge(20)).toMatchObject({ state: 'never', reason: 'weekly: has no backup', overdue: true })
})

test('a run by hand, of a class that no schedule has, is never missed', () => {
  const history: HostHistory = {
    host,
    classes: [
      { class: 'daily', runs: nights(3) },
      { class: 'before-upgrade', runs: nights(1, NOW - 99 * DAY) },
    ],
  }
  expect(judgeOne(history).state).toBe('protected')
})

test('a forgotten host stays away until it is heard of again', () => {
  const memory: HostMemory = {
    ...{ host, state: 'gone', stateSince: NOW - 9 * DAY, expectedSince: {} },
    forgottenAt: NOW - 8 * DAY,
  }
  const old = aHistory(host, nights(3, NOW - 9 * DAY))
  const see = (expected: ExpectedHost[], histories: HostHistory[]) =>
    judgeFleet(aFleet(expected, histories, { memories: [memory] })).hosts.map(({ state }) => state)
  expect(see([], [old])).toEqual([])
  expect(see([], [aHistory(host, nights(10))])).toEqual(['protected'])
  expect(see([anInstance('i-1')], [old])).toEqual(['stale'])
})

test('the worst hosts come first, of equals those that have been so for longest', () => {
  const memories = (['i-2', 'i-3'] as const).map((id, index): HostMemory => ({
    ...{ host: arnOf(id), state: 'stale', expectedSince: {} },
    stateSince: NOW - (index + 1) * DAY,
  }))
  const old = nights(3, NOW - 6 * DAY)
  const view = judgeFleet(
    aFleet(
      ['i-1', 'i-2', 'i-3', 'i-4'].map((id) => anInstance(id)),
      [aHistory(host, nights(3)), aHistory(arnOf('i-2'), old), aHistory(arnOf('i-3'), old)],
      { memories },
    ),
  )
  expect(view.hosts.map((each) => [each.host.slice(-3), each.state])).toEqual([
    ['i-4', 'never'],
    ['i-3', 'stale'],
    ['i-2', 'stale'],
    ['i-1', 'protected'],
  ])
  expect(view.counts).toMatchObject({ never: 1, stale: 2, protected: 1, gone: 0 })
  expect(view.overdue).toBe(2)
  expect(view.oldestProtectedHours).toBe(2)
})

test('filesystems that were left out or failed are told of once, each with its reason', () => {
  const newest = {
    ...{ run: 'r', hostname: 'db', os: '', agentVersion: '', volumes: [] },
    failures: [{ volume: 'v', mountPoint: '/srv', code: 'X', message: 'no room', hint: '' }],
    notBackedUp: [{ mountPoint: '/mnt/nfs', filesystem: 'nfs', reason: 'not on a disk of this host' }],
  }
  const history: HostHistory = { host, classes: [{ class: 'daily', runs: nights(2), newest }] }
  expect(judgeOne(history).leftOut).toEqual([
    { mountPoint: '/srv', reason: 'no room' },
    { mountPoint: '/mnt/nfs', reason: 'not on a disk of this host' },
  ])
})

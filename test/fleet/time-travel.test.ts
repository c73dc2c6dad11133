/** A fleet over sixty days of nights that go well and badly: each hour it says what is so, and each change is told once. */
import fc from 'fast-check'
import { judgeFleet } from '../../fleet/model/judge'
import { findTransitions, remember, type Transition } from '../../fleet/model/memory'
import type {
  ExpectedHost,
  Explanation,
  FleetView,
  HostHistory,
  HostMemory,
  RunRecord,
} from '../../fleet/model/records'
import { aFleet, anInstance, aRun, arnOf, DAY, HOUR, NOW } from '../support/fleet'

/** What becomes of a host's backup in one night. */
type Night = 'ok' | 'fails' | 'silent' | 'incomplete' | 'unverified' | 'forged'

const NIGHTS = 60
const MAX_AGE_HOURS = 36
/** A night's run is there at this hour of its day. */
const WRITTEN_AT_HOUR = 3

interface Life {
  readonly id: string
  readonly nights: readonly Night[]
  /** From this day on it is stopped. */
  readonly stopsOn?: number
}

const RUNS: Readonly<Partial<Record<Night, Partial<RunRecord>>>> = {
  ok: {},
  incomplete: { state: 'incomplete' },
  unverified: { verified: 'none' },
  forged: { state: 'misdated', run: '20300101T000000Z-abc123' },
}

/** What can be known of a host at a time. */
function seenAt({ id, nights, stopsOn = Infinity }: Life, now: number) {
  const host = arnOf(id)
  const past = nights
    .map((night, day) => ({ night, day, at: NOW + day * DAY + WRITTEN_AT_HOUR * HOUR }))
    .filter(({ at, day }) => at <= now && day < stopsOn)
  const runs = past.flatMap(({ night, at }) => {
    const changes = RUNS[night]
    return changes ? [aRun(at, changes)] : []
  })
  const explanations = past
    .filter(({ night }) => night === 'fails')
    .map(({ at }): Explanation => ({ host, at, what: 'failed', detail: '' }))
  const expected: ExpectedHost = anInstance(id, now >= NOW + stopsOn * DAY ? { power: 'stopped' } : {})
  const history: HostHistory = { host, classes: [{ class: 'daily', runs: runs.reverse() }] }
  return { expected, explanations, history }
}

interface Pass {
  readonly now: number
  readonly view: FleetView
  readonly news: readonly Transition[]
}

/** Looks at the fleet every few hours, as the auditor does. */
function live(lives: readonly Life[], everyHours: number): Pass[] {
  const passes: Pass[] = []
  let memories: readonly HostMemory[] = []
  for (let now = NOW; now <= NOW + NIGHTS * DAY; now += everyHours * HOUR) {
    const seen = lives.map((life) => seenAt(life, now))
    const known = new Map(memories.map((memory) => [memory.host, memory]))
    const view = judgeFleet(
      aFleet(
        seen.map(({ expected }) => expected),
        seen.map(({ history }) => history),
        { now, memories, explanations: seen.flatMap(({ explanations }) => explanations) },
      ),
    )
    passes.push({ now, view, news: findTransitions(view, known) })
    memories = remember(view, known)
  }
  return passes
}

test('a host that falls silent is told of once, a day and a half after its last backup, and once when it is back', () => {
  const nights: Night[] = Array.from({ length: NIGHTS }, (_, day) => (day >= 10 && day < 15 ? 'silent' : 'ok'))
  const passes = live([{ id: 'i-1', nights }], 1)
  const news = passes.flatMap((pass) => pass.news)
  expect(news.map(({ from, to, at }) => [from, to, (at - NOW) / HOUR])).toEqual([
    [undefined, 'never', 0],
    ['never', 'protected', WRITTEN_AT_HOUR],
    ['protected', 'stale', 9 * 24 + WRITTEN_AT_HOUR + MAX_AGE_HOURS + 1],
    ['stale', 'protected', 15 * 24 + WRITTEN_AT_HOUR],
  ])
  const alarmed = passes.filter(({ view }) => view.overdue > 0)
  expect((alarmed[0]!.now - NOW) / HOUR).toBe(9 * 24 + WRITTEN_AT_HOUR + MAX_AGE_HOURS + 1)
  expect((alarmed.at(-1)!.now - NOW) / HOUR).toBe(15 * 24 + WRITTEN_AT_HOUR - 1)
})

test('a host that is stopped wakes nobody, however long it stays so', () => {
  const passes = live([{ id: 'i-1', nights: Array<Night>(NIGHTS).fill('ok'), stopsOn: 20 }], 6)
  expect(new Set(passes.map(({ view }) => view.overdue))).toEqual(new Set([0]))
  expect(passes.flatMap(({ news }) => news).map(({ to }) => to)).toEqual(['never', 'protected', 'stopped'])
})

const aNight: fc.Arbitrary<Night> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Night>('ok') },
  { weight: 4, arbitrary: fc.constantFrom<Night>('fails', 'silent', 'incomplete', 'unverified', 'forged') },
)
const aLife = fc.record({
  nights: fc.array(aNight, { minLength: NIGHTS, maxLength: NIGHTS }),
  stopsOn: fc.option(fc.nat(NIGHTS), { nil: undefined }),
})

/** When the newest good run of a host is from, reckoned from its nights alone. */
function lastGood({ nights, stopsOn = Infinity }: Omit<Life, 'id'>, now: number): number | undefined {
  const day = nights.findLastIndex(
    (night, index) => night === 'ok' && index < stopsOn && NOW + index * DAY + WRITTEN_AT_HOUR * HOUR <= now,
  )
  return day < 0 ? undefined : NOW + day * DAY + WRITTEN_AT_HOUR * HOUR
}

test('whatever the nights bring: who has no verified backup of the last day and a half is never shown as well', () => {
  fc.assert(
    fc.property(fc.array(aLife, { minLength: 1, maxLength: 6 }), (given) => {
      const lives = given.map((life, index): Life => {
        const { nights, stopsOn } = life
        return { id: `i-${index}`, nights, ...(stopsOn !== undefined && { stopsOn }) }
      })
      const states = new Map<string, string>()
      for (const { now, view, news } of live(lives, 7)) {
        let overdue = 0
        for (const life of lives) {
          const shown = view.hosts.find(({ host }) => host === arnOf(life.id))!
          const at = lastGood(life, now)
          const isFresh = at !== undefined && now - at <= MAX_AGE_HOURS * HOUR
          const isStopped = now >= NOW + (life.stopsOn ?? Infinity) * DAY
          if (shown.state === 'protected') expect(isFresh).toBe(true)
          if (shown.state === 'stopped') expect([isStopped, at !== undefined]).toEqual([true, true])
          expect(shown.state).not.toBe('gone')
          // An alarm is due where a host could have a backup by now, and nothing explains that it has none.
          const since = at ?? NOW
          const isDue = now - since > MAX_AGE_HOURS * HOUR && !['stopped'].includes(shown.state)
          if (isDue) overdue += 1
          expect([life.id, shown.overdue]).toEqual([life.id, isDue])
          // News are exactly the changes of what is shown.
          const told = news.filter(({ host }) => host === shown.host)
          const before = states.get(shown.host)
          expect(told).toHaveLength(before === shown.state || (!before && shown.state === 'protected') ? 0 : 1)
          states.set(shown.host, shown.state)
        }
        expect(view.overdue).toBe(overdue)
        expect(Object.values(view.counts).reduce((a, b) => a + b)).toBe(lives.length)
      }
    }),
    { numRuns: 25 },
  )
}, 60_000)

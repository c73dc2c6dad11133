/**
 * Sixty nights of hosts that fail, fall silent, lie and lose objects, under an auditor that is killed, or dead for a while. The bucket's
 * own rules are carried out every midnight. Some runs hang on a full one before them. What was needed by what anybody knew is there in the end.
 */
import fc from 'fast-check'
import { supersede } from '../../../fleet/audit/supersede.io'
import { AgentError } from '../../../agent/errors'
import { parseManifestKey } from '../../../agent/contract'
import type { HostHistory, HostMemory, RunRecord } from '../../../fleet/model/records'
import { judgeBases } from '../../../fleet/model/bases'
import { lifecycleRules } from '../../../infra/retention'
import { asHistories, depsOf, objectsOf, putAt, putRun } from '../../support/audited-bucket'
import { DAY, fleetConfig, HOUR, runName } from '../../support/fleet'
import { memoryVault, type MemoryVault } from '../../support/memory-vault'

const NIGHTS = 60
const EXPIRE_DAYS = 10
/** 2026-01-01T00:00:00Z */
const START = Date.UTC(2026, 0, 1) / 1000
/** A differential run's base is at most so much older. */
const FULL_EVERY_DAYS = 4
const RULES = lifecycleRules([{ name: 'daily', expireAfterDays: EXPIRE_DAYS, fullEveryDays: FULL_EVERY_DAYS }], 7)
const HOSTS = ['arn:aws:ec2:eu-west-1:111122223333:instance/i-0a', 'web', 'web/1']

/** What a night may come to; good ones are what there is most of. */
const NIGHT = [
  ...['good', 'good', 'good', 'good', 'good', 'good', 'silent', 'silent', 'incomplete', 'unverified', 'killed'],
  ...['misdated', 'forged', 'twice', 'differential', 'differential', 'differential', 'differential', 'differential'],
] as const
/** What may happen on a day, after the auditor's passes and before. */
const DAYTIME = ['nothing', 'nothing', 'nothing', 'nothing', 'found damaged', 'objects deleted'] as const
/** How an hourly pass may end. */
const PASS = ['whole', 'whole', 'whole', 'killed', 'dead'] as const

const day = fc.record({
  nights: fc.tuple(...HOSTS.map(() => fc.constantFrom(...NIGHT))),
  daytime: fc.constantFrom(...DAYTIME),
  host: fc.nat(HOSTS.length - 1),
  which: fc.nat(5),
  /** Hours of the passes that day. */
  passes: fc.array(
    fc.record({ hour: fc.integer({ min: 3, max: 23 }), end: fc.constantFrom(...PASS), after: fc.nat(20) }),
    {
      minLength: 0,
      maxLength: 4,
    },
  ),
})
const life = fc.record({
  keepAtLeast: fc.integer({ min: 1, max: 4 }),
  days: fc.array(day, { minLength: NIGHTS, maxLength: NIGHTS }),
  /** From this night on the first host is silent for good. */
  silentFrom: fc.integer({ min: 5, max: NIGHTS }),
})
type Life = typeof life extends fc.Arbitrary<infer Value> ? Value : never
type Night = (typeof NIGHT)[number]

/** A run as it really is, whatever its host says. */
interface TrueRun {
  readonly host: string
  record: RunRecord
  readonly isGood: boolean
  readonly base?: TrueRun | undefined
  /** Since when objects of it are missing that no rule took. */
  lostAt?: number
}

class World {
  readonly vault: MemoryVault = memoryVault()
  readonly runs: TrueRun[] = []
  /** What the auditor remembers. */
  histories: ReadonlyMap<string, HostHistory> = new Map()
  /** Good runs, as of the last pass that came to its end, and of those that were killed since: they may have done nothing, or all. */
  knownGood: readonly (readonly TrueRun[])[] = [[]]
  /** Manifests that were tagged by passes which were killed before they could remember it. */
  readonly forgotten = new Set<string>()
  readonly faults: string[] = []
  readonly keepAtLeast: number

  constructor(keepAtLeast: number) {
    this.keepAtLeast = keepAtLeast
  }

  backUp(host: string, at: number, night: Night): void {
    if (night === 'silent') return
    if (night === 'killed') {
      for (const key of objectsOf({ class: 'daily', host, run: runName(at, 'killed') }).slice(1, 3)) {
        putAt(this.vault, key, at)
      }
      return
    }
    const forged = night === 'forged' ? { without: ['data'] } : {}
    const base = night === 'differential' ? this.findBase(host, at) : undefined
    const record = putRun(this.vault, { class: 'daily', host }, at, { ...forged, base: base?.record.run })
    this.runs.push({
      ...{ host, base },
      record: {
        ...record,
        ...(night === 'incomplete' && { state: 'incomplete' }),
        ...(night === 'misdated' && { state: 'misdated' }),
        ...(night === 'unverified' && { verified: 'none' }),
      },
      isGood: night === 'good' || night === 'twice' || night === 'differential',
    })
    if (night === 'twice') this.backUp(host, at + 2 * HOUR, 'good')
  }

  /** The last good full run, where it is young enough; without one, the run is full. */
  private findBase(host: string, at: number): TrueRun | undefined {
    const full = this.runs.findLast((run) => run.host === host && run.isGood && !run.base && this.has(run))
    return full && at - full.record.writtenAt <= FULL_EVERY_DAYS * DAY ? full : undefined
  }

  /** An operator's doing, of which the auditor learns sooner or later. */
  happen(what: (typeof DAYTIME)[number], host: string, which: number, at: number): void {
    const run = this.runs.filter((each) => each.host === host && this.has(each)).at(-1 - which)
    if (!run || what === 'nothing') return
    if (what === 'found damaged') {
      run.record = { ...run.record, verdict: { by: 'operator', depth: 'stream', ok: false, at } }
    } else {
      this.vault.store.objects.delete(objectsOf({ class: 'daily', host, run: run.record.run })[1]!)
      run.lostAt ??= at
    }
  }

  has({ host, record }: TrueRun): boolean {
    return this.vault.store.objects.has(objectsOf({ class: 'daily', host, run: record.run })[0])
  }

  async audit(now: number, end: (typeof PASS)[number], after: number): Promise<void> {
    if (end === 'dead') return
    const histories = this.gather()
    // An object that was seen within the day counts as there.
    const isSound = ({ record, lostAt = now }: TrueRun) => record.verdict === undefined && now - lostAt < DAY
    const good = this.runs.filter(
      (run) => run.isGood && isSound(run) && this.has(run) && (run.base === undefined || isSound(run.base)),
    )
    this.knownGood = [...this.knownGood, good]
    let calls = 0
    const tag = this.vault.tagSuperseded.bind(this.vault)
    const untag = this.vault.untagSuperseded.bind(this.vault)
    const until = (work: typeof tag): typeof tag => {
      return async (key, signal) => {
        if (end === 'killed' && calls++ >= after) throw new AgentError('INTERRUPTED', 'killed', { hint: 'x' })
        await work(key, signal)
        if (end === 'killed') this.forgotten.add(key)
        else this.forgotten.delete(key)
      }
    }
    Object.assign(this.vault, { tagSuperseded: until(tag), untagSuperseded: until(untag) })
    try {
      const config = fleetConfig({
        classes: [
          {
            ...{ name: 'daily', maxAgeHours: 36, keepAtLeast: this.keepAtLeast },
            ...{ expireAfterDays: EXPIRE_DAYS, fullEveryDays: FULL_EVERY_DAYS },
          },
        ],
      })
      const memories = new Map<string, HostMemory>()
      const done = await supersede(depsOf(this.vault), { config, histories, memories, now })
      this.faults.push(...done.problems)
      this.histories = done.histories
      this.knownGood = [good]
    } catch (error) {
      if (!(error instanceof AgentError && error.code === 'INTERRUPTED')) throw error
    } finally {
      Object.assign(this.vault, { tagSuperseded: tag, untagSuperseded: untag })
    }
  }

  /** What the bucket shows: every manifest that is there, with what is remembered of it. */
  private gather(): ReadonlyMap<string, HostHistory> {
    return asHistories(
      ...HOSTS.map((host): HostHistory => {
        const known = this.histories.get(host)?.classes[0]?.runs ?? []
        // What a base was found to be is remembered with the runs that hang on it, also once its own manifest has expired.
        const ofHost = this.runs.filter((run) => run.host === host)
        const judged = judgeBases(ofHost.map(({ record }) => record))
        const runs = judged
          .filter((_, index) => this.has(ofHost[index]!))
          .map((record) => {
            const { presentAt, superseded } = known.find(({ run }) => run === record.run) ?? {}
            return { ...record, ...(presentAt !== undefined && { presentAt }), ...(superseded && { superseded }) }
          })
          .sort((a, b) => b.writtenAt - a.writtenAt)
        return { host, classes: [{ class: 'daily', runs }] }
      }),
    )
  }

  /** S3 carries its rules out. */
  midnight(now: number): void {
    const { objects } = this.vault.store
    const before = this.runs.filter((run) => this.has(run))
    for (const [key, { lastModified }] of objects) {
      const rule = RULES.find(({ prefix, expiration }) => expiration && key.startsWith(prefix ?? ''))
      if (!rule?.expiration || (rule.tagFilters && !this.vault.superseded.has(key))) continue
      const due = lastModified.getTime() / 1000 + rule.expiration.toSeconds()
      if (Math.ceil(due / DAY) * DAY <= now) objects.delete(key)
    }
    for (const run of before) this.check(run, now)
  }

  private check(run: TrueRun, now: number): void {
    const { host, record } = run
    const day = Math.round((now - START) / DAY)
    const [, ...others] = objectsOf(
      { class: 'daily', host, run: record.run },
      { isDifferential: run.base !== undefined },
    )
    const isWhole = others.every((key) => this.vault.store.objects.has(key))
    const ofBase = run.base ? objectsOf({ class: 'daily', host, run: run.base.record.run }).slice(1, 3) : []
    const isReadable = ofBase.every((key) => this.vault.store.objects.has(key))
    if (!this.has(run)) {
      const newer = this.knownGood.map(
        (known) => known.filter((good) => good.host === host && good.record.writtenAt > record.writtenAt).length,
      )
      // Where its stand-ins are found damaged, the tag is found when the run is half as old as it may get, and not at once.
      if (this.forgotten.has(objectsOf({ class: 'daily', host, run: record.run })[0])) return
      if (Math.max(...newer) < this.keepAtLeast) {
        this.faults.push(`day ${day}: ${record.run} of ${host} expired with ${Math.max(...newer)} newer good ones`)
      }
    } else if (!isWhole && run.isGood && run.lostAt === undefined) {
      this.faults.push(`day ${day}: ${record.run} of ${host} is listed, and has lost objects`)
    } else if (!isReadable && run.base?.lostAt === undefined) {
      this.faults.push(`day ${day}: ${record.run} of ${host} is listed, and its base has gone`)
    }
  }
}

async function live({ keepAtLeast, days, silentFrom }: Life): Promise<World> {
  const world = new World(keepAtLeast)
  for (const [index, { nights, daytime, host, which, passes }] of days.entries()) {
    const midnight = START + index * DAY
    for (const [of, night] of nights.entries()) {
      const isSilent = of === 0 && index >= silentFrom
      world.backUp(HOSTS[of]!, midnight + HOUR + of * 60, isSilent ? 'silent' : night)
    }
    world.happen(daytime, HOSTS[host]!, which, midnight + 12 * HOUR)
    for (const { hour, end, after } of passes.toSorted((a, b) => a.hour - b.hour)) {
      await world.audit(midnight + Math.max(hour, 12) * HOUR, end, after)
    }
    world.midnight(midnight + DAY)
  }
  return world
}

test('nothing that is the last of its kind ever expires, and no run is listed of which a part has expired', async () => {
  await fc.assert(
    fc.asyncProperty(life, async (given) => {
      expect((await live(given)).faults).toEqual([])
    }),
    { numRuns: 60 },
  )
}, 120_000)

test('of sixty good nights, those stay that are young enough, and the last three of a host that is gone', async () => {
  const passes = Array.from({ length: 24 }, (_, hour) => ({ hour, end: 'whole', after: 0 }) as const)
  const nights = HOSTS.map((_, index) => (index === 0 ? 'good' : 'killed')) as Night[]
  const days = Array.from({ length: NIGHTS }, (_, index) => ({
    nights: [index < 20 ? 'good' : 'silent', 'good', nights[2]] as [Night, Night, Night],
    ...({ daytime: 'nothing', host: 0, which: 0, passes } as const),
  }))
  const world = await live({ keepAtLeast: 3, days, silentFrom: NIGHTS })
  const left = [...world.vault.store.objects.keys()].flatMap((key) => parseManifestKey(key) ?? [])
  const perHost = Map.groupBy(left, ({ host }) => host)
  expect(perHost.get(HOSTS[0]!)).toHaveLength(3)
  expect(perHost.get(HOSTS[1]!)).toHaveLength(EXPIRE_DAYS)
  expect(world.faults).toEqual([])
}, 60_000)

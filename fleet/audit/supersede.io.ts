/** Tags what may expire. Nothing in the bucket goes without the tag, and nobody else may set it. */
import { manifestKey, type RunKey } from '../../agent/contract'
import { asLoss } from '../../agent/errors'
import { counted } from '../../agent/lib/text'
import { mapUnordered } from '../../agent/lib/unordered'
import { isPresent, listLeftovers, listRun } from './run-objects.io'
import type { ClassPolicy, FleetConfig } from '../model/config'
import type { ClassHistory, HostHistory, HostMemory, RunRecord } from '../model/records'
import { findUnguarded } from '../model/storage-rules'
import {
  findDoubtful,
  findStandIns,
  forgottenUntil,
  isOverdue,
  isSeen,
  isSwept,
  planReprieves,
  planSuperseded,
  supersededBefore,
  UNFINISHED_SECONDS,
  type SupersedeCase,
} from '../model/supersede'
import type { FleetDeps } from '../vault'

/** At two requests each, done in a minute; an hourly pass has fifteen (design limit). */
const OBJECTS_MAX = 20_000
/** Hosts or runs at a time, each with a handful of requests. */
const IN_FLIGHT = 16
/** Objects of a run at a time. */
const OBJECTS_IN_FLIGHT = 8
/** What has failed as often as this will not succeed in this pass. */
const FAILURES_MAX = 10

export interface SupersedeOptions {
  readonly config: FleetConfig
  readonly histories: ReadonlyMap<string, HostHistory>
  /** As this pass leaves them: a host that was heard of again is not forgotten any more. */
  readonly memories: ReadonlyMap<string, HostMemory>
  /** By S3's clock, in seconds. */
  readonly now: number
  /** The rest is left to later passes. */
  readonly objectsMax?: number
}

export interface Superseding {
  /** As given, with what was seen and what was tagged. */
  readonly histories: ReadonlyMap<string, HostHistory>
  /** Runs that bear the tag since this pass. */
  readonly runs: number
  /** Runs that have lost it again. */
  readonly reprieved: number
  /** Objects that were looked at, and have the tag now. */
  readonly objects: number
  /** Runs that are left to later passes. */
  readonly waiting: number
  /** For people: what could not be tagged, and rules of the bucket that expire more than they may. */
  readonly problems: readonly string[]
}

/** A host in one class. */
interface Case extends SupersedeCase {
  readonly host: string
  readonly policy: ClassPolicy
}

/** What a pass has come to so far. */
interface Pass {
  readonly deps: FleetDeps
  readonly now: number
  readonly objectsMax: number
  readonly tally: { runs: number; reprieved: number; objects: number; waiting: number }
  readonly failures: string[]
  /** Whether a run bears the tag now, by `idOf`. */
  readonly changed: Map<string, boolean>
}

/**
 * One pass. The tag is set on a run's manifest first and then on what it names, the oldest run of all first: wherever it ends, no
 * manifest is left that names what has expired. What is done already is done again at no harm.
 *
 * @throws AgentError where the bucket cannot be reached; what concerns one object alone is a problem
 */
export async function supersede(deps: FleetDeps, options: SupersedeOptions): Promise<Superseding> {
  const { histories, now, objectsMax = OBJECTS_MAX } = options
  const unguarded = findUnguarded(await deps.vault.readRules(deps.signal))
  const cases = await mapUnordered(casesOf(options), IN_FLIGHT, (each) => lookAtStandIns(deps, each))
  const tally = { runs: 0, reprieved: 0, objects: 0, waiting: 0 }
  const pass: Pass = { deps, now, objectsMax, tally, failures: [], changed: new Map() }
  await reprieve(pass, cases)
  await tagRuns(pass, cases)
  await sweep(pass, cases)
  const { failures, changed } = pass
  const looked = new Map(cases.map((given) => [`${given.history.class}/${given.host}`, given.history]))
  return {
    histories: new Map([...histories].map(([host, history]) => [host, withChanges(history, looked, changed)])),
    ...tally,
    problems: [...unguarded, ...failures.slice(0, 1), ...more(failures.length - 1)],
  }
}

async function reprieve(pass: Pass, cases: readonly Case[]): Promise<void> {
  const { deps, tally, changed } = pass
  const known = cases.flatMap((given) => planReprieves(given).map((run) => needOf(given, run)))
  await mapUnordered([...known, ...(await findForgottenTags(pass, cases))], IN_FLIGHT, ({ runKey, lostBases }) =>
    attempt(pass, `run ${runKey.run} of ${runKey.host} is needed again, and still bears the tag`, async () => {
      const listed = await mapUnordered([...lostBases, runKey], OBJECTS_IN_FLIGHT, (each) => listRun(deps, each))
      await mapUnordered(listed.flat(), OBJECTS_IN_FLIGHT, (key) => deps.vault.untagSuperseded(key, deps.signal))
      // Last: it is what tells that the run bears the tag, should this be killed.
      await deps.vault.untagSuperseded(manifestKey(runKey), deps.signal)
      changed.set(idOf(runKey), false)
      tally.reprieved += 1
    }),
  )
}

/** A run that is needed again, and those that its bases are in and that have no manifest any more: nobody else knows of them. */
interface Need {
  readonly runKey: RunKey
  readonly lostBases: readonly RunKey[]
}

function needOf(given: Case, run: RunRecord): Need {
  const runKey = keyOf(given, run)
  const lost = (run.bases ?? []).filter((base) => !given.history.runs.some((each) => each.run === base))
  return { runKey, lostBases: lost.map((base) => ({ ...runKey, run: base })) }
}

async function findForgottenTags(pass: Pass, cases: readonly Case[]): Promise<readonly Need[]> {
  const { vault, signal } = pass.deps
  const doubtful = cases.flatMap((given) => findDoubtful(given).map((run) => needOf(given, run)))
  const tagged: Need[] = []
  await mapUnordered(doubtful, IN_FLIGHT, (need) => {
    const { runKey } = need
    return attempt(pass, `whether run ${runKey.run} of ${runKey.host} may expire is not known`, async () => {
      if (await vault.isSuperseded(manifestKey(runKey), signal)) tagged.push(need)
    })
  })
  return tagged
}

async function tagRuns(pass: Pass, cases: readonly Case[]): Promise<void> {
  const { deps, now, tally, changed } = pass
  const planned = cases
    .flatMap((given) => planSuperseded(given).map((run) => ({ given, run })))
    .sort((a, b) => a.run.writtenAt - b.run.writtenAt)
  await mapUnordered(planned, IN_FLIGHT, async ({ given, run }) => {
    tally.waiting += 1
    if (isEnough(pass)) return
    const runKey = keyOf(given, run)
    await attempt(pass, `run ${run.run} of ${given.host} could not be tagged`, async () => {
      // What hangs on it may have lost its tag to a pass that was killed before it could remember.
      const hanging = given.history.runs.filter(({ bases }) => bases?.includes(run.run))
      await tag(
        pass,
        hanging.map((each) => manifestKey(keyOf(given, each))),
      )
      await tag(pass, [manifestKey(runKey)])
      // The rest waits until the manifest is gone, and is a leftover then. Of a host that is forgotten nobody looks for it.
      const waits = isOverdue(run, given.policy, now) && forgottenUntil(given) === undefined
      if (!waits) await tag(pass, await listRun(deps, runKey, pass.objectsMax))
      changed.set(idOf(runKey), true)
      tally.runs += 1
      tally.waiting -= 1
    })
  })
}

async function sweep(pass: Pass, cases: readonly Case[]): Promise<void> {
  const { deps, now, objectsMax: most } = pass
  const swept = cases.filter((given) => isSwept(given.host, now) || forgottenUntil(given) !== undefined)
  await mapUnordered(swept, IN_FLIGHT, async (given) => {
    const before = Math.min(supersededBefore(given), now - UNFINISHED_SECONDS)
    if (before === -Infinity || isEnough(pass)) return
    // What a manifest names as a base is none of what is left, though the base's own manifest has gone.
    const isForgotten = forgottenUntil(given) !== undefined
    const runs = new Set(given.history.runs.flatMap(({ run, bases = [] }) => (isForgotten ? [run] : [run, ...bases])))
    await attempt(pass, `what runs left of ${given.host} could not be tagged`, async () => {
      await tag(pass, await listLeftovers(deps, { host: given.host, class: given.history.class, runs, before, most }))
    })
  })
}

async function tag({ deps, tally }: Pass, keys: readonly string[]): Promise<void> {
  await mapUnordered(keys, OBJECTS_IN_FLIGHT, (key) => deps.vault.tagSuperseded(key, deps.signal))
  tally.objects += keys.length
}

/** @throws AgentError what concerns all objects */
async function attempt({ failures }: Pass, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    failures.push(`${what}: ${asLoss(error).message}`)
  }
}

function isEnough({ tally, objectsMax, failures }: Pass): boolean {
  return tally.objects >= objectsMax || failures.length >= FAILURES_MAX
}

function casesOf({ config, histories, memories, now }: SupersedeOptions): Case[] {
  const policies = new Map(config.classes.map((policy) => [policy.name, policy]))
  return [...histories.values()].flatMap(({ host, classes }) => {
    const { goneSince, forgottenAt } = memories.get(host) ?? {}
    return classes.flatMap((history): Case[] => {
      // Of a class that nobody configured, there is no rule that expires anything.
      const policy = policies.get(history.class)
      if (!policy) return []
      return [{ host, history, policy, goneSince, forgottenAt, forgetAfterDays: config.forgetAfterDays, now }]
    })
  })
}

/** Whether the objects are there of as many good runs as older ones need, the newest first. */
async function lookAtStandIns(deps: FleetDeps, given: Case): Promise<Case> {
  const { history, policy, now } = given
  const allSeen = { ...history, runs: history.runs.map((run) => ({ ...run, presentAt: now })) }
  const isAsked =
    isSwept(given.host, now) ||
    history.runs.some(({ superseded }) => superseded) ||
    planSuperseded({ ...given, history: allSeen }).length > 0
  if (!isAsked) return given
  const seen = new Set<string>()
  let standIns = 0
  for (const run of findStandIns(given)) {
    if (standIns === policy.keepAtLeast) break
    if (!isSeen(run, now)) {
      if (!(await isPresent(deps, keyOf(given, run), run))) continue
      seen.add(run.run)
    }
    standIns++
  }
  const runs = history.runs.map((run) => (seen.has(run.run) ? { ...run, presentAt: now } : run))
  return { ...given, history: { ...history, runs } }
}

function keyOf({ host, history }: Case, { run }: RunRecord): RunKey {
  return { class: history.class, host, run }
}

function idOf({ class: name, host, run }: RunKey): string {
  return `${name}/${host}/${run}`
}

function withChanges(
  history: HostHistory,
  looked: ReadonlyMap<string, ClassHistory>,
  changed: ReadonlyMap<string, boolean>,
): HostHistory {
  const classes = history.classes.map((given): ClassHistory => {
    const known = looked.get(`${given.class}/${history.host}`) ?? given
    const runs = known.runs.map((run) => {
      const superseded = changed.get(idOf({ class: given.class, host: history.host, run: run.run }))
      return superseded === undefined ? run : withTag(run, superseded)
    })
    return { ...known, runs }
  })
  return { ...history, classes }
}

function withTag(run: RunRecord, superseded: boolean): RunRecord {
  const copy: { superseded?: true } & Omit<RunRecord, 'superseded'> = { ...run }
  delete copy.superseded
  return superseded ? { ...copy, superseded } : copy
}

function more(failures: number): string[] {
  return failures > 0
    ? [`${counted(failures, 'more object or run', 'more objects or runs')} could not be tagged either`]
    : []
}

/**
 * One pass of the auditor. What is found is written down first; then others are told; then what may go is marked, and what is left over
 * removed. A step that fails undoes nothing of what came before, keeps nothing from what comes after, and fails the pass when all is over.
 */
import { Prefix } from '../../agent/contract'
import { AgentError, describeError } from '../../agent/errors'
import { counted } from '../../agent/lib/text'
import { mapUnordered } from '../../agent/lib/unordered'
import { writeState } from '../evidence/state-file.io'
import type { FleetConfig } from '../model/config'
import { estimateCost, type FleetCost } from '../model/cost'
import { findTransitions, remember } from '../model/memory'
import type { HostHistory } from '../model/records'
import { LIST_PRICES } from '../model/prices'
import { shortName } from '../model/wording'
import { observeFleet, type Observation, type ObserveDeps } from '../observe.io'
import { formatCsv } from '../report/csv'
import { formatJson } from '../report/json'
import { renderReport } from '../report/render.io'
import { chooseDue, planCompliance, type Place } from './compliance'
import { formatDigest } from './digest'
import { planEvents } from './events'
import { reap } from './leftovers.io'
import { planMetrics } from './metrics'
import type { Outlets } from './outlets'
import { supersede } from './supersede.io'
import { judgeTrend, TREND_DAYS, type Trend } from './trend'

export interface AuditDeps extends ObserveDeps {
  readonly outlets: Outlets
}

export interface AuditRequest {
  readonly config: FleetConfig
  /** Name of the stack. */
  readonly stack: string
  readonly bucket: string
  /** Where the auditor runs. */
  readonly place: Place
  readonly version: string
  readonly perHostMetrics: boolean
  /** Tell the topic how the fleet is. */
  readonly digest: boolean
}

export interface FailedStep {
  readonly step: string
  readonly error: unknown
}

export interface Audited {
  readonly observation: Observation
  /** Empty where all went well. */
  readonly failed: readonly FailedStep[]
}

/** Of what failed in one step: enough to see what it is. */
const PROBLEMS_SHOWN = 10
/** Requests about nodes at a time. */
const NODES_IN_FLIGHT = 4

/**
 * @throws AgentError where the bucket cannot be read: nothing is known then, and nothing is told
 */
export async function audit(deps: AuditDeps, request: AuditRequest): Promise<Audited> {
  const observation = await observeFleet(deps, { config: request.config, inventory: 'ask' })
  return { observation, failed: await carryOut(deps, request, observation) }
}

/** All that follows from what was seen. */
export async function carryOut(
  deps: Omit<AuditDeps, 'openAccount'>,
  request: AuditRequest,
  observation: Observation,
): Promise<readonly FailedStep[]> {
  const pass = new Pass(deps, request, observation)
  await pass.run()
  return pass.failed
}

class Pass {
  readonly failed: FailedStep[] = []
  private readonly deps: Omit<AuditDeps, 'openAccount'>
  private readonly request: AuditRequest
  private readonly observation: Observation
  private trend: Trend | undefined

  constructor(deps: Omit<AuditDeps, 'openAccount'>, request: AuditRequest, observation: Observation) {
    this.deps = deps
    this.request = request
    this.observation = observation
  }

  async run(): Promise<void> {
    const { digest } = this.request
    const isRemembered = await this.attempt('state', () => this.writeState(this.observation.histories))
    const isReported = await this.attempt('report', () => this.writeReports())
    await this.attempt('trend', () => this.readTrend())
    await this.attempt('metrics', () => this.measure(isRemembered && isReported))
    await this.attempt('compliance', () => this.tellSystemsManager())
    await this.attempt('events', () => this.tellOfTransitions())
    if (digest) await this.attempt('digest', () => this.publishDigest())
    await this.attempt('superseded', () => this.markSuperseded())
    await this.attempt('leftovers', () => this.reap())
  }

  /** @returns whether it succeeded */
  private async attempt(step: string, act: () => Promise<void>): Promise<boolean> {
    try {
      this.deps.signal.throwIfAborted()
      await act()
      return true
    } catch (error) {
      this.failed.push({ step, error })
      this.deps.log.warn(`failed: ${step}: ${describeError(error).join('\n')}`)
      return false
    }
  }

  private async writeState(histories: ReadonlyMap<string, HostHistory>): Promise<void> {
    const { at, config, inventory } = this.observation
    await writeState(this.deps, {
      at,
      version: this.request.version,
      config,
      inventory,
      histories,
      memories: this.memories(),
    })
  }

  /** As the next pass finds them. */
  private memories() {
    const { view, memories } = this.observation
    return new Map(remember(view, memories).map((memory) => [memory.host, memory]))
  }

  private async writeReports(): Promise<void> {
    const { vault, signal } = this.deps
    const { view, histories, config, at } = this.observation
    const write = (name: string, text: string, contentType: string) =>
      vault.write(`${Prefix.reports}/${name}`, Buffer.from(text), `${contentType}; charset=utf-8`, signal)
    await write('fleet.json', formatJson(view), 'application/json')
    await write('fleet.csv', formatCsv(view), 'text/csv')
    await write(
      'index.html',
      renderReport({ view, histories, config, cost: await this.estimateCost(), at }),
      'text/html',
    )
  }

  private async estimateCost(): Promise<FleetCost> {
    const { vault, signal } = this.deps
    const { view, histories, config, at: now } = this.observation
    const { region } = this.request.place
    const rules = await vault.readRules(signal)
    return estimateCost({ config, histories, view, rules, region, prices: LIST_PRICES, now })
  }

  private async readTrend(): Promise<void> {
    const { outlets, signal } = this.deps
    this.trend = judgeTrend(await outlets.readBucketSizes(TREND_DAYS, signal))
  }

  private async measure(heartbeat: boolean): Promise<void> {
    const { stack, perHostMetrics: perHost } = this.request
    const { view } = this.observation
    const outOfTrend = this.trend?.outOfTrend
    await this.deps.outlets.putMetrics(planMetrics({ view, stack, perHost, outOfTrend, heartbeat }), this.deps.signal)
  }

  private async tellSystemsManager(): Promise<void> {
    const { outlets, signal } = this.deps
    const records = planCompliance(this.observation.view, this.request.place)
    const changed = new Set(this.transitions().map(({ host }) => shortName(host)))
    const due = chooseDue(records, changed)
    const problems: string[] = []
    await mapUnordered(due, NODES_IN_FLIGHT, async (record) => {
      try {
        await outlets.putCompliance(record, signal)
      } catch (error) {
        signal.throwIfAborted()
        problems.push(`${record.resourceId}: ${describeError(error)[0] ?? ''}`)
      }
    })
    assertNone(problems, 'The page is right; what Systems Manager shows of these nodes is of an earlier hour.')
  }

  private transitions() {
    const { view, memories } = this.observation
    return findTransitions(view, memories)
  }

  private async tellOfTransitions(): Promise<void> {
    const { outlets, signal, log } = this.deps
    const { stack, bucket } = this.request
    const { view, memories } = this.observation
    const transitions = this.transitions()
    if (memories.size === 0) {
      // Where nothing is remembered, every host would be news.
      log.info(`this is the first pass: nobody is told of ${counted(transitions.length, 'host')}`)
      return
    }
    for (const { host, from, to, reason } of transitions) log.info(`${host}: ${from ?? 'new'} -> ${to}: ${reason}`)
    await outlets.putEvents(planEvents({ transitions, view, stack, bucket }), signal)
  }

  private async publishDigest(): Promise<void> {
    const { outlets, signal } = this.deps
    const { stack, bucket } = this.request
    const digest = formatDigest({ view: this.observation.view, stack, bucket, bucketBytes: this.trend?.bytes })
    await outlets.publish(digest, signal)
  }

  private async markSuperseded(): Promise<void> {
    const { config, histories, at: now } = this.observation
    const done = await supersede(this.deps, { config, histories, memories: this.memories(), now })
    const { runs, reprieved, objects, waiting, problems } = done
    const parts = [`${counted(runs, 'run')} superseded`, `${reprieved} reprieved`, `${waiting} left to later passes`]
    this.deps.log.info(`${parts.join(', ')}; ${counted(objects, 'object')} looked at`)
    // What is known now, the next pass need not look at again.
    await this.writeState(done.histories)
    assertNone(
      problems,
      'What newer backups have made dispensable stays until a later pass marks it: no backup is lost.',
    )
  }

  private async reap(): Promise<void> {
    const { outlets, log, signal, now } = this.deps
    const reaped = await reap({ leftovers: outlets.leftovers, log, signal, now }, this.request.place.account)
    const { volumes, snapshots, detached, problems } = reaped
    log.info(
      `leftovers in EBS: ${counted(volumes, 'volume')} and ${counted(snapshots, 'snapshot')} deleted, ${detached} detached`,
    )
    assertNone(
      problems,
      'Look at it in EC2: what bears the tag snapstream:expires, and has expired, nobody needs any more.',
    )
  }
}

/** @throws AgentError of all of them together */
function assertNone(problems: readonly string[], hint: string): void {
  if (problems.length === 0) return
  const more = problems.length - PROBLEMS_SHOWN
  const shown = [...problems.slice(0, PROBLEMS_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])]
  throw new AgentError('STORE_FAILED', shown.join('\n'), { hint })
}

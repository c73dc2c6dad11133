/** Asks Run Command and maintenance windows why backups are missing. Where they do not say, that is no problem of the fleet. */
import { asLoss } from '../../agent/errors'
import { mapUnordered } from '../../agent/lib/unordered'
import type { FleetConfig } from '../model/config'
import type { Explanation, HostHistory, Inventory } from '../model/records'
import type { FleetDeps } from '../vault'
import type { Account, Place } from './account'
import { explainGaps, explainInvocations, findGaps } from './explain'

export interface ExplanationCase {
  readonly config: FleetConfig
  readonly inventory: Inventory
  readonly histories: ReadonlyMap<string, HostHistory>
  readonly accounts: readonly { readonly place: Place; readonly account: Account }[]
  /** By S3's clock, in seconds. */
  readonly now: number
}

/** Three nights: Systems Manager keeps thirty days, and what was before is no longer why a backup is missing now. */
const SINCE_SECONDS = 72 * 3600
/** A backup takes its time: a window that opened this hour has not failed anybody yet. */
const GRACE_SECONDS = 6 * 3600
const ACCOUNTS_IN_FLIGHT = 4

/** @throws AgentError INTERRUPTED */
export async function readExplanations(
  { log, signal }: Pick<FleetDeps, 'log' | 'signal'>,
  given: ExplanationCase,
): Promise<readonly Explanation[]> {
  const explained = await mapUnordered(given.accounts, ACCOUNTS_IN_FLIGHT, async ({ place, account }) => {
    const parts = [() => readFailed(given, place, account), () => readGaps(given, place, account)]
    const found: Explanation[] = []
    for (const part of parts) {
      try {
        found.push(...(await part()))
      } catch (error) {
        signal.throwIfAborted()
        log.debug(`why backups are missing in ${place.account} is not known: ${asLoss(error).message}`)
      }
    }
    return found
  })
  return explained.flat()
}

async function readFailed(
  { config, now }: ExplanationCase,
  place: Place,
  account: Account,
): Promise<readonly Explanation[]> {
  return explainInvocations(place, await account.listFailedInvocations(now - SINCE_SECONDS), config.schedules)
}

/** The last window of each schedule: whom it did not reach. Invocations are listed only where somebody lacks a run. */
async function readGaps(
  { config, inventory, histories, now }: ExplanationCase,
  place: Place,
  account: Account,
): Promise<readonly Explanation[]> {
  const names = config.schedules.map(({ name }) => name)
  if (names.length === 0) return []
  const executions = await account.listWindowExecutions(names, now - SINCE_SECONDS)
  const over = executions.filter(({ startedAt }) => startedAt <= now - GRACE_SECONDS)
  const found: Explanation[] = []
  for (const [, ofWindow] of Map.groupBy(over, ({ window }) => window)) {
    const latest = ofWindow.reduce((a, b) => (b.startedAt > a.startedAt ? b : a))
    const gaps = findGaps(place, latest, config.schedules, inventory, histories)
    if (gaps.length === 0) continue
    const invocations = await Promise.all(latest.commandIds.map((id) => account.listInvocations(id)))
    const reached = new Set(invocations.flat().map(({ nodeId }) => nodeId))
    found.push(...explainGaps(place, latest, gaps, reached))
  }
  return found
}

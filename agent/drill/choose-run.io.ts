/** Finds the run to restore: of the host that was named, or of the one whose turn it is. */
import { randomInt } from 'node:crypto'
import { parseDrillKey, Prefix } from '../contract'
import { AgentError, hasCode } from '../errors'
import type { StoreDeps } from '../context'
import type { DrillRequest } from '../options/commands'
import { findHosts } from '../run/hosts'
import { findRun } from '../run/runs'
import type { FoundRun } from '../run/run-time'
import { orderHosts } from './choose-host'

/** More than enough for chance to be fair. */
const CHANCES = 2 ** 32

/**
 * The newest run that is what its name says, or the one that was named.
 *
 * @param random - from 0 to 1, below 1
 * @throws AgentError UNKNOWN_RUN, MISDATED; ACCESS_DENIED where these credentials may not list the bucket
 */
export async function chooseRun(
  deps: StoreDeps,
  request: DrillRequest,
  random = () => randomInt(CHANCES) / CHANCES,
): Promise<FoundRun> {
  const { host } = request
  if (host !== undefined) return findRun(deps, { ...request, host })
  const hosts: string[] = []
  for await (const found of findHosts(deps, request.class)) hosts.push(found.host)
  const order = orderHosts(hosts, await readDrillTimes(deps, request.class), random)
  let failure: Error | undefined
  for (const next of order) {
    try {
      return await findRun(deps, { ...request, host: next })
    } catch (error) {
      // Hosts whose runs are all misdated must not keep the others from their turn.
      if (!hasCode(error, 'UNKNOWN_RUN') && !hasCode(error, 'MISDATED')) throw error
      failure = error as Error
      deps.log.warn(`${next} has no run to restore: ${failure.message}`)
    }
  }
  throw failure ?? noHost(request)
}

/** By host: when the last drill of it was recorded, in this class. */
async function readDrillTimes({ store, signal }: StoreDeps, className: string): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>()
  for await (const { key, lastModified } of store.list(`${Prefix.drills}/${className}/`, signal)) {
    const host = parseDrillKey(key)?.host
    if (host !== undefined) times.set(host, Math.max(times.get(host) ?? 0, lastModified.getTime()))
  }
  return times
}

function noHost({ class: className }: DrillRequest): AgentError {
  return new AgentError('UNKNOWN_RUN', `no host has a run of class '${className}'`, {
    hint: 'Check --bucket and --class: "snapstream list --hosts" shows which hosts have runs.',
  })
}

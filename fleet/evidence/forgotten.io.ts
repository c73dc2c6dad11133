/**
 * Hosts that an operator said may be forgotten. Each decision is an object of its own, so that nobody but the auditor writes
 * the state, and none is lost to a pass that is under way.
 */
import { HOST_PATTERN, Prefix } from '../../agent/contract'
import type { HostMemory } from '../model/records'
import type { FleetDeps } from '../vault'

const PLACE = `${Prefix.fleet}/forgotten/`
const HOST = new RegExp(HOST_PATTERN)

/**
 * Records that a host may be forgotten; again, where it was said before.
 *
 * @throws AgentError ACCESS_DENIED where these credentials may not write there
 */
export async function forgetHost({ vault, signal, now }: FleetDeps, host: string): Promise<void> {
  const decision = Buffer.from(`${JSON.stringify({ host, saidAt: now().toISOString() })}\n`)
  await vault.write(`${PLACE}${host}`, decision, 'application/json', signal)
}

/** When each was said to be forgettable, by S3's clock, in seconds. */
export async function readForgotten({ vault, signal }: FleetDeps): Promise<ReadonlyMap<string, number>> {
  const forgotten = new Map<string, number>()
  for await (const { key, lastModified } of vault.store.list(PLACE, signal)) {
    const host = key.slice(PLACE.length)
    const at = Math.floor(lastModified.getTime() / 1000)
    if (HOST.test(host) && !Number.isNaN(at)) forgotten.set(host, at)
  }
  return forgotten
}

/** What is remembered, with what operators have decided since. */
export function withForgotten(
  memories: ReadonlyMap<string, HostMemory>,
  forgotten: ReadonlyMap<string, number>,
): ReadonlyMap<string, HostMemory> {
  const merged = new Map(memories)
  for (const [host, forgottenAt] of forgotten) {
    const memory = merged.get(host)
    // Of one that nothing is remembered of there is nothing to forget yet; the decision stays where it is.
    if (memory) merged.set(host, { ...memory, forgottenAt })
  }
  return merged
}

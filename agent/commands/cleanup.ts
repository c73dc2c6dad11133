import { ExitStatus } from '../contract'
import { AgentError, describeError } from '../errors'
import type { Deps } from '../io/deps'
import { takeLock } from '../io/lock'
import { removeLeftovers } from '../io/lvm'
import type { Leftovers } from '../plan/leftovers'
import type { CleanupRequest, Hosted } from '../plan/requests'
import { fit } from '../plan/summary'
import type { Outcome } from './outcome'

/**
 * Removes what killed runs left behind on this host, and nothing else.
 *
 * @throws AgentError BUSY while a run is under way, CLEANUP_FAILED where something could not be removed
 */
export async function cleanup(deps: Deps, request: Hosted<CleanupRequest>): Promise<Outcome> {
  await using _lock = await takeLock(deps)
  const { leftBehind, ...leftovers } = await removeLeftovers(deps, request)
  if (leftBehind.length > 0) throw stillThere(leftBehind)
  return {
    status: ExitStatus.ok,
    summary: formatLeftovers(leftovers, request.dryRun),
    json: { dryRun: request.dryRun, ...leftovers },
  }
}

function stillThere(leftBehind: readonly unknown[]): AgentError {
  const [first, ...others] = leftBehind
  const messages = [first, ...others].map((error) => describeError(error)[0] ?? '')
  const hint = first instanceof AgentError ? first.hint : 'Find out who uses it, then run "snapstream cleanup" again.'
  return new AgentError('CLEANUP_FAILED', messages.join('; '), { hint, cause: first })
}

function formatLeftovers({ mounts, snapshots, uploads }: Leftovers, dryRun: boolean): string {
  const lines = [
    ...mounts.map((mountPoint) => `  mount     ${mountPoint}`),
    ...snapshots.map(({ group, name }) => `  snapshot  ${group}/${name}`),
    ...uploads.map(({ key }) => `  upload    ${key}`),
  ]
  if (lines.length === 0) return 'Nothing was left behind.'
  return fit([`${dryRun ? 'Would remove' : 'Removed'} what killed runs left behind:`, ...lines])
}

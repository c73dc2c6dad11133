import { phaseOf } from './invocations'
import type { Invocation } from './systems-manager'

/**
 * Hosts on which the agent may be at work for a command that was cancelled.
 *
 * @param before - as the command stood before
 * @param after - and after, when hosts that had begun are called cancelled, as those are that had not
 */
export function hostsToStop(before: readonly Invocation[], after: readonly Invocation[]): string[] {
  const running = [...before, ...after].filter(({ status }) => phaseOf(status) === 'running')
  const begun = after.filter(
    ({ status, steps }) => status === 'Cancelled' && steps.some(({ startedAt }) => startedAt !== undefined),
  )
  return [...new Set([...running, ...begun].map(({ instanceId }) => instanceId))]
}

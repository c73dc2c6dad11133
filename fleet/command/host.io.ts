import { ExitStatus } from '../../agent/contract'
import type { Outcome } from '../../agent/outcome'
import { findHost } from '../model/find-host'
import { CALM_STATES } from '../model/records'
import type { Request } from './commands'
import type { CommandDeps } from './context'
import { formatHost, type HostOutput } from './host'

/**
 * Shows all that is known of a host.
 *
 * @throws AgentError UNKNOWN_HOST; as `observeFleet`
 */
export async function host(deps: CommandDeps, request: Request<'host'>): Promise<Outcome<HostOutput>> {
  const seen = await deps.observe({ inventory: request.inventory })
  const view = findHost(seen.view.hosts, request.host, seen.view.accounts)
  const output: HostOutput = {
    at: seen.at,
    view,
    classes: seen.histories.get(view.host)?.classes ?? [],
    explanations: seen.explanations.filter((each) => each.host === view.host),
  }
  return {
    status: CALM_STATES.has(view.state) ? ExitStatus.ok : ExitStatus.incomplete,
    summary: formatHost(output, {
      columns: deps.screen.columns,
      limit: request.limit,
      asked: request.inventory === 'ask',
    }),
    json: output,
  }
}

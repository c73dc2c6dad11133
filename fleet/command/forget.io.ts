import { ExitStatus } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { formatBytes, joinLines } from '../../agent/lib/text'
import type { Outcome, Told } from '../../agent/outcome'
import { forgetHost } from '../evidence/forgotten.io'
import { explainForgetting } from './denied'
import { findHost } from '../model/find-host'
import { shortName } from '../model/wording'
import type { Request } from './commands'
import type { CommandDeps } from './context'
import type { forgetOutput } from './output-schema'

type ForgetOutput = Told<typeof forgetOutput>

/**
 * Records an operator's decision that a host needs no backups any more. Nothing is removed by it: the last runs of the host may
 * then expire, as its classes say.
 *
 * @throws AgentError UNKNOWN_HOST; USAGE where it is not said twice, or the host is still expected to have backups
 */
export async function forget(deps: CommandDeps, request: Request<'forget'>): Promise<Outcome<ForgetOutput>> {
  const { view } = await deps.observe({ inventory: request.inventory })
  const host = findHost(view.hosts, request.host, view.accounts)
  const id = shortName(host.host)
  const by = host.expectedBy.find((each) => each === 'tag' || each === 'list')
  if (by !== undefined) {
    throw new AgentError('USAGE', `${id} is still expected to have backups: ${STILL[by]}`, {
      hint: 'First say that no more are to be made; then forget it.',
    })
  }
  const kept = `${formatBytes(host.storedBytes)} of backups`
  if (request.confirm === undefined || findHost(view.hosts, request.confirm) !== host) {
    throw new AgentError('USAGE', `forgetting ${id} lets the last of its ${kept} expire, and takes it off every list`, {
      hint: `If that is meant, say it twice: snapstream-fleet forget ${id} --confirm ${id}`,
    })
  }
  const { vault } = await deps.openVault()
  await forgetHost({ ...deps, vault }, host.host).catch((error: unknown) => {
    throw explainForgetting(error)
  })
  return {
    status: ExitStatus.ok,
    summary: joinLines([
      `${host.host} is forgotten from the auditor's next pass on.`,
      `  Its ${kept} stay until their classes expire them. A run that it makes from now on brings it back.`,
    ]),
    json: { host: host.host, storedBytes: host.storedBytes },
  }
}

const STILL = {
  tag: 'it bears the tag of a schedule',
  list: 'the configuration of the deployment names it',
} as const

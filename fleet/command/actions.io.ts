/** Commands to hosts, as the program calls them. */
import { SYSTEM_CLOCK } from '../../agent/bucket/retries.io'
import type { Outcome } from '../../agent/outcome'
import { cancel } from './cancel.io'
import { attach, command } from './command.io'
import type { AnyRequest } from './commands'
import type { CommandDeps } from './context'
import type { DocumentCommand } from './documents'
import type { FollowDeps } from './follow.io'
import { liveArea } from './live-area'
import { progressReader } from './progress.io'

type ToHosts = Extract<AnyRequest, { readonly command: Exclude<DocumentCommand, 'cancel'> }>
type ToCommand = Extract<AnyRequest, { readonly commandId: string }>

/** Runs the document that is called like the command. */
export async function tellHosts(deps: CommandDeps, request: ToHosts): Promise<Outcome> {
  const { region, ...follow } = await prepare(deps)
  return command(follow, request.command, request, region)
}

export async function attachTo(deps: CommandDeps, request: ToCommand): Promise<Outcome> {
  return attach(await prepare(deps), request)
}

export async function cancelCommand(deps: CommandDeps, request: ToCommand): Promise<Outcome> {
  return cancel(await prepare(deps), request)
}

async function prepare(deps: CommandDeps): Promise<FollowDeps & { readonly region: string }> {
  const { log, now, signal, screen, openRunCommand, clock = SYSTEM_CLOCK } = deps
  const { service, region, commandLog } = await openRunCommand()
  const readProgress = progressReader({ log, signal, clock }, commandLog)
  return { log, now, signal, clock, screen: liveArea(screen), service, region, readProgress }
}

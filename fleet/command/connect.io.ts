import { chooseCredentials } from '../../agent/bucket/credentials.io'
import { assertSwitches } from '../../agent/bucket/endpoints'
import { httpHandler } from '../../agent/bucket/http-handler.io'
import { readRegion } from '../../agent/bucket/identity.io'
import { planRoute } from '../../agent/bucket/proxy'
import { trustBundle } from '../../agent/bucket/trust.io'
import type { Environment } from '../../agent/options/resolve'
import { commandLog } from './logs.io'
import type { CommandLog, RunCommand } from './systems-manager'
import { runCommand } from './systems-manager.io'

/** To the services that credentials come from. */
const FEW_REQUESTS = { connectionsMax: 4, connectSeconds: 10, silenceSeconds: 30 }

/** Run Command in a region: hosts of others are out of its reach. */
export interface ConnectedRunCommand {
  readonly service: RunCommand
  readonly region: string
  readonly commandLog: () => CommandLog
}

/**
 * Prepares the connection; nothing is sent yet. Where Systems Manager is, AWS's own variables may say.
 *
 * @throws AgentError as `openBucket`, about regions, proxies and variables
 */
export async function connectRunCommand(
  { region: given }: { readonly region: string | undefined },
  environment: Environment,
  signal: AbortSignal,
): Promise<ConnectedRunCommand> {
  const route = planRoute(environment)
  assertSwitches(environment)
  await trustBundle(environment)
  const region = await readRegion({ region: given, endpointUrl: undefined }, environment, signal)
  const credentials = chooseCredentials(environment, httpHandler({ route, ...FEW_REQUESTS }))
  const options = { region, credentials, route }
  return { service: runCommand(options), region, commandLog: () => commandLog(options) }
}

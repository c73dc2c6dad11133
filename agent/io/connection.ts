import type { Environment } from '../plan/config'
import { chooseCredentials, readCaller } from './credentials'
import type { HostDeps } from './deps'
import { readIdentity, type KnownIdentity } from './identity'
import { s3Store, type Store } from './store'

/** The bucket, as this host reaches it. */
export interface Connection {
  readonly store: Store
  /** Name of the host in the bucket. */
  readonly host: string
  readonly region: string
  /** Whose credentials are used: an ARN, or an access key's id. @throws AgentError */
  readonly readCaller: () => Promise<string>
}

/**
 * Finds out who this host is and prepares the connection; nothing is sent to the bucket yet.
 *
 * @throws AgentError USAGE where host or region are not known
 */
export async function connect(
  request: KnownIdentity & { readonly bucket: string },
  environment: Environment,
  { log, signal }: Pick<HostDeps, 'log' | 'signal'>,
): Promise<Connection> {
  const { bucket, endpointUrl } = request
  const { host, region } = await readIdentity(request, environment, signal)
  log.info(`host ${host}, bucket ${bucket} in ${region}${endpointUrl === undefined ? '' : ` at ${endpointUrl}`}`)
  const credentials = chooseCredentials(environment)
  return {
    store: s3Store({ bucket, region, credentials, log, ...(endpointUrl !== undefined && { endpointUrl }) }),
    host,
    region,
    readCaller: () => readCaller(credentials, region, endpointUrl, signal),
  }
}

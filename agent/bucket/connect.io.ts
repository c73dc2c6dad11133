import type { Environment } from '../options/resolve'
import { assertSwitches, chooseEndpoint, describeEndpointSettings } from './endpoints'
import { planRoute, type Proxy } from './proxy'
import { connectToS3, type S3Connection } from './client.io'
import { assumeRole } from './assume-role.io'
import { chooseCredentials, readCaller } from './credentials.io'
import type { HostDeps, Store } from '../context'
import { httpHandler } from './http-handler.io'
import { readIdentity, readRegion, type KnownIdentity } from './identity.io'
import { storeOver } from './store.io'
import { trustBundle } from './trust.io'

/** To the services that credentials come from, and STS. */
const FEW_REQUESTS = { connectionsMax: 8, connectSeconds: 10, silenceSeconds: 30 }

/** A bucket that can be reached. */
export interface Bucket {
  readonly store: Store
  readonly region: string
  /** Whose credentials are used: an ARN, or an access key's id. @throws AgentError */
  readonly readCaller: () => Promise<string>
  /** Which way requests for the bucket take. @throws AgentError */
  readonly readEndpointInfo: () => Promise<EndpointInfo>
}

/** With the connection that its store uses, for what no store does. */
export interface ConnectedBucket extends Bucket {
  readonly s3: S3Connection
}

/** The bucket, as this host reaches it. */
export interface BucketOfHost extends Bucket {
  /** Name of the host in the bucket. */
  readonly host: string
}

/** Which way requests for the bucket take. */
export interface EndpointInfo {
  /** Of the bucket's own host: `https://backups.s3.eu-west-1.amazonaws.com`. */
  readonly endpoint: string
  /** What the environment asks of endpoints, for example `FIPS`. */
  readonly settings: readonly string[]
  readonly proxy: Proxy | undefined
  /** File of the certificates that are trusted besides Node's own. */
  readonly caBundle: string | undefined
}

/**
 * Finds out who this host is and prepares the connection; nothing is sent to the bucket yet.
 *
 * @throws AgentError USAGE or ENDPOINT_UNREACHABLE where host or region are not known, USAGE for a variable about endpoints,
 * CONFIG_INVALID for a proxy or a CA bundle, that cannot be used
 */
export async function openBucketOfHost(
  request: KnownIdentity & BucketName,
  environment: Environment,
  deps: Pick<HostDeps, 'log' | 'signal'>,
): Promise<BucketOfHost> {
  const readWho = (endpointUrl: string | undefined) =>
    readIdentity({ ...request, endpointUrl }, environment, deps.signal)
  const { host, ...bucket } = await reach(request, environment, deps, readWho)
  return { ...bucket, host }
}

interface BucketName {
  readonly bucket: string
  /** Role to assume before the bucket is asked for anything. */
  readonly roleArn?: string | undefined
}

/**
 * Prepares the connection for work that concerns no host, or many. Throws as `openBucketOfHost`, but for hosts.
 */
export async function openBucket(
  request: Omit<KnownIdentity, 'host'> & BucketName,
  environment: Environment,
  deps: Pick<HostDeps, 'log' | 'signal'>,
): Promise<ConnectedBucket> {
  return reach(request, environment, deps, async (endpointUrl) => ({
    region: await readRegion({ ...request, endpointUrl }, environment, deps.signal),
  }))
}

async function reach<Identity extends { readonly region: string; readonly host?: string }>(
  request: { readonly endpointUrl: string | undefined } & BucketName,
  environment: Environment,
  { log, signal }: Pick<HostDeps, 'log' | 'signal'>,
  readWho: (endpointUrl: string | undefined) => Promise<Identity>,
): Promise<ConnectedBucket & Identity> {
  const { bucket, roleArn } = request
  const route = planRoute(environment)
  assertSwitches(environment)
  const endpointUrl = chooseEndpoint(request.endpointUrl, environment)
  const caBundle = await trustBundle(environment)
  const identity = await readWho(endpointUrl)
  const { host, region } = identity
  log.info(
    `${host === undefined ? '' : `host ${host}, `}bucket ${bucket} in ${region}${endpointUrl === undefined ? '' : ` at ${endpointUrl}`}`,
  )
  const handler = httpHandler({ route, ...FEW_REQUESTS })
  const own = chooseCredentials(environment, handler)
  const sessionName = 'snapstream'
  const credentials =
    roleArn === undefined
      ? own
      : assumeRole({ roleArn, credentials: own, region, sessionName, requestHandler: handler })
  const s3 = connectToS3({ bucket, region, credentials, route, log, ...(endpointUrl !== undefined && { endpointUrl }) })
  const store = storeOver(s3)
  return {
    ...identity,
    store,
    s3,
    readCaller: () => readCaller(credentials, region, endpointUrl, signal, handler),
    async readEndpointInfo() {
      const { origin, protocol, hostname, port } = await store.readEndpoint()
      const proxy = route({ protocol, hostname, port: port ? Number(port) : undefined })
      return { endpoint: origin, settings: describeEndpointSettings(environment), proxy, caBundle }
    },
  }
}

import { GetCallerIdentityCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { fromInstanceMetadata } from '@smithy/credential-provider-imds'
import { AgentError } from '../errors'
import type { Environment } from '../options/resolve'

type Credentials = Awaited<ReturnType<ReturnType<typeof defaultProvider>>>
/** The SDK's clients call it again some minutes before what it gave expires, and at once where that was refused. */
export type CredentialProvider = (options?: { readonly forceRefresh?: boolean }) => Promise<Credentials>

/** With one of these somebody has chosen the credentials: nothing is second-guessed. */
const CHOSEN_BY = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
]

/**
 * How long credentials are used that do not say when they expire, before their source is asked again: those of a file
 * that somebody else rewrites in time, as the SSM agent does under Default Host Management. Their tokens last an hour and
 * are replaced well before its end; should one be refused all the same, the source is asked at once.
 */
const UNDATED_SECONDS_MAX = 60
/** The SDK's clients ask again this long before credentials expire (`isIdentityExpired` in @smithy/core). */
const RENEWAL_SECONDS = 300

/**
 * Chooses where credentials come from: what the environment names; else the instance profile; else the SDK's own chain.
 *
 * The SDK alone would prefer the shared file to the instance profile. Where Default Host Management is on, the SSM agent
 * points AWS_SHARED_CREDENTIALS_FILE at the management role's credentials, which may not write backups. It would also read
 * that file once and never again.
 *
 * @param requestHandler - for the services that some credentials come from; those of this host and of its container are
 * asked directly
 * @throws AgentError NO_CREDENTIALS, by the provider that it returns
 */
export function chooseCredentials(environment: Environment, requestHandler?: Handler): CredentialProvider {
  // Made for each time: it keeps what it has read.
  const chain = () =>
    defaultProvider({ ignoreCache: true, ...(requestHandler && { clientConfig: { requestHandler } }) })()
  const mayAskInstance = environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() !== 'true'
  if (!mayAskInstance || CHOSEN_BY.some((name) => environment[name])) return renewing([chain])
  const instanceProfile = fromInstanceMetadata({ timeout: 1000, maxRetries: 2, ec2MetadataV1Disabled: true })
  return renewing([() => instanceProfile(), chain])
}

type Handler = NonNullable<STSClientConfig['requestHandler']>
type Source = () => Promise<Credentials>

/** Stays with the source that had some: another one's credentials may be another role's. */
function renewing(sources: readonly Source[]): CredentialProvider {
  let chosen: Source | undefined
  let current: Credentials | undefined
  let askAgainAt = 0
  const renew = async (): Promise<Credentials> => {
    try {
      const asked = await firstOf(chosen ? [chosen] : sources)
      chosen = asked.source
      current = asked.credentials
    } catch (cause) {
      // A file that is just being written, a metadata service that hiccups: what there is may do until the next time.
      if (!current || hasExpired(current)) throw noCredentials(cause as Error)
    }
    askAgainAt = Date.now() + UNDATED_SECONDS_MAX * 1000
    return current
  }
  return async ({ forceRefresh = false } = {}) => {
    const isFresh = current && Date.now() < askAgainAt && (!current.expiration || !expiresSoon(current.expiration))
    const credentials = current && isFresh && !forceRefresh ? current : await renew()
    if (credentials.expiration) return credentials
    // Without a date the SDK's clients would keep them for ever.
    return { ...credentials, expiration: new Date(Date.now() + RENEWAL_SECONDS * 1000) }
  }
}

function expiresSoon(expiration: Date): boolean {
  return expiration.getTime() - Date.now() < RENEWAL_SECONDS * 1000
}

function hasExpired({ expiration }: Credentials): boolean {
  return expiration !== undefined && expiration.getTime() <= Date.now()
}

async function firstOf(sources: readonly Source[]): Promise<{ source: Source; credentials: Credentials }> {
  let failed: unknown
  for (const source of sources) {
    try {
      return { source, credentials: await source() }
    } catch (error) {
      failed = error
    }
  }
  throw failed
}

function noCredentials(cause: Error): AgentError {
  return new AgentError('NO_CREDENTIALS', `no AWS credentials were found: ${cause.message}`, {
    hint:
      'To a host on EC2 attach an instance profile with the policy of the backup stack. ' +
      'Operators, and hosts elsewhere, set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    cause,
  })
}

/**
 * Whose credentials these are: an ARN as STS knows it; of a server that is not AWS, the access key's id.
 *
 * @throws AgentError NO_CREDENTIALS, CREDENTIALS_EXPIRED, ACCESS_DENIED, ENDPOINT_UNREACHABLE
 */
export async function readCaller(
  credentials: CredentialProvider,
  region: string,
  endpointUrl: string | undefined,
  signal: AbortSignal,
  requestHandler?: Handler,
): Promise<string> {
  const { accessKeyId } = await credentials()
  if (endpointUrl !== undefined) return `access key ${accessKeyId}`
  const client = new STSClient({ region, credentials, maxAttempts: 2, ...(requestHandler && { requestHandler }) })
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal })
    return Arn ?? `access key ${accessKeyId}`
  } catch (cause) {
    signal.throwIfAborted()
    throw explain(cause as Error, region)
  } finally {
    client.destroy()
  }
}

function explain(error: Error, region: string): AgentError {
  const message = `STS in ${region} did not say whose credentials these are: ${error.name}: ${error.message}`
  if (/ExpiredToken/.test(error.name)) {
    return new AgentError('CREDENTIALS_EXPIRED', message, {
      hint: 'Get new credentials, then try again.',
      cause: error,
    })
  }
  if (/InvalidClientTokenId|SignatureDoesNotMatch|AccessDenied/.test(error.name)) {
    return new AgentError('ACCESS_DENIED', message, {
      hint: 'The credentials are wrong or revoked, or the clock of this host is wrong. Check AWS_PROFILE or the instance profile.',
      cause: error,
    })
  }
  return new AgentError('ENDPOINT_UNREACHABLE', message, {
    hint: 'Check the route, HTTPS_PROXY and NO_PROXY, and the VPC endpoint to STS. Backups themselves need S3 only.',
    cause: error,
  })
}

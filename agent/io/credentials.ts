import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { fromInstanceMetadata } from '@smithy/credential-provider-imds'
import { AgentError } from '../errors'
import type { Environment } from '../plan/config'

type Credentials = Awaited<ReturnType<ReturnType<typeof defaultProvider>>>
/** Gives fresh credentials each time it is called; the SDK's clients call it again before they expire. */
export type CredentialProvider = () => Promise<Credentials>

/** With one of these somebody has chosen the credentials: nothing is second-guessed. */
const CHOSEN_BY = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
]

/**
 * Chooses where credentials come from: what the environment names; else the instance profile; else the SDK's own chain.
 *
 * The SDK alone would prefer the shared file to the instance profile. Where Default Host Management is on, the SSM agent
 * points AWS_SHARED_CREDENTIALS_FILE at the management role's credentials, which may not write backups.
 */
export function chooseCredentials(environment: Environment): CredentialProvider {
  const chain = defaultProvider()
  const mayAskInstance = environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() !== 'true'
  if (!mayAskInstance || CHOSEN_BY.some((name) => environment[name])) return () => orExplain(chain())
  const instanceProfile = fromInstanceMetadata({ timeout: 1000, maxRetries: 2, ec2MetadataV1Disabled: true })
  return () => orExplain(instanceProfile().catch(() => chain()))
}

async function orExplain(credentials: Promise<Credentials>): Promise<Credentials> {
  try {
    return await credentials
  } catch (cause) {
    throw new AgentError('NO_CREDENTIALS', `no AWS credentials were found: ${(cause as Error).message}`, {
      hint:
        'On EC2 attach an instance profile with the policy of the backup stack. ' +
        'Elsewhere set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
      cause,
    })
  }
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
): Promise<string> {
  const { accessKeyId } = await credentials()
  if (endpointUrl !== undefined) return `access key ${accessKeyId}`
  const client = new STSClient({ region, credentials, maxAttempts: 2 })
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
      hint: 'The credentials are wrong, revoked, or the clock of this host is. Check AWS_PROFILE or the instance profile.',
      cause: error,
    })
  }
  return new AgentError('ENDPOINT_UNREACHABLE', message, {
    hint: 'Check the route, the proxy and the VPC endpoint to STS. Backups themselves need S3 only.',
    cause: error,
  })
}

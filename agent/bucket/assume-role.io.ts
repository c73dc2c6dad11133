/** Another role's credentials, for work that those at hand are not meant for. */
import { AssumeRoleCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts'
import { AgentError } from '../errors'
import type { CredentialProvider } from './credentials.io'

/** Roles that assume others get no longer session than this (IAM user guide, "role chaining"). */
const SESSION_SECONDS = 3600

export interface AssumedRole {
  readonly roleArn: string
  /** Whose role it is to be assumed with. */
  readonly credentials: CredentialProvider
  readonly region: string
  /** What STS and CloudTrail show of it. */
  readonly sessionName: string
  readonly requestHandler?: NonNullable<STSClientConfig['requestHandler']>
}

/**
 * Assumes the role whenever it is asked for credentials: the SDK's clients do so some minutes before those that they have expire.
 *
 * @throws AgentError ACCESS_DENIED, ENDPOINT_UNREACHABLE, by the provider that it returns
 */
export function assumeRole(role: AssumedRole): CredentialProvider {
  const { roleArn, credentials, region, sessionName, requestHandler } = role
  const client = new STSClient({ region, credentials, maxAttempts: 3, ...(requestHandler && { requestHandler }) })
  const command = { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: SESSION_SECONDS }
  return async () => {
    const { Credentials: given } = await client.send(new AssumeRoleCommand(command)).catch((cause: unknown) => {
      throw explain(cause as Error, role)
    })
    if (given?.AccessKeyId === undefined || given.SecretAccessKey === undefined) {
      throw explain(new Error('it gave no credentials'), role)
    }
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      ...(given.SessionToken !== undefined && { sessionToken: given.SessionToken }),
      ...(given.Expiration && { expiration: given.Expiration }),
    }
  }
}

function explain(cause: Error, { roleArn, region }: AssumedRole): AgentError {
  if (cause instanceof AgentError) return cause
  const message = `STS in ${region} did not let ${roleArn} be assumed: ${cause.name}: ${cause.message}`
  if (/AccessDenied|InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken/.test(cause.name)) {
    return new AgentError('ACCESS_DENIED', message, {
      hint: "Its trust policy has to name this host's role: in the backup stack, drills.hostRoles. Check the ARN, too.",
      cause,
    })
  }
  return new AgentError('ENDPOINT_UNREACHABLE', message, {
    hint: 'Check the route, HTTPS_PROXY and NO_PROXY, and the VPC endpoint to STS.',
    cause,
  })
}

/** Why an account could not be asked, for people. */
import { OPERATOR_RULES, serviceError, UNREACHABLE, type ServiceErrorRule } from '../../agent/bucket/service-errors'
import type { AgentError } from '../../agent/errors'

const RULES: readonly ServiceErrorRule[] = [
  {
    names: ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'OptInRequired'],
    code: 'ACCESS_DENIED',
    hint: 'Deploy the stage of that account, which makes the role that the auditor assumes; or see whether the role still trusts it.',
  },
  ...OPERATOR_RULES,
  {
    names: UNREACHABLE,
    code: 'ENDPOINT_UNREACHABLE',
    hint: 'Check the way to EC2, Systems Manager and STS in that region: DNS, proxy, VPC endpoints.',
  },
]

/**
 * @param error - as the SDK threw it; an AgentError stays what it is
 * @param action - such as `ssm:ListCommandInvocations`
 */
export function accountError(error: unknown, action: string): AgentError {
  const code = action.startsWith('ssm:') ? 'SSM_FAILED' : 'EC2_FAILED'
  return serviceError(error, action, RULES, { code, service: 'AWS' })
}

/** What an operator may not do, and which role may: hints of the agent speak of hosts. */
import { AgentError, hasCode } from '../../agent/errors'

const AUDITOR_HINT =
  'Use the auditor role of the backup stack (its output AuditorRole), for example with AWS_PROFILE. It lists the bucket, and reads ' +
  'manifests and what the auditor keeps. The credentials of a host do neither, by design.'
const ADMINISTRATOR_HINT =
  'That takes s3:PutObject on fleet/forgotten/* of the bucket, which no role of the backup stack has: use an administrator, since it ' +
  'lets backups expire.'

const RESTORER_HINT =
  'Use the restorer role of the backup stack (its output RestorerRole), for example with AWS_PROFILE: it lists the bucket, and reads ' +
  'manifests and catalogs. The auditor role reads no catalogs, and the credentials of a host do not list, by design.'

/** Of whoever looks at the fleet. Any other error stays what it is, and so do credentials that are none. */
export function explainLooking(error: unknown): unknown {
  return explain(error, AUDITOR_HINT)
}

/** Of whoever compares runs. */
export function explainComparing(error: unknown): unknown {
  return explain(error, RESTORER_HINT)
}

/** Of whoever has a host forgotten. */
export function explainForgetting(error: unknown): unknown {
  return explain(error, ADMINISTRATOR_HINT)
}

function explain(error: unknown, hint: string): unknown {
  if (!(error instanceof AgentError) || !hasCode(error, 'ACCESS_DENIED')) return error
  if (error.message.startsWith('the server does not accept the credentials')) return error
  return new AgentError('ACCESS_DENIED', error.message, { hint, cause: error })
}

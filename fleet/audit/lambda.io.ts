/** Where Lambda begins. */
import { agentVersion } from '../../agent/backup/system-record.io'
import { describeError } from '../../agent/errors'
import { createLog } from '../../agent/lib/log'
import { runManifestParserIfAsked } from '../evidence/parser-thread.io'
import { keepHeapSmall } from '../heap.io'
import { openAccounts } from '../inventory/account.io'
import type { AuditorEvent } from '../model/auditor'
import { openVault } from '../vault.io'
import { audit } from './audit.io'
import { awsOutlets } from './outlets.io'
import { parseInvocation } from './request'

/** As far as it is used. */
export interface LambdaContext {
  readonly invokedFunctionArn: string
  getRemainingTimeInMillis(): number
}

/** What is left for the last words, of the time after which Lambda kills. */
const LAST_MILLISECONDS = 20_000

// The threads that read manifests begin here, too.
runManifestParserIfAsked()

/** One pass. Rejects where anything of it did not succeed, when all else is done: Lambda counts that, and an alarm counts with it. */
export async function handler(event: AuditorEvent | null, context: LambdaContext): Promise<void> {
  keepHeapSmall()
  const now = () => new Date()
  const log = createLog('info', now, (line) => process.stdout.write(line))
  const request = parseInvocation({
    event,
    environment: process.env,
    // The deployment puts the text in the place of the variable.
    fleet: process.env.SNAPSTREAM_FLEET,
    arn: context.invokedFunctionArn,
    version: agentVersion,
  })
  const { bucket, topicArn, place } = request
  const signal = AbortSignal.timeout(Math.max(0, Math.floor(context.getRemainingTimeInMillis()) - LAST_MILLISECONDS))
  const where = { bucket, region: place.region, endpointUrl: undefined }
  try {
    const { vault } = await openVault(where, process.env, { log, signal })
    const outlets = awsOutlets({ bucket, topicArn, region: place.region, now })
    const openAccount = openAccounts(bucket, process.env, signal)
    const { observation, failed } = await audit({ vault, log, signal, now, openAccount, outlets }, request)
    const { hosts, overdue } = observation.view
    log.info(`${hosts.length} hosts, ${overdue} without a good backup`)
    if (failed.length > 0) throw new Error(`not all was done: ${failed.map(({ step }) => step).join(', ')}`)
  } catch (error) {
    log.warn(describeError(error).join('\n'))
    throw error
  }
}

/** Objects that lie in Glacier: S3 calls it retrieving, operators know it as `--thaw`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ExitStatus } from '../contract'
import { AgentError } from '../errors'
import { readSegmentStates, type SegmentState } from '../archive/segment-status.io'
import type { Deps } from '../context'
import type { RestoreRequest } from '../options/commands'
import { formatRetrieving } from './retrieval-report'
import type { Outcome, Told } from '../outcome'
import type { waitingOutput } from './output-schema'

/** Between two looks at objects that are being retrieved, which takes minutes to days. */
const POLL_SECONDS = 60

/**
 * Has segments retrieved that are in Glacier, and waits for them if that is wanted.
 *
 * @returns undefined where everything can be read now
 * @throws AgentError OBJECT_ARCHIVED where that was not asked for
 */
export async function retrieveAll(
  deps: Deps,
  request: Pick<RestoreRequest, 'thaw' | 'days' | 'wait'>,
  states: readonly SegmentState[],
): Promise<Outcome<Told<typeof waitingOutput>> | undefined> {
  let waiting = states.filter(({ retrieval }) => retrieval !== 'readable')
  if (waiting.length === 0) return undefined
  if (request.thaw === undefined) throw archived(waiting)
  const options = { tier: request.thaw, days: request.days }
  for (const { segment, retrieval } of waiting)
    if (retrieval === 'archived') await deps.store.retrieve(segment.key, options, deps.signal)
  deps.log.info(`asked for ${waiting.length} archived objects`)
  for (;;) {
    const now = await readSegmentStates(
      deps,
      waiting.map(({ segment }) => segment),
    )
    waiting = now.filter(({ retrieval }) => retrieval !== 'readable')
    if (waiting.length === 0) return undefined
    if (!request.wait) break
    deps.log.info(`waiting for ${waiting.length} archived objects`)
    await sleep(POLL_SECONDS * 1000, undefined, { signal: deps.signal })
  }
  const storageClasses = [...new Set(waiting.map(({ storageClass }) => storageClass))]
  return {
    status: ExitStatus.waitingForGlacier,
    summary: formatRetrieving(waiting.length, storageClasses, options),
    json: { waitingFor: waiting.map(({ segment }) => segment.key), ...options },
  }
}

function archived(states: readonly SegmentState[]): AgentError {
  const [first] = states
  return new AgentError(
    'OBJECT_ARCHIVED',
    `${states.length} objects have to be thawed first, such as ${first?.segment.key ?? ''} in ${first?.storageClass ?? ''}`,
    {
      hint: 'Request them with --thaw bulk, standard or expedited; add --dry-run to see how long that takes, --wait to wait for it.',
    },
  )
}

/**
 * Whether a copy is still attached and mounted: detached by force, or with its instance's hardware, it can no longer be read; and
 * where it is not mounted, tar finds an empty directory.
 */
import type { HostDeps } from '../../context'
import { AgentError, describeError, hasCode } from '../../errors'
import type { OnFault, SnapshotPlan, Watch } from '../source'
import { shows } from '../mount.io'
import { waited } from '../patience.io'
import { findDevice } from './disks'
import { readDisks } from './disks.io'
import type { EbsPlan } from './plan'
import type { EbsRun } from './run.io'

const WATCH_INTERVAL_MS = 5000

/** @throws AgentError SNAPSHOT_INVALID; TOOL_MISSING, OUTPUT_UNREADABLE, COMMAND_FAILED where that cannot be told */
export async function checkCopy(deps: HostDeps, run: EbsRun, plan: EbsPlan): Promise<void> {
  const { mountPoint, partition } = plan.origin
  const volumeId = run.copyOf(plan)
  const device = volumeId === undefined ? undefined : findDevice(await readDisks(deps), volumeId, partition)
  if (!device) {
    throw invalid(`the copy of ${mountPoint}, ${volumeId ?? ''}, is not attached to this host any more`, {
      hint: 'Find out in CloudTrail who detached it, and run the command again.',
    })
  }
  const view = run.views.get(plan)
  if (view && (await shows(deps, plan.mountPoint, device.deviceNumber, view.within))) return
  throw invalid(`the copy of ${mountPoint}, ${volumeId ?? ''}, is not mounted any more`, {
    hint: 'Find out what has ended the process that held its mount ("unshare --mount"), and run the command again.',
  })
}

function invalid(what: string, { hint }: { readonly hint: string }): AgentError {
  return new AgentError('SNAPSHOT_INVALID', what, { hint })
}

/** @param onFault - called once for each that is gone @returns a lease that ends the watch */
export function watchCopies(
  deps: HostDeps,
  plans: readonly EbsPlan[],
  runOf: (plan: EbsPlan) => EbsRun,
  onFault: OnFault,
  intervalMs = WATCH_INTERVAL_MS,
): Watch {
  const stop = new AbortController()
  const watched = new Set<SnapshotPlan>(plans)
  const signal = AbortSignal.any([stop.signal, deps.signal])
  const look = async (plan: EbsPlan) => {
    try {
      await checkCopy({ ...deps, signal }, runOf(plan), plan)
    } catch (error) {
      if (signal.aborted || !watched.has(plan)) return
      if (!hasCode(error, 'SNAPSHOT_INVALID')) {
        // Not the last word: what the watch misses, the check afterwards finds.
        deps.log.warn(`copies could not be watched: ${describeError(error).join(' ')}`)
        return
      }
      watched.delete(plan)
      onFault(plan, error as AgentError)
    }
  }
  const watch = async () => {
    while (await waited(intervalMs, signal)) {
      for (const plan of plans) if (watched.has(plan)) await look(plan)
    }
  }
  const ended = watch()
  return {
    forget: (plan) => void watched.delete(plan),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

import { describeError } from '../../errors'
import { planRelief, snapshotInvalid } from './health'
import type { OnFault, Watch } from '../source'
import type { LvmPlan } from './plan'
import type { SnapshotState } from './reports'
import type { HostDeps } from '../../context'
import { waited } from '../patience.io'
import { changeLvm } from './commands.io'

/** A disk that is written to with 500 MB/s fills a tenth of a snapshot of 10 GiB in this time. */
const WATCH_INTERVAL_MS = 2000

/**
 * Watches the snapshots fill: extends a thick one from the group's free extents while there are any.
 *
 * @param onFault - called once for each snapshot that is no longer valid, or has to go so that the host can go on
 * @returns a lease that ends the watch
 */
export function watchSnapshots(
  deps: HostDeps,
  plans: readonly LvmPlan[],
  onFault: OnFault,
  readState: (deps: HostDeps) => Promise<SnapshotState>,
  intervalMs = WATCH_INTERVAL_MS,
): Watch {
  const stop = new AbortController()
  const watched = new Set(plans)
  // Also of the commands that read: one that hangs must not keep the run from its end.
  const signal = AbortSignal.any([stop.signal, deps.signal])
  const ended = watch({ ...deps, signal }, watched, onFault, readState, intervalMs)
  return {
    forget: (plan) => void watched.delete(plan as LvmPlan),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

async function watch(
  deps: HostDeps,
  watched: Set<LvmPlan>,
  onFault: OnFault,
  readState: (deps: HostDeps) => Promise<SnapshotState>,
  intervalMs: number,
): Promise<void> {
  while (await waited(intervalMs, deps.signal)) {
    try {
      let state = await readState(deps)
      for (const plan of watched) {
        const relief = planRelief(state, plan)
        if (relief && 'extend' in relief) {
          await changeLvm(deps, relief.extend)
          deps.log.info(`extended the snapshot of ${plan.origin.mountPoint}, which was filling up`)
          state = await readState(deps) // it took free extents from the next
        } else if (relief) {
          watched.delete(plan)
          onFault(plan, snapshotInvalid(plan, relief.abandon))
        }
      }
    } catch (error) {
      // Not the last word: what the watch misses, the check afterwards finds.
      if (!deps.signal.aborted) deps.log.warn(`snapshots could not be watched: ${describeError(error).join(' ')}`)
    }
  }
}

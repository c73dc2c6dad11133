/** Copies of disks without snapshots: there at once, but each of a moment of its own, and few at a time. */
import type { HostDeps } from '../../context'
import { describeError } from '../../errors'
import { neverAborted } from '../../lib/never-aborted'
import { sync } from './create.io'
import { volumeTags, type EbsPlan } from './plan'
import { readMarked } from './survey.io'
import { removeVolume, type Teardown } from './teardown.io'

/** Hooks hold applications meanwhile (design limit). */
const REQUEST_SECONDS_MAX = 15

/**
 * Asks for a copy of each disk, once: EC2 makes one of each disk at a time, and five in a region, and refuses all others.
 *
 * @returns ids of the copies by disk; undefined where one of them was refused, with none left
 * @throws AgentError INTERRUPTED
 */
export async function createClones(
  deps: HostDeps,
  teardown: Teardown,
  plans: readonly EbsPlan[],
): Promise<ReadonlyMap<string, string> | undefined> {
  const [{ run, request }] = plans as readonly [EbsPlan]
  for (const { origin } of plans) await sync(deps, origin.mountPoint)
  if (plans.some(({ freeze }) => freeze)) deps.log.warn('nothing is frozen for copies without snapshots')
  const copies = new Map<string, string>()
  try {
    for (const volumeId of new Set(plans.map(({ origin }) => origin.volumeId))) {
      const wanted = { sourceVolumeId: volumeId, clientToken: `${run}-${volumeId}`, tags: volumeTags(request.tags) }
      const copy = await teardown.ec2.copyVolume(wanted, deps.signal, { onceWithinSeconds: REQUEST_SECONDS_MAX })
      copies.set(volumeId, copy.volumeId)
    }
    return copies
  } catch (error) {
    // Also what was made although the answer was lost.
    const { volumes } = await readMarked(teardown.ec2, neverAborted(), run)
    const made = new Set([...copies.values(), ...volumes.map(({ volumeId }) => volumeId)])
    for (const volumeId of made) await removeVolume(teardown, volumeId, true)
    deps.signal.throwIfAborted()
    deps.log.warn(`disks are not copied without snapshots: ${describeError(error)[0] ?? ''}`)
    return undefined
  }
}

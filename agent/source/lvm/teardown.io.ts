/** Removing snapshots: again and again while they are busy, and done already is done. */
import { SNAPSHOT_TAG } from '../../contract'
import type { HostDeps } from '../../context'
import { AgentError } from '../../errors'
import { LVM_TIMEOUT_SECONDS } from './commands.io'
import { neverAborted } from '../../lib/never-aborted'
import { attemptUntil, failedAttempt } from '../patience.io'
import type { SnapshotRef } from './leftovers'
import { lvremove } from './plan'
import { LVS, parseLvs, type LogicalVolume } from './reports'

/**
 * Removes a snapshot that is known to be ours, by its name. That it is gone is believed only of LVM itself: of the
 * command that removed it, or of a report that is understood.
 *
 * @throws AgentError CLEANUP_FAILED
 */
export async function removeSnapshot(deps: HostDeps, { group, snapshot }: SnapshotRef): Promise<void> {
  const failed = await attemptUntil(async () => {
    // Left running where it does not end: half of a removal is worse than a late one.
    const options = { timeoutSeconds: LVM_TIMEOUT_SECONDS, leaveRunning: true }
    const result = await deps.host.attempt(lvremove(group, snapshot), neverAborted(), options)
    if (result.status === 0) return undefined
    return (await listSnapshot(deps, { group, snapshot })) ? failedAttempt(result) : undefined
  })
  if (failed === undefined) {
    deps.log.debug(`removed ${group}/${snapshot}`)
    return
  }
  throw new AgentError('CLEANUP_FAILED', `the snapshot ${group}/${snapshot} cannot be removed: ${failed.text}`, {
    hint:
      `Find out who uses it with "lsof /dev/${group}/${snapshot}", and whether "dmsetup info" calls a device of it SUSPENDED; ` +
      'then run "snapstream cleanup".',
  })
}

/** Removes what a failed command may have made, where it bears our tag: somebody else's of that name is not touched. */
export async function removeSnapshotIfOurs(deps: HostDeps, ref: SnapshotRef): Promise<void> {
  const found = await listSnapshot(deps, ref)
  if (found?.tags.includes(SNAPSHOT_TAG)) await removeSnapshot(deps, ref)
}

async function listSnapshot({ host }: HostDeps, { group, snapshot }: SnapshotRef): Promise<LogicalVolume | undefined> {
  const all = parseLvs(await host.run(LVS, neverAborted(), { timeoutSeconds: LVM_TIMEOUT_SECONDS }))
  return all.find((lv) => lv.group === group && lv.name === snapshot)
}

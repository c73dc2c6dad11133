/** Mounting a copy of a filesystem where its reader alone sees it. */
import type { Clock } from '../../bucket/retries.io'
import { MOUNT_ROOT, RUN_PATTERN } from '../../contract'
import type { HostDeps } from '../../context'
import { AgentError } from '../../errors'
import { neverAborted } from '../../lib/never-aborted'
import { tarCreateListed } from '../../tar/commands'
import { removeMountPoint } from '../mount.io'
import type { MountedSnapshot } from '../source'
import { awaitDevice } from './copy.io'
import { findDevice, type Device } from './disks'
import { readDisks } from './disks.io'
import { openNamespace } from './namespace.io'
import { mountCopy, type EbsPlan } from './plan'
import type { EbsRun } from './run.io'

/** The journal is replayed first, over data that comes from S3 as it is read. */
const MOUNT_TIMEOUT_SECONDS = 1800
const REMOVE_TIMEOUT_SECONDS = 15

/** @throws AgentError MOUNT_FAILED, or why there is no copy to mount */
export async function mountSnapshot(
  deps: HostDeps,
  clock: Clock,
  run: EbsRun,
  plan: EbsPlan,
): Promise<MountedSnapshot> {
  const { origin, mountPoint } = plan
  const volumeId = await run.attachedCopy(deps, plan)
  const device = await awaitDevice(deps, { clock }, volumeId, () => findCopy(deps, volumeId, origin.partition))
  await using held = new AsyncDisposableStack()
  held.defer(() => removeMountPoint(deps, mountPoint))
  const namespace = held.use(await openNamespace(deps))
  const command = namespace.within(mountCopy(origin, `/dev/${device.name}`, mountPoint))
  const { status, stderr } = await deps.host.attempt(command, deps.signal, { timeoutSeconds: MOUNT_TIMEOUT_SECONDS })
  if (status !== 0) throw cannotMount(plan, device, stderr)
  run.views.set(plan, namespace)
  const lease = held.move()
  return {
    source: run.describe(plan),
    tar: namespace.within(plan.tar),
    tarListed: namespace.within(tarCreateListed(mountPoint)),
    tree: namespace.seen(mountPoint),
    [Symbol.asyncDispose]: () => lease.disposeAsync(),
  }
}

async function findCopy(deps: HostDeps, volumeId: string, partition: number | undefined): Promise<Device | undefined> {
  return findDevice(await readDisks(deps), volumeId, partition)
}

/** What a killed run has mounted is gone with it, and leaves empty directories. @param run - as a tag has it */
export async function removeMountPoints({ host }: HostDeps, run: string): Promise<void> {
  if (!new RegExp(RUN_PATTERN).test(run)) return
  const options = { timeoutSeconds: REMOVE_TIMEOUT_SECONDS }
  const onlyEmpty = ['-xdev', '-depth', '-type', 'd', '-empty', '-delete'] as const
  await host.attempt(['find', `${MOUNT_ROOT}/${run}`, ...onlyEmpty], neverAborted(), options)
  await host.attempt(['rmdir', '--ignore-fail-on-non-empty', '--', MOUNT_ROOT], neverAborted(), options)
}

function cannotMount({ origin }: EbsPlan, { name }: Device, stderr: string): AgentError {
  return new AgentError('MOUNT_FAILED', `the snapshot of ${origin.mountPoint} cannot be mounted: ${stderr.trim()}`, {
    hint:
      `"dmesg" says what the kernel found on ${name}. A journal on another device cannot be copied; damage shows in a ` +
      `check of ${origin.device}.`,
  })
}

/** A copy of a disk: a volume that is made from its snapshot and attached to this instance. */
import type { HostDeps } from '../../context'
import type { EbsSnapshot, EbsVolume, Ec2Tags } from '../../ec2'
import { AgentError, describeError } from '../../errors'
import { deviceNames, isTaken, keyHint, snapshotFailure } from './attach'
import { ec2ErrorCode, isNotFound } from './ec2-errors'
import { poll } from './poll.io'
import { NEW_SECONDS_MAX, type Teardown } from './teardown.io'

/** Volumes are there within seconds, without their data (design limit). */
const CREATE_SECONDS_MAX = 900
const ATTACH_SECONDS_MAX = 300
/** What is told to an operator who waits. */
const PROGRESS_SECONDS = 60

/** @throws AgentError EC2_FAILED where it fails, INTERRUPTED */
export async function awaitSnapshot(
  deps: HostDeps,
  { ec2, clock }: Teardown,
  { snapshotId, volumeId }: EbsSnapshot,
): Promise<void> {
  let toldAt = clock.nowSeconds()
  const completed = await poll({ clock, signal: deps.signal }, async () => {
    const [snapshot] = await unlessUnseen(() => ec2.describeSnapshots({ ids: [snapshotId] }, deps.signal))
    if (snapshot?.state === 'completed') return true
    if (snapshot && snapshot.state !== 'pending') throw snapshotFailure(snapshot)
    if (clock.nowSeconds() - toldAt >= PROGRESS_SECONDS) {
      toldAt = clock.nowSeconds()
      deps.log.info(`EC2 has ${snapshot?.detail || 'nothing'} of the snapshot of ${volumeId}`)
    }
    return undefined
  })
  if (!completed) throw late(`${snapshotId} of ${volumeId} is not complete`)
}

/**
 * @param onCreated - told of the volume as soon as it is known
 * @throws AgentError EC2_FAILED, ACCESS_DENIED, INTERRUPTED
 */
export async function createCopy(
  { signal }: Pick<HostDeps, 'signal'>,
  { ec2, clock }: Teardown,
  request: { readonly snapshotId: string; readonly clientToken: string; readonly tags: Ec2Tags },
  onCreated: (volumeId: string) => void,
): Promise<string> {
  const volume = await poll({ clock, signal, secondsMax: NEW_SECONDS_MAX }, async () => {
    try {
      return await ec2.createVolume(request, signal)
    } catch (error) {
      // It is complete, which is not known everywhere yet.
      if (isNotFound(error) || ec2ErrorCode(error) === 'IncorrectState') return undefined
      throw error
    }
  })
  if (!volume) throw late(`EC2 makes no volume of ${request.snapshotId}`)
  onCreated(volume.volumeId)
  await awaitAvailable({ signal }, { ec2, clock }, volume)
  return volume.volumeId
}

/** A volume whose key may not be used is gone again after a moment, without a word. */
export async function awaitAvailable(
  { signal }: Pick<HostDeps, 'signal'>,
  { ec2, clock }: Pick<Teardown, 'ec2' | 'clock'>,
  { volumeId }: Pick<EbsVolume, 'volumeId'>,
): Promise<void> {
  const startedAt = clock.nowSeconds()
  const state = await poll({ clock, signal, secondsMax: CREATE_SECONDS_MAX }, async () => {
    const [volume] = await unlessUnseen(() => ec2.describeVolumes({ ids: [volumeId] }, signal))
    if (volume) return volume.state === 'creating' ? undefined : volume.state
    return clock.nowSeconds() - startedAt > NEW_SECONDS_MAX ? 'gone' : undefined
  })
  if (state === 'available') return
  if (state === undefined) throw late(`${volumeId} is not available`)
  throw new AgentError('EC2_FAILED', `${volumeId}, the copy of a disk, is ${state} as soon as it was made`, {
    hint: keyHint(),
  })
}

/**
 * Attaches it under a name that is free, whatever else is attached meanwhile.
 *
 * @throws AgentError EC2_FAILED, ACCESS_DENIED, INTERRUPTED
 */
export async function attachCopy(deps: HostDeps, { ec2, clock, log }: Teardown, volumeId: string): Promise<void> {
  const { signal } = deps
  const { volumes } = await ec2.describeInstance(signal)
  for (const deviceName of deviceNames(volumes.map((volume) => volume.deviceName))) {
    const attached = await poll({ clock, signal, secondsMax: NEW_SECONDS_MAX }, async () => {
      try {
        await ec2.attachVolume(volumeId, deviceName, signal)
        return deviceName
      } catch (error) {
        if (isTaken(error)) return 'taken'
        // The answer to an earlier request was lost.
        if (ec2ErrorCode(error) === 'VolumeInUse') return (await attachmentOf()) ?? fail(error)
        if (isNotFound(error) || ec2ErrorCode(error) === 'IncorrectState') return undefined
        throw error
      }
    })
    if (attached === undefined) throw late(`${volumeId} cannot be attached`)
    if (attached !== 'taken') {
      await goWithInstance(attached)
      return
    }
    log.debug(`${deviceName} is taken`)
  }
  throw new AgentError('EC2_FAILED', `no device name is free to attach ${volumeId}`, {
    hint: 'Detach a volume from this instance, or leave volumes out with --exclude-volumes.',
  })

  async function attachmentOf(): Promise<string | undefined> {
    const [volume] = await ec2.describeVolumes({ ids: [volumeId] }, signal)
    const { instanceId, deviceName } = volume?.attachment ?? {}
    return instanceId === ec2.instance.instanceId ? deviceName : undefined
  }

  async function goWithInstance(deviceName: string): Promise<void> {
    await ec2.setDeleteOnTermination(deviceName, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      log.debug(`${volumeId} would stay, were the instance terminated now: ${describeError(error)[0] ?? ''}`)
    })
  }
}

function fail(error: unknown): never {
  throw error
}

/** The kernel sees the disk some seconds after EC2 has it attached, and its partitions with it. */
export async function awaitDevice<T>(
  { signal }: Pick<HostDeps, 'signal'>,
  { clock }: Pick<Teardown, 'clock'>,
  volumeId: string,
  find: () => Promise<T | undefined>,
): Promise<T> {
  const device = await poll({ clock, signal, secondsMax: ATTACH_SECONDS_MAX }, find)
  if (device !== undefined) return device
  throw late(`no disk of this host shows the serial of ${volumeId}`)
}

async function unlessUnseen<T>(read: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await read()
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}

function late(what: string): AgentError {
  return new AgentError('EC2_FAILED', `${what}, although it was waited for`, {
    hint: 'Look at it in the EC2 console and at the AWS Health Dashboard, and run the command again.',
  })
}

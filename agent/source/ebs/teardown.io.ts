/** Removing what was made in EBS: EC2 is asked again while it is busy, and what is gone already is gone. */
import type { Clock } from '../../bucket/retries.io'
import type { Log } from '../../context'
import type { EbsVolume, Ec2 } from '../../ec2'
import { AgentError, describeError } from '../../errors'
import { neverAborted } from '../../lib/never-aborted'
import { ec2ErrorCode, isNotFound } from './ec2-errors'
import { poll } from './poll.io'

/** Nothing has it mounted any more: EC2 itself takes its time (design limit). */
const DETACH_SECONDS_MAX = 600
/** For so long after its creation, something may not be known everywhere yet ("Eventual consistency"; design limit). */
export const NEW_SECONDS_MAX = 60

export interface Teardown {
  readonly ec2: Ec2
  readonly log: Log
  readonly clock: Clock
}

/**
 * Detaches a volume and deletes it.
 *
 * @param isNew - it was made in this minute, so that a while may pass until it is found
 * @throws AgentError CLEANUP_FAILED
 */
export async function removeVolume(teardown: Teardown, volumeId: string, isNew = false): Promise<void> {
  const { ec2, log, clock } = teardown
  const signal = neverAborted()
  let state = 'as it is'
  const step = async (): Promise<true | undefined> => {
    const volume = await findVolume(teardown, volumeId, isNew)
    if (!volume || volume.state === 'deleting' || volume.state === 'deleted') return true
    state = volume.attachment?.state ?? volume.state
    if (volume.attachment) {
      const isHeld = ['attached', 'attaching'].includes(volume.attachment.state)
      if (isHeld) await tolerating(['IncorrectState'], () => ec2.detachVolume(volumeId, signal))
      return undefined
    }
    return await tolerating(['VolumeInUse', 'IncorrectState'], async () => {
      await ec2.deleteVolume(volumeId, signal).catch((error: unknown) => {
        if (!isNotFound(error)) throw error // it was there: an earlier request has removed it, whose answer was lost
      })
    })
  }
  const isGone = await poll({ clock, signal, secondsMax: DETACH_SECONDS_MAX }, step).catch((error: unknown) => {
    throw cannotRemove(volumeId, describeError(error)[0] ?? '', error)
  })
  if (!isGone) throw cannotRemove(volumeId, `it stays ${state}`)
  log.debug(`removed ${volumeId}`)
}

async function findVolume({ ec2, clock }: Teardown, volumeId: string, isNew: boolean): Promise<EbsVolume | undefined> {
  const signal = neverAborted()
  return await poll({ clock, signal, secondsMax: isNew ? NEW_SECONDS_MAX : 0 }, async () => {
    try {
      return (await ec2.describeVolumes({ ids: [volumeId] }, signal))[0]
    } catch (error) {
      if (!isNotFound(error)) throw error
      return undefined
    }
  })
}

/** @param isNew - as of volumes @throws AgentError CLEANUP_FAILED */
export async function removeSnapshot({ ec2, log, clock }: Teardown, snapshotId: string, isNew = false): Promise<void> {
  const signal = neverAborted()
  const step = () => tolerating(NOT_FOUND, () => ec2.deleteSnapshot(snapshotId, signal))
  await poll({ clock, signal, secondsMax: isNew ? NEW_SECONDS_MAX : 0 }, step).catch((error: unknown) => {
    throw cannotRemove(snapshotId, describeError(error)[0] ?? '', error)
  })
  log.debug(`removed ${snapshotId}`)
}

const NOT_FOUND = ['InvalidSnapshot.NotFound']

/** @returns undefined where EC2 refuses it with one of these codes: its time has not come */
async function tolerating(codes: readonly string[], act: () => Promise<void>): Promise<true | undefined> {
  try {
    await act()
    return true
  } catch (error) {
    if (codes.includes(ec2ErrorCode(error) ?? '')) return undefined
    throw error
  }
}

function cannotRemove(id: string, why: string, cause?: unknown): AgentError {
  return new AgentError('CLEANUP_FAILED', `${id} cannot be removed: ${why}`, {
    hint: 'Until it is, it costs money. Look at it in the EC2 console, and run "snapstream cleanup" again.',
    cause,
  })
}

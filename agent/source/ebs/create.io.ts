/** Taking snapshots of all disks at one moment, with filesystems held still where that was asked for. */
import type { HostDeps } from '../../context'
import type { EbsSnapshot, Ec2CallOptions, SnapshotsRequest } from '../../ec2'
import { AgentError, describeError, hasCode } from '../../errors'
import { freeze, readAlwaysWritable, type Frozen } from '../../host/freeze.io'
import { mayFreeze, syncFilesystem } from '../../host/freeze'
import { readMounts } from '../../host/filesystems.io'
import { failureKindOf } from './ec2-errors'
import { attemptOf, ofDisks, type EbsPlan } from './plan'
import { poll } from './poll.io'
import type { Teardown } from './teardown.io'

/** Whoever writes waits for it (design limit). EC2 takes a second or two. */
const FROZEN_SECONDS_MAX = 30
/** Of these, for the one request that is made meanwhile. */
const FROZEN_REQUEST_SECONDS_MAX = 15
/** As long as a slow disk takes to write what memory holds (design limit). */
const SYNC_SECONDS_MAX = 600
/** Hooks hold applications meanwhile (design limit). */
const ATTEMPTS_MAX = 5
const BETWEEN_ATTEMPTS_SECONDS = 2
/** How long what a lost answer was about is looked for before it is asked for again (design limit). */
const LOST_SECONDS_MAX = 15

/** By volume. */
type SnapshotsOfDisks = ReadonlyMap<string, EbsSnapshot>

/** What was taken of the disks that were asked for. */
export interface TakenSnapshots {
  readonly snapshots: SnapshotsOfDisks
  /** Mount points of filesystems that were held still until it was done. */
  readonly frozen: readonly string[]
}

/**
 * The request has no token that would make one of two: each attempt marks what it makes, and where an answer is lost, that is
 * looked for before another one.
 *
 * @throws AgentError; some may have been made nevertheless, and bear the tags of the run
 */
export async function createSnapshots(
  deps: HostDeps,
  { ec2, clock }: Pick<Teardown, 'ec2' | 'clock'>,
  plans: readonly EbsPlan[],
): Promise<TakenSnapshots> {
  const { signal, log } = deps
  const tried: SnapshotsRequest[] = []
  const ask = async (options?: Ec2CallOptions): Promise<SnapshotsOfDisks> => {
    const request = attemptOf(plans, tried.length)
    tried.push(request)
    const made = await ec2.createSnapshots(request, signal, options)
    return ofDisks(plans, made) ?? incomplete(made)
  }
  const lookForLost = (secondsMax: number) =>
    poll({ clock, signal, secondsMax }, async () => {
      for (const { tags } of tried) {
        const found = ofDisks(plans, await ec2.describeSnapshots({ tags }, signal))
        if (found) return found
      }
      return undefined
    })

  for (const { origin } of plans) await sync(deps, origin.mountPoint)
  let failure: AgentError | undefined
  if (plans.some((plan) => plan.freeze)) {
    const held = await freezeIfPossible(deps, plans)
    if (held) {
      try {
        await using frozen = held.frozen
        const snapshots = await ask({ onceWithinSeconds: FROZEN_REQUEST_SECONDS_MAX })
        if (await frozen.thaw()) return { snapshots, frozen: held.mountPoints }
        log.warn('filesystems did not stay frozen until their snapshots were taken')
        return { snapshots, frozen: [] }
      } catch (error) {
        failure = retryable(error)
        log.warn(`snapshots are taken without a freeze: ${describeError(error)[0] ?? ''}`)
      }
    }
  }
  for (;;) {
    if (failure !== undefined) {
      const isBusy = failureKindOf(failure.cause) === 'THROTTLING' // then it has not been done, as a rule
      const found = await lookForLost(isBusy ? 0 : LOST_SECONDS_MAX)
      if (found) return { snapshots: found, frozen: [] }
      if (tried.length >= ATTEMPTS_MAX) throw failure
      await clock.sleep(BETWEEN_ATTEMPTS_SECONDS * tried.length, signal)
    }
    try {
      return { snapshots: await ask(), frozen: [] }
    } catch (error) {
      failure = retryable(error)
      log.warn(`${describeError(error)[0] ?? ''}: trying again`)
    }
  }
}

/** @throws unknown the error where EC2 has refused it, or nobody waits for it any more */
function retryable(error: unknown): AgentError {
  if (error instanceof AgentError && failureKindOf(error.cause ?? error) !== 'CLIENT_ERROR') return error
  throw error
}

function incomplete(made: readonly EbsSnapshot[]): never {
  const ids = made.map(({ snapshotId }) => snapshotId).join(', ')
  throw new AgentError('EC2_FAILED', `CreateSnapshots did not make a snapshot of each disk: ${ids || 'none'}`, {
    hint: 'Was a volume detached in this moment? Run the command again.',
  })
}

/** What was written reaches the disk: vfat, and what nobody freezes, has nothing else. */
export async function sync({ host, log, signal }: HostDeps, mountPoint: string): Promise<void> {
  const { status, stderr } = await host.attempt(syncFilesystem(mountPoint), signal, {
    timeoutSeconds: SYNC_SECONDS_MAX,
  })
  if (status !== 0) log.warn(`${mountPoint}: what was just written may be missing in its snapshot: ${stderr.trim()}`)
}

interface Held {
  readonly frozen: Frozen
  readonly mountPoints: readonly string[]
}

/** Those that may be, of the ones that are backed up. */
async function freezeIfPossible(deps: HostDeps, plans: readonly EbsPlan[]): Promise<Held | undefined> {
  const mounts = await readMounts(deps)
  const writable = await readAlwaysWritable(deps)
  const mountPoints = plans
    .map(({ origin }) => origin.mountPoint)
    .filter((mountPoint) => mayFreeze(mountPoint, mounts, writable))
  if (mountPoints.length === 0) return undefined
  try {
    return { frozen: await freeze(deps, mountPoints, FROZEN_SECONDS_MAX), mountPoints }
  } catch (error) {
    if (!hasCode(error, 'FREEZE_UNAVAILABLE')) throw error
    deps.log.warn(`snapshots are taken without a freeze: ${describeError(error).join(' ')}`)
    return undefined
  }
}

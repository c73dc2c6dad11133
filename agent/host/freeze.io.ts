/**
 * Holds filesystems still for moments. Nothing shows that one is frozen, and who writes to it waits, beyond the reach of
 * SIGKILL: so its thaw is left to systemd before it begins, and comes whatever becomes of us.
 */
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import type { CommandResult, HostDeps } from '../context'
import { AgentError, describeError, hasCode } from '../errors'
import { neverAborted } from '../lib/never-aborted'
import { readMounts } from './filesystems.io'
import {
  alwaysWritable,
  fsfreeze,
  fsthaw,
  inFreezingOrder,
  LIST_THAWS,
  mayFreeze,
  parseThaws,
  realpath,
  stopThaw,
  syncFilesystem,
  thawLater,
  thawNow,
  thawUnitName,
  type PendingThaw,
} from './freeze'

/** What systemd answers at once, on a busy host too (design limit). */
const SYSTEMD = { timeoutSeconds: 20 }
/** Nobody waits for it yet: as long as a slow disk takes to write what memory holds (design limit). */
const SYNC_SECONDS_MAX = 600
/** It only wakes those who wait. */
const THAW_SECONDS_MAX = 15

/** Filesystems that are held still. Releasing it thaws them. */
export interface Frozen extends AsyncDisposable {
  /**
   * Thaws them, the last one first.
   *
   * @returns whether all were frozen until now: where not, what was read of them is not of one moment
   * @throws AgentError CLEANUP_FAILED where one stays frozen until its deadline
   */
  thaw(): Promise<boolean>
}

/** The paths that must stay writable on this host, as `mayFreeze` wants them. Throws as `Host.run`. */
export async function readAlwaysWritable({ host, signal }: Pick<HostDeps, 'host' | 'signal'>): Promise<string[]> {
  const ofAgent = [process.execPath, ...process.argv.slice(1, 2), tmpdir()].map((path) => resolve(path))
  const paths = alwaysWritable(ofAgent)
  const led = (await host.run(realpath(paths), signal, SYSTEMD)).split('\0').filter((path) => path !== '')
  return [...paths, ...led]
}

/**
 * Freezes filesystems, all of them or none.
 *
 * @param deadlineSeconds - after that many they are thawed, counted from before the first is frozen
 * @throws AgentError FREEZE_UNAVAILABLE where one may not be frozen, or cannot be, or where there is no systemd to thaw it
 * without us; INTERRUPTED
 */
export async function freeze(deps: HostDeps, mountPoints: readonly string[], deadlineSeconds: number): Promise<Frozen> {
  const ordered = inFreezingOrder(mountPoints)
  await assertAllowed(deps, ordered)
  for (const mountPoint of ordered) await sync(deps, mountPoint)
  await using held = new AsyncDisposableStack()
  const freezes = ordered.map((mountPoint) => planFreeze(deps, mountPoint, deadlineSeconds))
  for (const one of freezes) {
    held.defer(() => one.forget()) // before the command: one that fails may have done its work
    await one.arrangeThaw()
  }
  for (const one of freezes) {
    deps.signal.throwIfAborted()
    held.defer(() => one.thaw())
    await one.freeze()
  }
  const frozen = held.move()
  return {
    async thaw() {
      await frozen.disposeAsync()
      return freezes.every((one) => one.lasted())
    },
    [Symbol.asyncDispose]: () => frozen.disposeAsync(),
  }
}

/** Looks itself, just before: whoever calls may have looked long ago. */
async function assertAllowed(deps: HostDeps, mountPoints: readonly string[]): Promise<void> {
  const mounts = await readMounts(deps)
  const writable = await readAlwaysWritable(deps)
  const refused = mountPoints.find((mountPoint) => !mayFreeze(mountPoint, mounts, writable))
  if (refused === undefined) return
  throw unavailable(refused, 'it is of a type that cannot be, or the host has to write to it meanwhile')
}

async function sync({ host, signal }: HostDeps, mountPoint: string): Promise<void> {
  try {
    await host.run(syncFilesystem(mountPoint), signal, { timeoutSeconds: SYNC_SECONDS_MAX })
  } catch (cause) {
    if (!hasCode(cause, 'COMMAND_FAILED')) throw cause
    throw unavailable(mountPoint, describeError(cause)[0] ?? '', cause)
  }
}

/** The steps for one filesystem, and what is known of it. */
function planFreeze({ host, log }: Pick<HostDeps, 'host' | 'log'>, mountPoint: string, deadlineSeconds: number) {
  const unit = thawUnitName(randomBytes(8).toString('hex'))
  let state: 'free' | 'frozen' | 'unknown' = 'free'
  let lasted = false
  return {
    /** Whether it was frozen until we thawed it. */
    lasted: () => lasted,

    async arrangeThaw(): Promise<void> {
      try {
        await host.run(thawLater(unit, mountPoint, deadlineSeconds), neverAborted(), SYSTEMD)
      } catch (cause) {
        throw unavailable(mountPoint, `systemd would not thaw it without us: ${describeError(cause)[0] ?? ''}`, cause)
      }
    },

    async freeze(): Promise<void> {
      const options = { timeoutSeconds: deadlineSeconds }
      const { status, stderr } = await host.attempt(fsfreeze(mountPoint), neverAborted(), options)
      if (status === 0) state = 'frozen'
      // Killed, it may freeze it yet. What somebody else has frozen, on the other hand, is theirs to thaw.
      else if (status === null) state = 'unknown'
      if (status !== 0) throw unavailable(mountPoint, stderr.trim() || 'it takes too long')
    },

    async thaw(): Promise<void> {
      if (state === 'free') return
      const result = await host.attempt(fsthaw(mountPoint), neverAborted(), { timeoutSeconds: THAW_SECONDS_MAX })
      if (result.status !== 0 && !isNotFrozen(result)) throw stillFrozen(mountPoint, result)
      lasted = result.status === 0
      if (state === 'frozen') state = 'free'
    },

    /** What is frozen still, or may be yet, is left to systemd. */
    async forget(): Promise<void> {
      if (state !== 'free') return
      await host.attempt(stopThaw(unit), neverAborted(), SYSTEMD).catch((error: unknown) => {
        log.debug(`${unit} could not be stopped: ${describeError(error).join(' ')}`)
      })
    },
  }
}

/** "Invalid argument" (ioctl_fsthaw): it has been thawed already. */
function isNotFrozen({ stderr }: CommandResult): boolean {
  return stderr.includes('Invalid argument')
}

/** Filesystems that a killed run left frozen, for systemd to thaw; none where there is no systemd. */
export async function findPendingThaws({ host, signal, log }: HostDeps): Promise<PendingThaw[]> {
  try {
    return parseThaws(await host.run(LIST_THAWS, signal, SYSTEMD))
  } catch (error) {
    if (hasCode(error, 'INTERRUPTED')) throw error
    log.debug(`systemd does not list its timers: ${describeError(error).join(' ')}`)
    return []
  }
}

/** Thaws it now rather than at its deadline. */
export async function thawPending({ host }: HostDeps, { unit }: PendingThaw): Promise<void> {
  // Fails where it was thawed before.
  await host.attempt(thawNow(unit), neverAborted(), SYSTEMD)
  await host.attempt(stopThaw(unit), neverAborted(), SYSTEMD)
}

function unavailable(mountPoint: string, why: string, cause?: unknown): AgentError {
  return new AgentError('FREEZE_UNAVAILABLE', `${mountPoint} cannot be frozen: ${why}`, {
    hint: 'Freezing needs ext2, ext3, ext4 or xfs beside the root, "fsfreeze", a running systemd, and nobody else who freezes.',
    cause,
  })
}

function stillFrozen(mountPoint: string, { stderr }: CommandResult): AgentError {
  return new AgentError('CLEANUP_FAILED', `${mountPoint} cannot be thawed: ${stderr.trim()}`, {
    hint: `systemd thaws it within two minutes; so does "fsfreeze --unfreeze ${mountPoint}", which fails where it is done.`,
  })
}

/** Reads a filesystem in place, into memory: frozen where that can be, else until two readings agree. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Argv, CommandResult, HostDeps } from '../../context'
import { AgentError, hasCode } from '../../errors'
import { readMounts } from '../../host/filesystems.io'
import { freeze } from '../../host/freeze.io'
import { tarMessages, type Warnings } from '../../tar/messages'
import type { TaggedDirectories } from '../../tar/tags'
import { shows, unmount } from '../mount.io'
import type { MountedSnapshot } from '../source'
import { findPackageManager, waitForPackageManagers } from './package-locks.io'
import {
  assertMemory,
  bindMount,
  fileOf,
  MEMINFO,
  mountMemory,
  parseAvailableBytes,
  sha256sum,
  tarIntoMemory,
  type QuietPlan,
} from './plan'
import type { QuietSource } from './record'

/** What the kernel answers at once. */
const KERNEL = { timeoutSeconds: 30 }
/** Whoever writes waits as long: longer than a disk takes for what is read, and shorter than most give up (design limit). */
const FREEZE_SECONDS_MAX = 30
/** What is read is small: a disk that takes longer does not answer (design limit). */
const READ_SECONDS_MAX = 600
/** How long others are waited for. */
export interface Patience {
  /** Before each reading, of which there are no more. */
  readonly beforeReadingsMs: readonly number[]
  /** For package managers, each time. */
  readonly packagesSeconds: number
}

/**
 * Between two readings, longer than the 2 s to which FAT keeps times: what changed meanwhile, and back, shows by its time. A kernel
 * takes as long as that to install on a slow host: an initramfs is made meanwhile (design limit).
 */
const PATIENCE: Patience = { beforeReadingsMs: [0, 2100, 2100, 4000, 8000], packagesSeconds: 120 }
/** A package manager may have begun while the filesystem was read. */
const ATTEMPTS_MAX = 3

interface Reading {
  readonly consistency: QuietSource['consistency']
  readonly takenAt: Date
  readonly warnings: Warnings
  readonly tagged: TaggedDirectories
}

/**
 * @returns a lease that gives the memory back
 * @throws AgentError SNAPSHOT_SPACE where memory is short, MOUNT_FAILED, SNAPSHOT_INVALID where it was unmounted meanwhile, VOLUME_BUSY where a package manager or somebody else
 * does not come to an end, ARCHIVE_FAILED where tar cannot read it
 */
export async function readIntoMemory(
  deps: HostDeps,
  plan: QuietPlan,
  patience: Patience = PATIENCE,
): Promise<MountedSnapshot> {
  const { mountPoint, usedBytes } = plan.origin
  assertMemory([mountPoint], usedBytes, parseAvailableBytes(await deps.host.run(MEMINFO, deps.signal, KERNEL)))
  await using kept = new AsyncDisposableStack()
  kept.defer(() => unmount(deps, plan.memory)) // before the command: one that fails may have made directories
  await mount(deps, plan, mountMemory(plan))
  const { consistency, takenAt, warnings, tagged } = await readUndisturbed(deps, plan, patience)
  const all = kept.move()
  return {
    source: { kind: 'quiet', consistency },
    takenAt,
    tar: ['cat', '--', fileOf(plan)],
    warnings,
    tagged,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function mount({ host, signal }: HostDeps, { origin }: QuietPlan, command: Argv): Promise<void> {
  try {
    await host.run(command, signal, KERNEL)
  } catch (cause) {
    if (!hasCode(cause, 'COMMAND_FAILED')) throw cause
    throw new AgentError('MOUNT_FAILED', `${origin.mountPoint} cannot be read in place: ${(cause as Error).message}`, {
      hint: 'The agent needs to be allowed to mount: in a container, that takes CAP_SYS_ADMIN. "dmesg" may say more.',
      cause,
    })
  }
}

/** Whatever a package manager had begun lay half there. */
async function readUndisturbed(deps: HostDeps, plan: QuietPlan, patience: Patience): Promise<Reading> {
  let holder: string | undefined
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    holder = await waitForPackageManagers(deps, patience.packagesSeconds)
    if (holder !== undefined) break
    const reading = await readOnce(deps, plan, patience)
    holder = await findPackageManager(deps)
    if (holder === undefined) return reading
  }
  throw busy(
    plan,
    `cannot be read while packages are installed: ${holder ?? ''}`,
    'Back it up again when that has ended.',
  )
}

async function readOnce(deps: HostDeps, plan: QuietPlan, patience: Patience): Promise<Reading> {
  await using bound = new AsyncDisposableStack()
  bound.defer(() => unmount(deps, plan.mountPoint))
  await mount(deps, plan, bindMount(plan))
  const frozen = plan.source.consistency === 'frozen' ? await readFrozen(deps, plan) : undefined
  const { takenAt, stderr } = frozen ?? (await readStable(deps, plan, patience))
  await assertStillBound(deps, plan)
  const messages = tarMessages()
  messages.push(Buffer.from(stderr))
  const { leftOut, tagged, warnings } = messages.summary()
  for (const [kind, { count, first }] of leftOut) {
    deps.log.warn(`${plan.origin.mountPoint}: tar left out ${count} ${kind}: ${first}`)
  }
  return { consistency: frozen ? 'frozen' : 'stable-read', takenAt, warnings, tagged }
}

/** Had somebody unmounted it, tar would have found an empty directory, time and again. */
async function assertStillBound(deps: HostDeps, { origin, mountPoint }: QuietPlan): Promise<void> {
  const original = (await readMounts(deps)).findLast(({ target }) => target === origin.mountPoint)
  if (original && (await shows(deps, mountPoint, original.deviceNumber))) return
  throw new AgentError('SNAPSHOT_INVALID', `${origin.mountPoint} was unmounted while it was read`, {
    hint: 'Find out what unmounts filesystems on this host, and run the command again.',
  })
}

/** What tar said, and of when it is. */
interface Said extends Pick<CommandResult, 'stderr'> {
  readonly takenAt: Date
}

/** @returns undefined where it cannot be frozen, or not for as long as the reading took: no one moment was read */
async function readFrozen(deps: HostDeps, plan: QuietPlan): Promise<Said | undefined> {
  const { mountPoint } = plan.origin
  try {
    await using frozen = await freeze(deps, [mountPoint], FREEZE_SECONDS_MAX)
    const takenAt = deps.now()
    const result = await deps.host.attempt(tarIntoMemory(plan), deps.signal, { timeoutSeconds: FREEZE_SECONDS_MAX })
    const lasted = await frozen.thaw()
    if (lasted && result.status === 0) return { ...result, takenAt }
    if (lasted && result.status !== null) throw unreadable(plan, result)
    deps.log.warn(`${mountPoint}: could not be read within the ${FREEZE_SECONDS_MAX} s for which it may be frozen`)
  } catch (error) {
    if (!hasCode(error, 'FREEZE_UNAVAILABLE')) throw error
    deps.log.info(`${mountPoint}: ${(error as Error).message}`)
  }
  return undefined
}

/**
 * Where two readings are the same, nothing changed from some moment after the first to the second, or its content or time would be
 * another: they show the filesystem as it was then.
 */
async function readStable(
  { host, log, signal, now }: HostDeps,
  plan: QuietPlan,
  { beforeReadingsMs }: Patience,
): Promise<Said> {
  const { mountPoint } = plan.origin
  const options = { timeoutSeconds: READ_SECONDS_MAX }
  let failed: CommandResult | undefined
  let before: string | undefined
  for (const [index, pauseMs] of beforeReadingsMs.entries()) {
    if (index > 0) await sleep(pauseMs, undefined, { signal })
    const takenAt = now()
    const result = await host.attempt(tarIntoMemory(plan), signal, options)
    // With status 1, a file changed while it was read; with any other, it may have been taken away.
    const digest = result.status === 0 ? await host.run(sha256sum(plan), signal, options) : undefined
    if (digest !== undefined && digest === before) {
      log.debug(`${mountPoint}: readings ${index} and ${index + 1} are the same`)
      return { ...result, takenAt }
    }
    before = digest
    failed = result.status === 0 || result.status === 1 ? undefined : result
    if (result.hangs) break
  }
  if (failed) throw unreadable(plan, failed)
  throw busy(
    plan,
    `changes all the time: no two of ${beforeReadingsMs.length} readings were the same`,
    `Find out who writes to it with "fuser --verbose --mount ${mountPoint}", or back it up when that is quiet.`,
  )
}

function busy({ origin }: QuietPlan, what: string, hint: string): AgentError {
  return new AgentError('VOLUME_BUSY', `${origin.mountPoint} ${what}`, { hint })
}

function unreadable({ origin }: QuietPlan, { stderr, hangs }: CommandResult): AgentError {
  const why = hangs ? 'tar does not end' : stderr.trim().slice(-2000)
  return new AgentError('ARCHIVE_FAILED', `${origin.mountPoint} cannot be read: ${why}`, {
    hint: 'Where there is "no space left", what was read is larger than what df says: exclude sparse or tiny files. Else see "dmesg".',
  })
}

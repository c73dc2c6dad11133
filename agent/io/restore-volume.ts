import { AgentError, isDataLoss } from '../errors'
import type { Argv } from '../plan/command'
import type { FramePlace } from '../plan/reads'
import { tarExtract, tarPrint, type ConflictPolicy } from '../plan/tar'
import { namingLost } from './damage'
import type { Deps } from './deps'
import { extract, type Extraction, type ExtractOptions } from './extract'
import { inLockstep, type FindPlanned } from './lockstep'
import { showProgress } from './progress'
import { readEntries } from './read-catalog'
import { readRaw } from './reader'
import type { PlannedVolume } from './restore-planner'

const STDOUT = 1

export interface RestoreOptions {
  /** What tar does with names that are taken. @defaultValue 'overwrite' */
  readonly policy?: ConflictPolicy
  /** Mode that the volume's root is given instead of its own. */
  readonly rootMode?: number
}

/**
 * Fetches what was planned and extracts it into a directory.
 *
 * @throws AgentError ARCHIVE_DAMAGED with the names of what is lost, TARGET_UNFIT where the disk did not take it all;
 * what was restored before stays there
 */
export async function restoreVolume(
  deps: Deps,
  plan: PlannedVolume,
  directory: string,
  { policy, ...options }: RestoreOptions = {},
): Promise<Extraction> {
  deps.log.info(`restoring ${plan.volume.mountPoint} to ${directory}: ${plan.entries} entries`)
  const extraction = await run(deps, plan, tarExtract(directory, policy), options)
  await throwUnlessOnDisk(deps, directory)
  return extraction
}

/** What tar wrote may still be in memory: a thin pool that is full, or a failing disk, shows only now. */
async function throwUnlessOnDisk({ host, signal }: Deps, directory: string): Promise<void> {
  const { status, stderr } = await host.attempt(['sync', '--file-system', directory], signal)
  if (status === 0) return
  throw new AgentError('TARGET_UNFIT', `what was restored to ${directory} is not all on disk: ${stderr.trim()}`, {
    hint:
      'The kernel log tells why: a thin pool that is full, or a failing disk. Remove the cause, and restore all of it again: ' +
      'with --on-conflict overwrite, since --resume would take what is in memory for what is on disk.',
  })
}

/** Writes the content of the one file that was planned to standard output. @throws AgentError as `restoreVolume` */
export async function printFile(deps: Deps, plan: PlannedVolume): Promise<void> {
  const { ok, complaint } = await run(deps, plan, tarPrint(), { stdout: STDOUT })
  if (ok) return
  const said = complaint === '' ? 'tar ended early, as it does where nobody reads on' : complaint
  throw new AgentError('COMMAND_FAILED', `the file was not printed whole: ${said}`, {
    hint: 'Print it into a file, or to a command that reads all of it.',
  })
}

async function run(deps: Deps, plan: PlannedVolume, argv: Argv, options: ExtractOptions): Promise<Extraction> {
  const { archive, mountPoint } = plan.volume
  using progress = showProgress(
    mountPoint,
    plan.pieces.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  let damaged: FramePlace | undefined
  const findPlanned: FindPlanned = async (offset) => {
    for await (const entry of readEntries(deps, archive)) if (offset < entry.offset + entry.bytes) return entry
    return undefined
  }
  async function* raw(): AsyncGenerator<Buffer> {
    const read = readRaw(deps, archive, plan.table, plan.pieces, (place) => (damaged = place))
    for await (const chunk of inLockstep(plan.pieces, read, plan.planned, findPlanned)) {
      progress.add(chunk.length)
      yield chunk
    }
  }
  try {
    return await extract(deps, argv, plan.pieces, raw(), options)
  } catch (error) {
    if (!damaged || !isDataLoss(error)) throw error
    const lost = [{ offset: damaged.rawOffset, bytes: damaged.rawBytes }]
    throw await namingLost(deps, archive, lost, error)
  }
}

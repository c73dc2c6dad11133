/** Fetches what was planned of a volume and gives it to tar. */
import type { FrameLocation } from '../archive/frame-reads'
import { readPieces } from '../archive/read.io'
import { namingLost } from '../archive/segment-status.io'
import { ownOffset, wholeArchive } from '../archive/whole-archive'
import type { Argv, Deps } from '../context'
import { AgentError, isDataLoss } from '../errors'
import { showProgress } from '../lib/progress.io'
import { tarPrint } from '../tar/commands'
import { extract, type Extraction, type ExtractOptions } from '../tar/extract'
import { inLockstep, type FindPlanned } from './lockstep'
import type { VolumePlan } from './plan-tally'
import type { RestoreTask } from './restore-task'

const STDOUT = 1

export interface Extracted extends Extraction {
  /** What the archive has of the volume's root, which is to be set when all else is done. */
  readonly root?: Buffer
}

/**
 * Has tar extract the pieces that were planned of a volume, each entry held against the plan before tar is given it.
 *
 * @throws AgentError ARCHIVE_DAMAGED with the names of what is lost, INTERRUPTED
 */
export async function extractPieces(
  deps: Deps,
  task: RestoreTask,
  argv: Argv,
  options: ExtractOptions,
): Promise<Extracted> {
  const { selection, catalog, plan, table } = task
  const { volume } = selection
  const { mountPoint } = volume
  using progress = showProgress(
    mountPoint,
    plan.pieces.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  let damaged: FrameLocation | undefined
  const findPlanned: FindPlanned = async (offset) => {
    for await (const entry of catalog.entries()) {
      if (entry.offset <= offset && offset < entry.offset + entry.bytes) return entry
    }
    return undefined
  }
  async function* raw(): AsyncGenerator<Buffer> {
    const [archive, ownFrom] = [wholeArchive(volume), ownOffset(volume)]
    const read = readPieces(deps, archive, table, plan.pieces, ownFrom, (location) => (damaged = location))
    for await (const chunk of inLockstep(plan.pieces, read, plan.planned, findPlanned)) {
      progress.add(chunk.length)
      yield chunk
    }
  }
  try {
    const { rest, root, pieces } = await splitOffRoot(plan, raw())
    const extraction = await extract(deps, argv, pieces, rest, options)
    return { ...extraction, ...(root.length > 0 && { root }) }
  } catch (error) {
    if (!damaged || !isDataLoss(error)) throw error
    const lost = [{ offset: damaged.rawOffset, bytes: damaged.rawBytes }]
    throw await namingLost(catalog.entries(), lost, error)
  }
}

/** The entry of the volume's root is kept for later: it would open the directory to others before all is there. */
async function splitOffRoot({ pieces, rootBytes }: VolumePlan, raw: AsyncIterable<Buffer>) {
  const chunks = raw[Symbol.asyncIterator]()
  const root: Buffer[] = []
  let rest: Buffer = Buffer.alloc(0)
  for (let missing = rootBytes; missing > 0;) {
    const next = await chunks.next()
    if (next.done) throw new RangeError(`the stream ended ${missing} bytes too early`)
    const chunk: Buffer = next.value
    root.push(Buffer.from(chunk.subarray(0, missing))) // a copy: the chunk is used again
    rest = chunk.subarray(missing)
    missing -= Math.min(missing, chunk.length)
  }
  const [first, ...others] = pieces
  const offset = (first?.offset ?? 0) + rootBytes
  const bytes = (first?.bytes ?? 0) - rootBytes
  return {
    root: Buffer.concat(root),
    rest: startingWith(rest, chunks),
    pieces: first && rootBytes > 0 ? [...(bytes > 0 ? [{ offset, bytes }] : []), ...others] : pieces,
  }
}

async function* startingWith(first: Buffer, others: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (first.length > 0) yield first
    yield* { [Symbol.asyncIterator]: () => others }
  } finally {
    await others.return?.()
  }
}

/** Writes the content of the one file that was planned to standard output. @throws AgentError as `extractPieces` */
export async function printFile(deps: Deps, task: RestoreTask): Promise<void> {
  const { ok, complaint } = await extractPieces(deps, task, tarPrint(), { stdout: STDOUT })
  if (ok) return
  const reason = complaint === '' ? 'tar ended early, as it does when its output is no longer read' : complaint
  throw new AgentError('COMMAND_FAILED', `the file was not printed completely: ${reason}`, {
    hint: 'Print it into a file, or to a command that reads all of it.',
  })
}

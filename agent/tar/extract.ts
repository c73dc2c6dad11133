/** Assembles a tar archive out of pieces of another, and has tar extract it. */
import type { Writable } from 'node:stream'
import { hasCode } from '../errors'
import { headersEnd, renameEntry } from './rewrite'
import type { Deps, Argv } from '../context'
import type { Piece } from './entry'
import { byteQueue } from '../lib/byte-queue'

/** Two blocks of zeros end a tar archive. */
const END_OF_ARCHIVE = Buffer.alloc(1024)

/** What tar said, and whether it was content. */
export interface Extraction {
  readonly ok: boolean
  /** The end of what it wrote to standard error. */
  readonly complaint: string
}

export interface ExtractOptions {
  /** Descriptor that tar writes to; what it prints is dropped where there is none. */
  readonly stdout?: number
  /** Given to tar as descriptors 3, 4, … */
  readonly descriptors?: readonly number[]
}

/**
 * Runs tar on the pieces. What tar could not do is a result; what kept the pieces from being read is an error.
 *
 * @param raw - the pieces' bytes, one after the other, each valid until the next one is asked for
 * @throws AgentError whatever `raw` throws; INTERRUPTED, TOOL_MISSING
 */
export async function extract(
  { host, signal }: Pick<Deps, 'host' | 'signal'>,
  argv: Argv,
  pieces: readonly Piece[],
  raw: AsyncIterable<Buffer>,
  options: ExtractOptions = {},
): Promise<Extraction> {
  const { stdout } = options
  const tar = host.start(argv, signal, options)
  if (stdout === undefined) tar.stdout.resume()
  let unread: Error | undefined
  const archive = catching(assemble(pieces, raw), (error) => (unread = error as Error))
  // Should tar end early, its status tells why, and not the broken pipe; but it must not call that good.
  const tookAll = await feed(tar.stdin, archive).then(
    () => true,
    () => false,
  )
  if (unread !== undefined) tar.kill()
  const failure = await tar.succeeded.then(
    () => undefined,
    (error: unknown) => error as Error,
  )
  if (unread !== undefined) throw unread
  if (failure !== undefined && !hasCode(failure, 'COMMAND_FAILED')) throw failure
  const complaint = tar.stderrTail().trim()
  if (failure !== undefined || complaint !== '') return { ok: false, complaint }
  return { ok: tookAll, complaint: tookAll ? '' : 'tar ended before the end of the archive' }
}

/** One piece at a time, as each is valid only until the next. */
async function feed(stdin: Writable, archive: AsyncIterable<Buffer>): Promise<void> {
  for await (const piece of archive) {
    await new Promise<void>((resolve, reject) => stdin.write(piece, (error) => (error ? reject(error) : resolve())))
  }
  stdin.end()
}

async function* catching(source: AsyncIterable<Buffer>, take: (error: unknown) => void): AsyncGenerator<Buffer> {
  try {
    yield* source
  } catch (error) {
    take(error)
    throw error
  }
}

/** The pieces, renamed where they have to be, and the end of an archive. */
async function* assemble(pieces: readonly Piece[], raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = byteQueue(raw)
  try {
    for (const { bytes, renaming } of pieces) {
      let rest = bytes
      if (renaming) {
        const headers = await takeHeaders((count) => input.take(count))
        yield renameEntry(headers, renaming)
        rest -= headers.length
      }
      yield* input.take(rest)
    }
    yield END_OF_ARCHIVE
  } finally {
    await input.close()
  }
}

async function takeHeaders(take: (bytes: number) => AsyncIterable<Buffer>): Promise<Buffer> {
  let headers = Buffer.alloc(0)
  for (;;) {
    const missing = headersEnd(headers) - headers.length
    if (missing === 0) return headers
    for await (const chunk of take(missing)) headers = Buffer.concat([headers, chunk])
  }
}

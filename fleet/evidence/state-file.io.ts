/** The state of a fleet in the bucket: read whole or not at all, written as one object. */
import { pipeline } from 'node:stream/promises'
import { createZstdCompress, createZstdDecompress } from 'node:zlib'
import { Readable } from 'node:stream'
import { FLEET_STATE_KEY } from '../../agent/contract'
import { asLoss, hasCode, isDataLoss } from '../../agent/errors'
import { printableLine } from '../../agent/lib/printable'
import { tidyHeap } from '../heap.io'
import { formatState, stateParser, type FleetState } from './state'
import type { FleetDeps } from '../vault'

/** That of 50,000 hosts with 35 runs each (design limit). */
const STATE_BYTES_MAX = 256 * 1024 ** 2
/** Of its text: no line is as long as a hundred thousand runs of a host would make it. */
const LINE_CHARACTERS_MAX = 32 * 1024 ** 2
const TEXT_CHUNK_BYTES = 256 * 1024
const PROBLEM_CHARACTERS_MAX = 200

/**
 * What the last pass left; undefined where there was none. A state that is damaged, or of another format, is said to be so, and
 * counts for nothing: all that is in it but memories can be read again.
 *
 * @param onProblem - told why a state counts for nothing, besides the log
 * @throws AgentError where the bucket cannot be read
 */
export async function readState(
  { vault, log, signal }: FleetDeps,
  onProblem: (problem: string) => void = () => undefined,
): Promise<FleetState | undefined> {
  try {
    const { body } = await vault.store.get(FLEET_STATE_KEY, STATE_BYTES_MAX, signal)
    return await parseState(body)
  } catch (error) {
    if (hasCode(error, 'OBJECT_MISSING')) return undefined
    const loss = asLoss(error)
    if (!isDataLoss(loss)) throw error
    const why = printableLine(loss.message).slice(0, PROBLEM_CHARACTERS_MAX)
    onProblem(why)
    log.warn(`${FLEET_STATE_KEY} is no state of a fleet (${why}): all manifests are read again`)
    return undefined
  }
}

async function parseState(stored: Buffer): Promise<FleetState> {
  const parser = stateParser()
  await pipeline(
    Readable.from([stored]),
    createZstdDecompress({ chunkSize: TEXT_CHUNK_BYTES }),
    async (text: AsyncIterable<Buffer>) => {
      for await (const line of linesOf(text)) parser.push(line)
    },
  )
  const state = parser.finish()
  tidyHeap()
  return state
}

async function* linesOf(text: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let begun = ''
  for await (const piece of text) {
    const [first = '', ...more] = decoder.decode(piece, { stream: true }).split('\n')
    begun += first
    if (begun.length > LINE_CHARACTERS_MAX) throw new Error('it has a line without an end')
    if (more.length === 0) continue
    yield begun
    begun = more.pop() ?? ''
    yield* more
  }
  if (begun !== '') throw new Error('its last line has no end')
}

/**
 * Replaces what is remembered. The object is there whole, or as it was before.
 *
 * @throws AgentError
 */
export async function writeState({ vault, signal }: FleetDeps, state: FleetState): Promise<void> {
  tidyHeap()
  const compressed = createZstdCompress()
  const written = vault.write(FLEET_STATE_KEY, compressed, 'application/zstd', signal)
  // Whoever writes has the error of both.
  await Promise.all([pipeline(Readable.from(piecesOf(state)), compressed), written])
}

/** Pieces of some size: one for each host would take longer to hand over than to compress. */
function* piecesOf(state: FleetState): Generator<Buffer> {
  let piece = ''
  for (const line of formatState(state)) {
    piece += `${line}\n`
    if (piece.length < TEXT_CHUNK_BYTES) continue
    yield Buffer.from(piece)
    piece = ''
  }
  yield Buffer.from(piece)
}

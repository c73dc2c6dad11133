/**
 * What tar is given during a restore, held entry by entry against what was planned: the plan is made of the catalog, and
 * whoever wrote an archive may have written something else into it.
 */
import { AgentError, hasCode } from '../errors'
import { headersAcross } from '../tar/rewrite'
import { findAmbiguity } from '../tar/strict-headers'
import { scanTar } from '../tar/scanner'
import { compareEntries } from '../verify/report'
import type { PlannedCursor, PlannedEntries } from './planned-entries.io'
import type { CatalogEntry, Piece } from '../tar/entry'

/**
 * Of one entry, while it is not known to be the planned one. Beyond this, the map of a sparse file is passed on as it
 * comes: tar makes no file before it has all of the map.
 */
const HELD_BYTES_MAX = 1024 * 1024

/** Looks up what the catalog has at a byte of the tar stream. */
export type FindPlanned = (offset: number) => Promise<CatalogEntry | undefined>

/**
 * Passes on the bytes of the entries that were planned. Nothing of an entry is passed on before its headers have shown
 * that it is the one that was planned next, in every field that the catalog has, and that tar can read them in one way only.
 *
 * @param pieces - what was planned, in ascending order
 * @param raw - their bytes, one after the other, each chunk valid until the next one is asked for; so are those passed on
 * @param findPlanned - to say what should have been there
 * @throws AgentError ARCHIVE_DAMAGED at the first entry that differs, is missing, or was not planned
 */
export async function* inLockstep(
  pieces: readonly Piece[],
  raw: AsyncIterable<Buffer>,
  planned: PlannedEntries,
  findPlanned: FindPlanned,
): AsyncGenerator<Buffer, void, undefined> {
  const lockstep = entryLockstep(planned.start())
  const queue = pieces[Symbol.iterator]()
  let piece: Piece | undefined
  let left = 0
  for await (const chunk of raw) {
    for (let at = 0; at < chunk.length;) {
      if (!piece || left === 0) {
        piece = queue.next().value
        if (!piece) throw new RangeError('the stream is longer than the pieces')
        left = piece.bytes
      }
      const portion = chunk.subarray(at, at + left)
      at += portion.length
      left -= portion.length
      try {
        yield* lockstep.push(portion, piece, piece.bytes - left - portion.length)
        if (left === 0) lockstep.endPiece(piece)
      } catch (error) {
        const difference = lockstep.difference()
        throw difference ? await explain(difference, findPlanned) : error
      }
    }
  }
  if (left > 0 || !queue.next().done) throw new RangeError('the stream is shorter than the pieces')
  lockstep.finish()
}

/** What is not as planned, and where in the tar stream. */
interface Difference {
  readonly offset: number
  readonly found?: CatalogEntry
  readonly what?: string
}

function entryLockstep(planned: PlannedCursor) {
  /** Start in the tar stream minus start in what is scanned, for the piece that passes by. */
  let shift = 0
  let portion: Buffer = Buffer.alloc(0)
  let portionStart = 0
  /** Up to here, all entries are the planned ones; in what is scanned, as are the next ones. */
  let confirmedTo = 0
  let held: Buffer[] = []
  let heldBytes = 0
  let isRenamed = false
  let isInMap = false
  let difference: Difference | undefined

  const scanner = scanTar(takeEntry, { isStrict: true, onMapStart: takeMapStart })

  return {
    difference: () => difference,
    *push(next: Buffer, piece: Piece, at: number): Generator<Buffer> {
      portion = next
      shift = piece.offset + at - portionStart
      isRenamed = piece.renaming !== undefined
      scan()
      const heldFrom = portionStart - heldBytes
      const isLongMap = isInMap && heldBytes > HELD_BYTES_MAX
      const passes = isLongMap ? portion.length : Math.min(confirmedTo - portionStart, portion.length)
      if (isLongMap || confirmedTo > heldFrom) {
        yield* held
        if (passes > 0) yield portion.subarray(0, passes)
        held = []
        heldBytes = 0
      }
      const rest = portion.subarray(Math.max(passes, 0))
      if (rest.length > 0) held.push(Buffer.from(rest)) // a copy: the chunk is used again
      heldBytes += rest.length
      portionStart += portion.length
    },
    endPiece({ offset, bytes }: Piece): void {
      if (confirmedTo === portionStart) return
      refuse({ offset: Math.min(confirmedTo + shift, offset + bytes - 1), what: 'there is no entry that is whole' })
    },
    finish(): void {
      if (!planned.isDone()) throw damaged('entries that were planned are not in the archive')
    },
  }

  function scan(): void {
    try {
      scanner.push(portion)
    } catch (error) {
      if (!hasCode(error, 'ARCHIVE_FAILED')) throw error
      refuse({ offset: confirmedTo + shift, what: (error as Error).message })
    }
  }

  function refuse(what: Difference): never {
    difference = what
    throw damaged('an entry differs')
  }

  function takeMapStart(scanned: CatalogEntry): void {
    const entry = { ...scanned, offset: scanned.offset + shift }
    isInMap = true
    if (!isRenamed && !planned.takeMapStart(entry)) refuse({ offset: entry.offset, found: entry })
    assertUnambiguous(scanned)
  }

  function takeEntry(scanned: CatalogEntry): void {
    const entry = { ...scanned, offset: scanned.offset + shift }
    const isPlanned = isRenamed ? planned.isRenamed(entry) : planned.take(entry)
    if (!isPlanned) refuse({ offset: entry.offset, found: entry })
    if (!isInMap) assertUnambiguous(scanned)
    isInMap = false
    confirmedTo = scanned.offset + scanned.bytes
  }

  function assertUnambiguous({ offset }: CatalogEntry): void {
    const what = findAmbiguity(headersAcross(held, portion, offset - portionStart))
    if (what !== undefined) refuse({ offset: offset + shift, what: `its headers can be read in two ways: ${what}` })
  }
}

async function explain({ offset, found, what }: Difference, findPlanned: FindPlanned): Promise<AgentError> {
  const planned = await findPlanned(offset).catch(() => undefined)
  const place = `${planned ? `'${clip(planned.path)}'` : 'nothing'} is planned at byte ${offset} of the tar stream`
  if (!found) return damaged(`${place}, and ${what ?? 'nothing is there'}`)
  const differences = planned ? compareEntries(planned, found).map(clip) : []
  return damaged(`${place}, and the ${found.type} '${clip(found.path)}' is there: ${differences.join(', ')}`)
}

/** Names have no limit in a tar archive. */
function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

function damaged(what: string): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `the archive is not what its catalog says: ${what}`, {
    hint:
      'Neither the entry that differs nor anything after it was restored. Find out who has written to the bucket as this ' +
      'host, and restore from another run that "snapstream verify" finds good.',
  })
}

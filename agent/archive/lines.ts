/** Cuts a catalog's text into lines as it comes, in linear time however it is cut and however long its lines are. */
import { onPage } from '../pages'
import { AgentError } from '../errors'
import { LINE_BYTES_MAX } from './catalog'

const NEWLINE = 0x0a

export interface LineSplitter {
  /**
   * The lines that end in this piece, without their newlines.
   *
   * @throws AgentError ARCHIVE_DAMAGED for a line of more than `LINE_BYTES_MAX`
   */
  push(piece: Buffer): string[]
  /** What follows the last newline, if anything. */
  finish(): string[]
}

export function lineSplitter(): LineSplitter {
  const begun = lineStart()
  return {
    push(piece) {
      const end = piece.lastIndexOf(NEWLINE)
      if (end < 0) {
        begun.add(piece)
        return []
      }
      const next = piece.indexOf(NEWLINE)
      begun.add(piece.subarray(0, next))
      const first = begun.take().toString()
      begun.add(piece.subarray(end + 1))
      return next === end ? [first] : [first, ...piece.toString('utf8', next + 1, end).split('\n')]
    },
    finish() {
      const rest = begun.take()
      return rest.length > 0 ? [rest.toString()] : []
    },
  }
}

/** Gathers the pieces of one line. */
export function lineStart(): { readonly add: (piece: Buffer) => void; readonly take: () => Buffer } {
  let pieces: Buffer[] = []
  let bytes = 0
  return {
    add(piece) {
      bytes += piece.length
      if (bytes > LINE_BYTES_MAX) {
        throw new AgentError('ARCHIVE_DAMAGED', `the catalog has a line of more than ${LINE_BYTES_MAX} bytes`, {
          hint: `The archive may be good all the same: restore it by hand as ${onPage('restore-by-hand')} says.`,
        })
      }
      if (piece.length > 0) pieces.push(Buffer.from(piece)) // a copy: the piece is used again
    },
    take() {
      const line = Buffer.concat(pieces)
      pieces = []
      bytes = 0
      return line
    },
  }
}

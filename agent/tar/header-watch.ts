/** Keeps what is needed of a tar stream to look at each entry's headers as it is scanned, in pieces of any size. */
import { headersAcross } from './rewrite'

export interface HeaderWatch {
  /** To be called with each piece before it is scanned. */
  begin(piece: Buffer): void
  /** While a piece is scanned: the headers of the entry that starts there, of which the last block is in this piece. */
  headersAt(offset: number): Buffer
  /** Nothing is wanted any more of what comes before this place in the stream. */
  pass(offset: number): void
  /** Nothing is wanted until the next `pass`: the map of a sparse file may be as long as its data. */
  skip(): void
  /** To be called when a piece was scanned. */
  end(): void
}

export function watchHeaders(): HeaderWatch {
  let piece: Buffer = Buffer.alloc(0)
  let pieceStart = 0
  let held: Buffer[] = []
  let heldBytes = 0
  let passedTo = 0
  let isSkipping = false
  return {
    begin(next) {
      piece = next
    },
    headersAt: (offset) => headersAcross(held, piece, offset - pieceStart),
    pass(offset) {
      passedTo = offset
      isSkipping = false
    },
    skip() {
      isSkipping = true
    },
    end() {
      if (isSkipping || passedTo > pieceStart - heldBytes) {
        held = []
        heldBytes = 0
      }
      const rest = piece.subarray(Math.max(passedTo - pieceStart, 0))
      if (!isSkipping && rest.length > 0) {
        held.push(Buffer.from(rest)) // a copy: the piece is used again
        heldBytes += rest.length
      }
      pieceStart += piece.length
    },
  }
}

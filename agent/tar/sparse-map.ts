/** Maps of sparse files that lie at the beginning of their data (GNU sparse format 1.0). */
import { brokenTar } from './header'

/** Reads one map after another: decimal numbers, one a line; how many pairs there are first, then offsets and sizes by turns. */
export interface SparseMapReader {
  /** Begins with the next map. @param fileBytes - size of the file with its holes */
  start(fileBytes: number): void
  /**
   * Takes what comes next of the data; what follows the map in it is left alone.
   *
   * @param offset - in the stream, for messages
   * @throws AgentError ARCHIVE_FAILED where it is no map
   */
  push(data: Buffer, start: number, end: number, offset: number): void
  isWhole(): boolean
  /** Whether it says in order, within the file's size, where all of the data belongs. @param dataBytes - that follow it */
  isGood(dataBytes: number): boolean
}

const NEWLINE = 0x0a
const ZERO = 0x30
const NINE = 0x39

export function sparseMapReader(): SparseMapReader {
  let numbersLeft = -1 // -1 before the first is read
  let number = 0
  let fileBytes = 0
  let pieceStart = -1
  let end = 0
  let dataBytes = 0
  let isInOrder = true

  function take(): void {
    if (numbersLeft < 0) {
      numbersLeft = number * 2
    } else {
      if (pieceStart < 0) startPiece()
      else endPiece()
      numbersLeft--
    }
    number = 0
  }

  function startPiece(): void {
    pieceStart = number
    if (pieceStart < end) isInOrder = false
  }

  function endPiece(): void {
    end = Math.min(pieceStart + number, Number.MAX_SAFE_INTEGER)
    dataBytes += number
    pieceStart = -1
  }

  return {
    start(bytes) {
      numbersLeft = pieceStart = -1
      number = end = dataBytes = 0
      isInOrder = true
      fileBytes = bytes
    },
    push(data, start, stop, offset) {
      for (let index = start; index < stop && numbersLeft !== 0; index++) {
        const byte = data[index] as number
        if (byte >= ZERO && byte <= NINE) number = Math.min(number * 10 + (byte - ZERO), Number.MAX_SAFE_INTEGER)
        else if (byte === NEWLINE) take()
        else throw brokenTar(offset, 'the map of a sparse file is malformed')
      }
    },
    isWhole: () => numbersLeft === 0,
    isGood: (expectedBytes) => isInOrder && end <= fileBytes && dataBytes === expectedBytes,
  }
}

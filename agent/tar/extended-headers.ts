/** Headers that say more of the entry that follows them: pax (`x`, for all that follow `g`) and GNU's long names (`L`, links `K`). */
import { AgentError } from '../errors'
import { PATH_BYTES_MAX } from './entry'
import type { Extension } from './extension'
import { brokenTar, decodeName, decodePath, flawOf, nameEnd } from './header'
import { BLOCK_BYTES, padded } from './layout'
import { paxReader } from './pax-records'

/**
 * Of one entry's headers, extended ones included (design limit): a restore holds them until they have shown that the entry
 * is the planned one. A thousand extended attributes fit, of 64 KiB each, which is the most that Linux takes.
 */
export const HEADERS_BYTES_MAX = 64 * 1024 ** 2

/** What the extended headers in front of an entry say. */
export interface Extended {
  readonly extension: Readonly<Extension>
  /** In the stream: where the first of them begins; undefined where there are none. */
  readonly start?: number
}

/** All functions throw AgentError ARCHIVE_FAILED. */
export interface ExtendedHeaders {
  /**
   * Begins with an extended header whose first block is at `offset` in the stream.
   *
   * @param bytes - that follow it, padding not counted
   * @returns how many bytes, padding included, `takeName` is to be given at once; undefined where they are for `push`
   */
  start(flag: string, bytes: number, offset: number): number | undefined
  takeName(data: Buffer, at: number): void
  /** Takes what comes next of the header: some of it, and of the zeros behind it. @returns how many of the bytes */
  push(data: Buffer, at: number, bytes: number): number
  /** Whether all of the header has been pushed. */
  isWhole(): boolean
  /** Whether there are any since the last entry, other than those for all that follow. */
  areOpen(): boolean
  /** Ends them: the entry's own header has come. */
  take(): Extended
}

export function isExtended(flag: string): boolean {
  return flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K'
}

export function headersTooLong(offset: number): AgentError {
  return brokenTar(offset, `its headers have more than ${HEADERS_BYTES_MAX} bytes`)
}

/** Why the entry cannot be described. @throws unknown the error where that is not tolerated, or is none of the stream's */
export function toleratedFlaw(error: unknown, isTolerant: boolean): string {
  if (!isTolerant || !(error instanceof AgentError)) throw error
  return flawOf(error)
}

/** @param isTolerant - what they belong to cannot be described where they are wrong; otherwise that is an error */
export function extendedHeaders(isTolerant: boolean): ExtendedHeaders {
  const globals: Extension = {}
  let extension: Extension = {} // of the next entry
  let entryStart = -1 // of those read so far; -1 if there are none
  let headerBytes = 0 // of all since the last entry
  let nameFlag = ''
  let nameBytes = 0
  // A pax header that is passing by.
  const pax = paxReader()
  let described = globals
  let isReading = false
  let recordsLeft = 0
  let paddingLeft = 0

  /** What these belong to cannot be described: what they still say does not matter. */
  function flawed(error: unknown): void {
    described.undescribed ??= toleratedFlaw(error, isTolerant)
    isReading = false
  }

  return {
    start(flag, bytes, offset) {
      if (!(bytes > 0)) throw brokenTar(offset, `an extended header of ${bytes} bytes`)
      if (flag !== 'g' && entryStart < 0) {
        entryStart = offset
        extension = { ...globals }
      }
      headerBytes += BLOCK_BYTES + padded(bytes)
      const isBeyondLimit = headerBytes + BLOCK_BYTES > HEADERS_BYTES_MAX
      const isName = flag === 'L' || flag === 'K'
      if (isName && bytes <= PATH_BYTES_MAX && !isBeyondLimit) {
        nameFlag = flag
        nameBytes = bytes
        return padded(bytes)
      }
      described = flag === 'g' ? globals : extension
      isReading = true
      pax.start(offset, described)
      if (isBeyondLimit) flawed(headersTooLong(offset))
      else if (isName) flawed(brokenTar(offset, `its name or link has ${bytes} bytes`))
      recordsLeft = bytes
      paddingLeft = padded(bytes) - bytes
      return undefined
    },

    takeName(data, at) {
      if (nameFlag === 'L') extension.path = decodePath(data, at, nameEnd(data, at, nameBytes))
      else extension.link = decodeName(data, at, nameEnd(data, at, nameBytes))
    },

    push(data, at, bytes) {
      const records = Math.min(recordsLeft, bytes)
      recordsLeft -= records
      if (isReading) {
        try {
          pax.push(data, at, at + records)
          if (recordsLeft === 0) pax.finish()
        } catch (error) {
          flawed(error)
        }
      }
      const padding = recordsLeft > 0 ? 0 : Math.min(paddingLeft, bytes - records)
      paddingLeft -= padding
      return records + padding
    },

    isWhole: () => recordsLeft === 0 && paddingLeft === 0,
    areOpen: () => entryStart >= 0,

    take() {
      headerBytes = 0
      if (entryStart < 0) return { extension: globals }
      const start = entryStart
      entryStart = -1
      return { extension, start }
    },
  }
}

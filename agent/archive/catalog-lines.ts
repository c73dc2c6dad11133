/** Reads a catalog's lines strictly: nothing is not the same as not understood. */
import { onPage } from '../pages'
import { AgentError } from '../errors'
import type { Archive } from './archive'
import { lineSplitter } from './lines'
import {
  parseCatalogLine,
  type CatalogEnd,
  type CatalogFrames,
  type CatalogHeader,
  type CatalogLine,
  type CatalogRemoved,
} from './catalog'
import type { CatalogEntry } from '../tar/entry'

export interface CatalogReader {
  /** @throws AgentError ARCHIVE_DAMAGED where the line is not what must come next, FORMAT_UNSUPPORTED */
  take(line: string): CatalogLine
  /** @throws AgentError ARCHIVE_DAMAGED unless the last line taken was the end line */
  finish(): void
}

export const isHeader = (line: CatalogLine): line is CatalogHeader => 'catalog' in line
export const isEntry = (line: CatalogLine): line is CatalogEntry => 'path' in line
export const isRemoved = (line: CatalogLine): line is CatalogRemoved => 'removed' in line && !('end' in line)
export const isFrames = (line: CatalogLine): line is CatalogFrames => 'firstFrame' in line
export const isEnd = (line: CatalogLine): line is CatalogEnd => 'end' in line

/** What a catalog's end says otherwise than the manifest, each as a clause; empty where they agree. */
export function compareEnd(end: CatalogEnd, archive: Archive): string[] {
  return (['entries', 'frames', 'rawBytes', 'sha256'] as const)
    .filter((field) => end[field] !== archive[field])
    .map((field) => `has ${field} ${end[field] ?? 'none'}, the manifest ${archive[field] ?? 'none'}`)
}

/** What a catalog's header says otherwise than its place; undefined where they agree. @param key - of the catalog */
export function findMisplacement(key: string, { host, run, volume }: CatalogHeader): string | undefined {
  if (key.endsWith(`/${host}/${run}/${volume}.jsonl.zst`)) return undefined
  return `is of volume ${clip(volume)} in run ${clip(run)} of ${clip(host)}`
}

function clip(text: string): string {
  return text.slice(0, 100)
}

/**
 * Checks that the lines come in their order, that entries follow each other in the tar stream without a gap, and that
 * the end line's counts agree.
 *
 * @param key - of the catalog: the header has to say the same
 * @param archive - as in the manifest, where the end line has to say the same too
 */
export function catalogReader(key: string, archive?: Archive): CatalogReader {
  let number = 0
  let entries = 0
  let frames = 0
  let position = 0
  let stage: 'header' | 'entries' | 'frames' | 'done' = 'header'

  const refuse = (what: string): never => {
    throw new AgentError('ARCHIVE_DAMAGED', `${key}: line ${number} ${what}`, {
      hint: `The archive may be good all the same: restore it by hand as ${onPage('restore-by-hand')} says.`,
    })
  }

  const takeHeader = (header: CatalogHeader): void => {
    stage = 'entries'
    const misplacement = findMisplacement(key, header)
    if (misplacement !== undefined) refuse(misplacement)
    if (archive && header.frameBytes !== archive.frameBytes) refuse(`has frames of ${header.frameBytes} bytes`)
  }
  const takeEntry = (line: CatalogEntry): void => {
    if (stage !== 'entries') refuse('is an entry after the frames')
    if (line.offset !== position) refuse(`has an entry at ${line.offset}, the one before it ends at ${position}`)
    position += line.bytes
    entries++
    if (archive && entries > archive.entries) refuse(`is an entry more than the ${archive.entries} of the manifest`)
  }
  const takeFrames = (line: CatalogFrames): void => {
    stage = 'frames'
    frames += line.storedBytes.length
    if (archive && frames > archive.frames) refuse(`has a frame more than the ${archive.frames} of the manifest`)
  }
  const takeEnd = (line: CatalogEnd): void => {
    stage = 'done'
    if (line.entries !== entries) refuse(`counts ${line.entries} entries, there are ${entries}`)
    if (line.frames !== frames) refuse(`counts ${line.frames} frames, there are ${frames}`)
    if (line.rawBytes < position) refuse(`says ${line.rawBytes} bytes, the entries take ${position}`)
    const [difference] = archive ? compareEnd(line, archive) : []
    if (difference !== undefined) refuse(difference)
  }

  return {
    take(text) {
      number++
      const line = parseCatalogLine(text)
      if (stage === 'done') refuse('comes after the end')
      else if (isHeader(line) !== (stage === 'header')) refuse('is a header in the wrong place, or none in its place')
      else if (isHeader(line)) takeHeader(line)
      else if (isEntry(line)) takeEntry(line)
      else if (isFrames(line)) takeFrames(line)
      else if (isEnd(line)) takeEnd(line)
      else refuse('tells of something removed in a full archive')
      return line
    },
    finish() {
      if (stage !== 'done') refuse('is the last one, and is not an end: the catalog was cut short')
    },
  }
}

/** From a catalog's text, in pieces of any size, to its lines. */
export interface CatalogParser {
  /** @throws AgentError as `CatalogReader.take` */
  push(text: Buffer): Iterable<CatalogLine>
  /** To be called after the last piece. @throws AgentError as `CatalogReader.finish` */
  finish(): Iterable<CatalogLine>
}

/** With `catalogReader`'s parameters, and as strict. */
export function catalogParser(key: string, archive?: Archive): CatalogParser {
  const reader = catalogReader(key, archive)
  const splitter = lineSplitter()
  return {
    *push(text) {
      for (const line of splitter.push(text)) yield reader.take(line)
    },
    *finish() {
      for (const line of splitter.finish()) yield reader.take(line)
      reader.finish()
    },
  }
}

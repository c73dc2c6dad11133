/** Reads a catalog's lines strictly: nothing is not the same as not understood. */
import { onPage } from '../pages'
import { AgentError } from '../errors'
import type { Archive } from './archive'
import { lineSplitter } from './lines'
import {
  DIFFERENTIAL_CATALOG_FORMAT,
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
export const isRemoved = (line: CatalogLine): line is CatalogRemoved => 'removed' in line && !isEnd(line)
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
 * Checks that the lines come in their order, that the archive's own entries follow each other in the tar stream without a
 * gap and those of the base come in its order, and that the end line's counts agree.
 *
 * @param key - of the catalog: the header has to say the same
 * @param archive - as in the manifest, where the end line has to say the same too
 */
export function catalogReader(key: string, archive?: Archive): CatalogReader {
  let number = 0
  let isDifferential = false
  const counts = { entries: 0, baseEntries: 0, removed: 0, frames: 0 }
  /** Where the next entry of the archive starts, and the earliest that the next one of the base may. */
  const position = { own: 0, base: 0 }
  let stage: Stage = 'header'

  const refuse = (what: string): never => {
    throw new AgentError('ARCHIVE_DAMAGED', `${key}: line ${number} ${what}`, {
      hint: `The archive may be good all the same: restore it by hand as ${onPage('restore-by-hand')} says.`,
    })
  }
  /** Stages only follow each other. */
  const enter = (next: Stage, what: string): void => {
    if (STAGES.indexOf(next) < STAGES.indexOf(stage)) refuse(`${what} after ${IN_STAGE[stage]}`)
    if (!isDifferential && (next === 'base' || next === 'removed')) refuse(`${what} in a full archive`)
    stage = next
  }

  const takeHeader = (header: CatalogHeader): void => {
    enter('entries', 'is a header')
    isDifferential = header.catalog === DIFFERENTIAL_CATALOG_FORMAT
    if (isDifferential !== (header.base !== undefined)) refuse('names a base, or none, against its format')
    const misplacement = findMisplacement(key, header)
    if (misplacement !== undefined) refuse(misplacement)
    if (archive && header.frameBytes !== archive.frameBytes) refuse(`has frames of ${header.frameBytes} bytes`)
  }
  const takeEntry = (line: CatalogEntry): void => {
    enter('entries', 'is an entry')
    if (line.offset !== position.own)
      refuse(`has an entry at ${line.offset}, the one before it ends at ${position.own}`)
    position.own += line.bytes
    counts.entries++
    if (archive && counts.entries > archive.entries)
      refuse(`is an entry more than the ${archive.entries} of the manifest`)
  }
  const takeBaseEntry = (line: CatalogEntry): void => {
    enter('base', 'is an entry of the base')
    // Every directory is in the archive itself; what cannot be told apart by its name cannot be known to be as it was.
    if (line.type === 'directory' || line.undescribed !== undefined) refuse('is no entry that can be in the base alone')
    if (line.offset < position.base) refuse(`has an entry of the base at ${line.offset}, before the end of another`)
    position.base = line.offset + line.bytes
    counts.baseEntries++
  }
  const takeRemoved = (): void => {
    enter('removed', 'tells of something removed')
    counts.removed++
  }
  const takeFrames = (line: CatalogFrames): void => {
    enter('frames', 'has frames')
    counts.frames += line.storedBytes.length
    if (archive && counts.frames > archive.frames) refuse(`has a frame more than the ${archive.frames} of the manifest`)
  }
  const takeEnd = (line: CatalogEnd): void => {
    stage = 'done'
    for (const field of ['entries', 'frames'] as const) {
      if (line[field] !== counts[field]) refuse(`counts ${line[field]} ${field}, there are ${counts[field]}`)
    }
    for (const [field, name] of [
      ['baseEntries', 'entries of the base'],
      ['removed', 'names removed'],
    ] as const) {
      const counted = isDifferential ? counts[field] : undefined
      if (line[field] !== counted) refuse(`counts ${line[field] ?? 'no'} ${name}, there are ${counts[field]}`)
    }
    if (line.rawBytes < position.own) refuse(`says ${line.rawBytes} bytes, the entries take ${position.own}`)
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
      else if (isEntry(line)) (line.base ? takeBaseEntry : takeEntry)(line)
      else if (isEnd(line)) takeEnd(line)
      else if (isRemoved(line)) takeRemoved()
      else takeFrames(line)
      return line
    },
    finish() {
      if (stage !== 'done') refuse('is the last one, and is not an end: the catalog was cut short')
    },
  }
}

const STAGES = ['header', 'entries', 'base', 'removed', 'frames', 'done'] as const
type Stage = (typeof STAGES)[number]
const IN_STAGE: Readonly<Record<Stage, string>> = {
  header: 'the header',
  entries: 'the entries',
  base: 'those of the base',
  removed: 'what is removed',
  frames: 'the frames',
  done: 'the end',
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

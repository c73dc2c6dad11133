/** Searches a catalog's text without reading it: only lines that hold the pattern's literal text are looked at. */
import { AgentError } from '../errors'
import { findMisplacement, isEntry, isHeader } from '../archive/catalog-lines'
import { parseCatalogLine } from '../archive/catalog'
import type { Glob } from '../lib/glob'
import { lineStart } from '../archive/lines'
import { type CatalogEntry, pathOnHost } from '../tar/entry'

const NEWLINE = 0x0a
const QUOTE = 0x22
/** What every entry's line starts with, as catalogs are written: lets a path be read without parsing the line. */
const PATH_START = '{"path":"'

/** What the last line starts with. */
const END_START = '{"end":true'

export interface FoundEntry {
  /** As on the host. */
  readonly path: string
  /** Reads the rest of the line: of a million that match, few are wanted. Valid as long as the piece of text. */
  readonly entry: () => CatalogEntry
}

export interface CatalogSearch {
  /**
   * Takes the next piece of the catalog's text and returns the entries in it that match.
   *
   * @throws AgentError ARCHIVE_DAMAGED for a line that is longer than any may be, and where this is another volume's catalog
   */
  push(text: Buffer): FoundEntry[]
  /** @throws AgentError ARCHIVE_DAMAGED unless the text ended as catalogs do: what was not seen was not searched */
  finish(): void
}

/**
 * @param mountPoint - of the volume: the catalog's paths are relative to it
 * @param key - of the catalog: its header has to say the same
 */
export function searchCatalog(mountPoint: string, glob: Glob, key: string): CatalogSearch {
  const absolute = (path: string): string => pathOnHost(mountPoint, path)
  // As JSON writes it, which is how it stands in the catalog.
  const needle = Buffer.from(JSON.stringify(glob.literal).slice(1, -1))
  const rest = lineStart()
  let isEnded = false // the last line, with a newline
  let linesSeen = 0
  let lastLine = ''

  const inspect = (text: Buffer, start: number, end: number): FoundEntry[] => {
    const parse = () => parseCatalogLine(text.toString('utf8', start, end))
    const path = quickPath(text, start)
    if (path !== undefined) {
      return glob.matches(absolute(path)) ? [{ path: absolute(path), entry: () => parse() as CatalogEntry }] : []
    }
    const entry = parse()
    if (!isEntry(entry) || !glob.matches(absolute(entry.path))) return []
    return [{ path: absolute(entry.path), entry: () => entry }]
  }

  return {
    push(piece) {
      const lastNewline = piece.lastIndexOf(NEWLINE)
      isEnded = lastNewline === piece.length - 1
      if (lastNewline < 0) {
        rest.add(piece)
        return []
      }
      const begun = rest.take()
      const text = begun.length === 0 ? piece : Buffer.concat([begun, piece])
      const end = text.lastIndexOf(NEWLINE) + 1
      rest.add(text.subarray(end))
      if (end > 1) {
        const lastStart = text.lastIndexOf(NEWLINE, end - 2) + 1
        lastLine = text.toString('latin1', lastStart, Math.min(lastStart + END_START.length, end))
      }
      const found: FoundEntry[] = []
      let at = 0
      for (; linesSeen < 2 && at < end; linesSeen++) {
        // The volume's root is `.` in the catalog: its name is the mount point's, and has to be looked for apart.
        if (linesSeen === 0) assertHeader(key, text.toString('utf8', at, lineEnd(text, at) - 1))
        else found.push(...inspect(text, at, lineEnd(text, at) - 1))
        at = lineEnd(text, at)
      }
      while (at < end) {
        const hit = needle.length === 0 ? at : text.indexOf(needle, at)
        if (hit < 0 || hit >= end) break
        const start = text.lastIndexOf(NEWLINE, hit) + 1
        at = lineEnd(text, hit)
        found.push(...inspect(text, start, at - 1))
      }
      return found
    },
    finish() {
      if (lastLine === END_START && isEnded) return
      throw new AgentError('ARCHIVE_DAMAGED', 'the catalog was cut short', {
        hint: 'Verify the run with "snapstream verify": a restore rebuilds lost catalogs from the archive.',
      })
    },
  }
}

function assertHeader(key: string, text: string): void {
  const line = parseCatalogLine(text)
  const problem = isHeader(line) ? findMisplacement(key, line) : 'does not begin with a header'
  if (problem === undefined) return
  throw new AgentError('ARCHIVE_DAMAGED', `${key} ${problem}`, {
    hint: 'Verify the run with "snapstream verify", and look for an earlier version of the object.',
  })
}

/** The path of an entry's line where nothing in it is escaped; undefined where the line has to be parsed to know. */
function quickPath(text: Buffer, start: number): string | undefined {
  const pathStart = start + PATH_START.length
  if (text.toString('latin1', start, pathStart) !== PATH_START) return undefined
  const path = text.toString('utf8', pathStart, text.indexOf(QUOTE, pathStart))
  return path.includes('\\') ? undefined : path
}

/** Where the line after the one at this place starts. */
function lineEnd(text: Buffer, at: number): number {
  return text.indexOf(NEWLINE, at) + 1
}

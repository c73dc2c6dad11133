/**
 * The catalog of an archive: JSON lines, zstd-compressed. docs/format.md is the authority.
 *
 * One header, one line per tar entry in archive order, frame tables, one end line. A catalog without its end line is cut
 * short and must not be trusted.
 */

import { onPage } from '../pages'
import { AgentError } from '../errors'
import { findImpossible } from './catalog-claims'
import type { EntryType, CatalogEntry } from '../tar/entry'

/** Of full archives. Raised when an older agent could not read what a newer one writes. */
export const CATALOG_FORMAT = 2
/** Of differential archives: the entries of the base that are as they were come after the archive's own. */
export const DIFFERENTIAL_CATALOG_FORMAT = 3

const CATALOG_FORMATS = [1, CATALOG_FORMAT, DIFFERENTIAL_CATALOG_FORMAT] as const

/** First line. */
export interface CatalogHeader {
  /** 1: the end line has the SHA-256 of the tar stream. */
  readonly catalog: 1 | typeof CATALOG_FORMAT | typeof DIFFERENTIAL_CATALOG_FORMAT
  readonly run: string
  readonly host: string
  /** Device-mapper name of the volume. */
  readonly volume: string
  readonly mountPoint: string
  readonly frameBytes: number
  /** In format 3: the run in which the volume's base is. */
  readonly base?: string
}

/** A name that the base has and the volume no longer had. In format 3, behind all entries. */
export interface CatalogRemoved {
  /** As `path` of an entry. */
  readonly removed: string
  /** As `path64` of an entry. */
  readonly removed64?: string
}

/** Frames in one line of the catalog at most, so that no line is very long. */
export const FRAMES_PER_LINE = 1024

/** Stored sizes of consecutive frames of one segment. */
export interface CatalogFrames {
  readonly segment: number
  /** Index in the archive of the first frame listed here. */
  readonly firstFrame: number
  readonly storedBytes: readonly number[]
  /**
   * With compression `none`: CRC32 of each frame. Compressed frames carry a checksum of their own content instead.
   */
  readonly crc32?: readonly number[]
}

/** Last line. */
export interface CatalogEnd {
  readonly end: true
  /** Of the archive itself. */
  readonly entries: number
  readonly frames: number
  readonly rawBytes: number
  /** In format 1: SHA-256 of the tar stream. */
  readonly sha256?: string
  /** In format 3: entries of the base that are as they were. */
  readonly baseEntries?: number
  /** In format 3: names that are gone. */
  readonly removed?: number
}

export type CatalogLine = CatalogHeader | CatalogEntry | CatalogRemoved | CatalogFrames | CatalogEnd

/** Any line but an entry's, with its newline. */
export function formatCatalogLine(line: CatalogHeader | CatalogFrames | CatalogEnd): string {
  return `${JSON.stringify(line)}\n`
}

/** What JSON cannot carry as it is: quotes, backslashes, control characters; and what is safer escaped. */
const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

/** An entry's line, with its newline. Written out by hand: it is called for every file there is. */
export function formatCatalogEntry(entry: CatalogEntry): string {
  let line = `{"path":${quote(entry.path)}`
  if (entry.path64 !== undefined) line += `,"path64":"${entry.path64}"`
  line +=
    `,"type":"${entry.type}","size":${entry.size},"mode":${entry.mode},"uid":${entry.uid},"gid":${entry.gid}` +
    `,"mtime":"${entry.mtime}","offset":${entry.offset},"bytes":${entry.bytes}`
  if (entry.link !== undefined) line += `,"link":${quote(entry.link)}`
  if (entry.link64 !== undefined) line += `,"link64":"${entry.link64}"`
  if (entry.sparseBytes !== undefined) line += `,"sparseBytes":${entry.sparseBytes}`
  if (entry.xattrs) line += ',"xattrs":true'
  if (entry.device !== undefined) line += `,"device":[${entry.device[0]},${entry.device[1]}]`
  if (entry.undescribed !== undefined) line += `,"undescribed":${quote(entry.undescribed)}`
  if (entry.base) line += ',"base":true'
  return `${line}}\n`
}

function quote(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`
}

/**
 * Longest line that is read: a path of 64 KiB takes 384 KiB where JSON escapes every byte of it, and a link as much; the
 * other lines are shorter.
 */
export const LINE_BYTES_MAX = 1024 * 1024

/**
 * Reads a line, which has to be as `JSON.stringify` writes it: JSON that can be read in two ways, with a field that is there
 * twice or a number that is not exact, is not.
 *
 * @throws AgentError FORMAT_UNSUPPORTED for the header of a later format, ARCHIVE_DAMAGED for what is no catalog line
 */
export function parseCatalogLine(text: string): CatalogLine {
  const line = parseObject(text)
  if ('catalog' in line && !(CATALOG_FORMATS as readonly unknown[]).includes(line['catalog'])) {
    const format = JSON.stringify(line['catalog'])
    throw new AgentError(
      'FORMAT_UNSUPPORTED',
      `the catalog has format ${format}, this agent reads up to ${DIFFERENTIAL_CATALOG_FORMAT}`,
      {
        hint: 'It was written by a later version of the agent: read it with that one.',
      },
    )
  }
  const shape = SHAPES.find(({ mark }) => mark in line)
  const wrong = shape === undefined ? 'its kind' : findWrongField(line, shape.fields)
  if (wrong !== undefined) throw unreadable(text, wrong)
  const json = JSON.stringify(line)
  if (json !== text && `${json}\n` !== text) throw unreadable(text, 'its JSON')
  const impossible = 'path' in line ? findImpossible(line as unknown as CatalogEntry) : undefined
  if (impossible !== undefined) throw unreadable(text, `its '${impossible}'`)
  return line as unknown as CatalogLine
}

type Check = (value: unknown) => boolean
interface Shape {
  /** The field that only lines of this kind have. */
  readonly mark: string
  readonly fields: Readonly<Record<string, Check>>
}

const isText: Check = (value) => typeof value === 'string'
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isCounts: Check = (value) => Array.isArray(value) && value.every(isCount)
const isTrue: Check = (value) => value === true
const isTime: Check = (value) => typeof value === 'string' && /^-?\d{1,19}(\.\d{1,9})?$/.test(value)
const isType: Check = (value) => TYPES.has(value)
const isDevice: Check = (value) => isCounts(value) && (value as unknown[]).length === 2
const isSha256: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)

const TYPES: ReadonlySet<unknown> = new Set<EntryType>([
  'file',
  'directory',
  'symlink',
  'hardlink',
  'fifo',
  'character',
  'block',
])

const ENTRY_FIELDS = {
  path: isText,
  path64: optional(isText),
  type: isType,
  size: isCount,
  mode: isCount,
  uid: isCount,
  gid: isCount,
  mtime: isTime,
  offset: isCount,
  bytes: isCount,
  link: optional(isText),
  link64: optional(isText),
  sparseBytes: optional(isCount),
  xattrs: optional(isTrue),
  device: optional(isDevice),
  undescribed: optional(isText),
  base: optional(isTrue),
} satisfies Record<keyof CatalogEntry, Check>

/** Fields that are not named here are let through: a later version may add some. */
const SHAPES: readonly Shape[] = [
  { mark: 'path', fields: ENTRY_FIELDS },
  {
    // Before what is removed: it has a count of that name.
    mark: 'end',
    fields: {
      end: isTrue,
      entries: isCount,
      frames: isCount,
      rawBytes: isCount,
      sha256: optional(isSha256),
      baseEntries: optional(isCount),
      removed: optional(isCount),
    } satisfies Record<keyof CatalogEnd, Check>,
  },
  {
    mark: 'removed',
    fields: { removed: isText, removed64: optional(isText) } satisfies Record<keyof CatalogRemoved, Check>,
  },
  {
    mark: 'segment',
    fields: {
      segment: isCount,
      firstFrame: isCount,
      storedBytes: isCounts,
      crc32: optional(isCounts),
    } satisfies Record<keyof CatalogFrames, Check>,
  },
  {
    mark: 'catalog',
    fields: {
      catalog: isCount,
      run: isText,
      host: isText,
      volume: isText,
      mountPoint: isText,
      frameBytes: isCount,
      base: optional(isText),
    } satisfies Record<keyof CatalogHeader, Check>,
  },
]

function findWrongField(line: Record<string, unknown>, fields: Readonly<Record<string, Check>>): string | undefined {
  for (const field in fields) if (!fields[field]?.(line[field])) return `its '${field}'`
  return undefined
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw unreadable(text, 'its JSON', cause)
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw unreadable(text, 'its JSON')
}

function unreadable(text: string, what: string, cause?: unknown): AgentError {
  return new AgentError(
    'ARCHIVE_DAMAGED',
    `a line of the catalog is unreadable, ${what} is wrong: ${text.slice(0, 200)}`,
    {
      hint: `The archive may be good all the same: restore it by hand as ${onPage('restore-by-hand')} says.`,
      cause,
    },
  )
}

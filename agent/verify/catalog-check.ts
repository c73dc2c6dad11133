import { AgentError } from '../errors'
import { watchHeaders } from '../tar/header-watch'
import { shortened } from '../lib/long-names'
import type { Rehearsal } from './restorable'
import { findAmbiguity } from '../tar/strict-headers'
import { scanTar } from '../tar/scanner'
import { compareEntries, compareWithTar } from './report'
import { tarReader, type TarReading, type TarEntry } from '../tar/node-tar'
import { VERIFY_HINTS, type Report } from '../archive/findings'
import type { CatalogEntry } from '../tar/entry'

/** Looks at a tar stream as it is read back. */
export interface StreamChecker extends AsyncDisposable {
  /** Takes the next piece of the tar stream. */
  push(raw: Buffer): Promise<void>
  /** To be called after the last piece: tells of what only one side has. */
  finish(): Promise<void>
}

export interface EntryChecker extends StreamChecker {
  /** Entries found in the tar stream so far. */
  count(): number
  /** Those of them that the catalog does not describe. */
  undescribed(): number
}

/** An entry, and in what way its headers can be read in two. */
interface Scanned {
  readonly read: CatalogEntry
  readonly ambiguity?: string
}

/**
 * Holds the entries of a tar stream against those of its catalog, in lockstep and counted both ways. Each is read twice: by
 * the scanner that wrote the catalog, for every field exactly, and by node-tar, which has its own idea of what tar is. What
 * a restore would refuse is told of too, whatever the catalog says.
 *
 * @param catalog - undefined where it is lost: then the two readers are held against each other
 * @param rehearsal - has learned the catalog
 */
export function entryChecker(
  catalog: AsyncGenerator<CatalogEntry, void> | undefined,
  report: Report,
  rehearsal?: Rehearsal,
): EntryChecker {
  let scanned: Scanned[] = []
  const headers = watchHeaders()
  let ofMap: string | undefined
  let isInMap = false
  const takeEntry = (read: CatalogEntry): void => {
    const described = read.undescribed === undefined
    const ambiguity = isInMap ? ofMap : described ? findAmbiguity(headers.headersAt(read.offset)) : undefined
    scanned.push({ read, ...(described && ambiguity !== undefined && { ambiguity }) })
    isInMap = false
    headers.pass(read.offset + read.bytes)
  }
  const takeMapStart = ({ offset }: CatalogEntry): void => {
    isInMap = true
    ofMap = findAmbiguity(headers.headersAt(offset))
    headers.skip()
  }
  const scanner = scanTar(takeEntry, { isTolerant: true, isStrict: true, onMapStart: takeMapStart })
  const reader = tarReader()
  /** Entries that one reader has come to and the other not: the scanner looks further into sparse files. */
  const awaited: { readonly expected: CatalogEntry; readonly agrees: boolean }[] = []
  const ahead: TarEntry[] = []
  let count = 0
  let undescribed = 0
  /** After the first byte that is no tar, or the first entry that ends elsewhere, nothing that follows can be compared. */
  let lost = false

  const scan = (work: () => void): boolean => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      lost = true
      report(error.message, VERIFY_HINTS.damaged)
    }
    return !lost
  }

  const compareScanned = async (): Promise<void> => {
    for (const { read, ambiguity } of scanned) {
      count++
      if (read.undescribed !== undefined) undescribed++
      const why = ambiguity === undefined ? rehearsal?.take(read) : `its headers can be read in two ways: ${ambiguity}`
      if (why !== undefined)
        report(`'${shortened(read.path)}' would not be restored: ${why}`, VERIFY_HINTS.unrestorable)
      const expected = catalog ? (await catalog.next()).value : read
      if (!expected) {
        report(`'${read.path}' is in the archive, but not in the catalog`, VERIFY_HINTS.catalog)
        awaited.push({ expected: read, agrees: false })
        continue
      }
      const differences = compareEntries(expected, read)
      for (const what of differences) report(`'${expected.path}': ${what}`, VERIFY_HINTS.catalog)
      awaited.push({ expected, agrees: differences.length === 0 })
      if (read.offset + read.bytes !== expected.offset + expected.bytes) {
        report(`after '${expected.path}' the catalog no longer follows the archive`, VERIFY_HINTS.catalog)
        lost = true
        break
      }
    }
    scanned = []
  }

  const compareRead = ({ entries, warnings }: TarReading): void => {
    if (lost) return
    for (const warning of warnings) report(`node-tar warns of the archive: ${warning}`, VERIFY_HINTS.damaged)
    ahead.push(...entries)
    for (const { expected, agrees } of awaited.splice(0, ahead.length)) {
      const differences = compareWithTar(expected, ahead.shift() as TarEntry)
      // What the scanner has told of already need not be told again.
      if (agrees)
        for (const what of differences) report(`'${expected.path}': ${what}, says node-tar`, VERIFY_HINTS.catalog)
    }
  }

  /** Node-tar is made for archives of any kind, and may throw anything where it takes one for something else. */
  const readOn = (read: () => TarReading): boolean => {
    if (lost) return false
    let reading: TarReading
    try {
      reading = read()
    } catch (error) {
      lost = true
      report(`node-tar cannot read the archive: ${String(error)}`, VERIFY_HINTS.damaged)
      return false
    }
    compareRead(reading)
    return true
  }

  return {
    count: () => count,
    undescribed: () => undescribed,
    async push(raw) {
      if (lost) return
      headers.begin(raw)
      scan(() => scanner.push(raw))
      headers.end()
      await compareScanned()
      readOn(() => reader.push(raw))
    },
    async finish() {
      if (lost || !scan(() => scanner.finish())) return
      if (!readOn(() => reader.end())) return
      for (const { path } of ahead) report(`'${path}' is in the archive, says node-tar alone`, VERIFY_HINTS.damaged)
      for (const { expected } of awaited) report(`node-tar did not find '${expected.path}'`, VERIFY_HINTS.damaged)
      for await (const { path } of catalog ?? []) {
        report(`'${path}' is in the catalog, but not in the archive`, VERIFY_HINTS.catalog)
      }
    },
    async [Symbol.asyncDispose]() {
      await catalog?.return()
    },
  }
}

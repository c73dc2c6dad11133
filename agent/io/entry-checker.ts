import { AgentError } from '../errors'
import type { CatalogEntry } from '../plan/catalog'
import { scanTar } from '../plan/tar-scanner'
import { compareEntries, compareWithTar, VERIFY_HINTS, type Report } from '../plan/verification'
import { tarReader, type TarReading } from './tar-reader'

export interface EntryChecker extends AsyncDisposable {
  /** Takes the next piece of the tar stream. */
  push(raw: Buffer): Promise<void>
  /** To be called after the last piece: tells of what only one side has. */
  finish(): Promise<void>
  /** Entries found in the tar stream so far. */
  count(): number
}

/**
 * Holds the entries of a tar stream against those of its catalog, in lockstep and counted both ways. Each is read twice: by
 * the scanner that wrote the catalog, for every field exactly, and by node-tar, which has its own idea of what tar is.
 */
export function entryChecker(catalog: AsyncGenerator<CatalogEntry, void>, report: Report): EntryChecker {
  let scanned: CatalogEntry[] = []
  const scanner = scanTar((entry) => scanned.push(entry))
  const reader = tarReader()
  /** Entries that node-tar has still to come to. */
  const awaited: { readonly expected: CatalogEntry; readonly agrees: boolean }[] = []
  let count = 0
  let broken = false

  /** After the first byte that is no tar, nothing that follows can be told apart. */
  const scan = (work: () => void): boolean => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      broken = true
      report(error.message, VERIFY_HINTS.damaged)
    }
    return !broken
  }

  const compareScanned = async (): Promise<void> => {
    for (const read of scanned) {
      count++
      const { value: expected } = await catalog.next()
      if (!expected) {
        report(`'${read.path}' is in the archive, and not in the catalog`, VERIFY_HINTS.catalog)
        continue
      }
      const differences = compareEntries(expected, read)
      for (const what of differences) report(`'${expected.path}': ${what}`, VERIFY_HINTS.catalog)
      awaited.push({ expected, agrees: differences.length === 0 })
    }
    scanned = []
  }

  const compareRead = ({ entries, warnings }: TarReading): void => {
    for (const warning of warnings) report(`node-tar warns of the archive: ${warning}`, VERIFY_HINTS.damaged)
    for (const read of entries) {
      const next = awaited.shift()
      if (!next) report(`node-tar found '${read.path}', which is not in the catalog`, VERIFY_HINTS.catalog)
      else if (next.agrees) {
        const differences = compareWithTar(next.expected, read)
        for (const what of differences)
          report(`'${next.expected.path}': ${what}, as node-tar reads it`, VERIFY_HINTS.catalog)
      }
    }
  }

  return {
    count: () => count,
    async push(raw) {
      if (broken) return
      const good = scan(() => scanner.push(raw))
      await compareScanned()
      if (good) compareRead(reader.push(raw))
    },
    async finish() {
      if (broken || !scan(() => scanner.finish())) return
      compareRead(reader.end())
      for (const { expected } of awaited) report(`node-tar did not find '${expected.path}'`, VERIFY_HINTS.damaged)
      for await (const { path } of catalog) {
        report(`'${path}' is in the catalog, and not in the archive`, VERIFY_HINTS.catalog)
      }
    },
    async [Symbol.asyncDispose]() {
      await catalog.return()
    },
  }
}

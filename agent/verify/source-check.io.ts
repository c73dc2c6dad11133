import { createHash } from 'node:crypto'
import { headersEnd, lastingHeaders } from '../tar/rewrite'
import { scanTar } from '../tar/scanner'
import type { Warnings } from '../tar/messages'
import { compareEntries } from './report'
import type { Deps, Argv } from '../context'
import type { StreamChecker } from './catalog-check'
import { startTar, type TarStream } from '../tar/create.io'
import { VERIFY_HINTS, type Report } from '../archive/findings'
import type { CatalogEntry } from '../tar/entry'

const READ_BYTES = 1024 * 1024

/** An entry with the SHA-256 of all that the archive has of it: headers, attributes, sparse map and content. */
interface Digest {
  readonly entry: CatalogEntry
  readonly sha256: string
}

export interface SourceChecker extends StreamChecker {
  /** Entries that both sides have so far, equal or not. */
  compared(): number
  /** What tar said while it read the snapshot. Complete once `finish` has resolved. */
  warnings(): Warnings
}

/**
 * Holds the archive, as it is read back, against what it was made from: tar reads the snapshot once more, and each entry
 * has to be the same to the byte. That covers all that tar keeps: content, type, owner, mode, times to the nanosecond,
 * links, devices, extended attributes, ACLs, labels, capabilities, holes.
 *
 * @param tar - the command that made the archive; the snapshot has not changed since
 * @param input - for the standard input of that command
 */
export async function sourceChecker(
  deps: Pick<Deps, 'host' | 'signal'>,
  tar: Argv,
  report: Report,
  input?: AsyncIterable<Buffer>,
): Promise<SourceChecker> {
  const stream = await startTar(deps, tar, deps.signal, input)
  const source = digestStream(stream)
  const archive = entryDigester()
  /** After the first entry that only one side has, the others cannot be paired. */
  let lost = false
  let compared = 0

  const compare = async (digests: readonly Digest[]): Promise<void> => {
    for (const { entry, sha256 } of digests) {
      if (lost) return
      const original = await nextOf(source)
      if (original?.entry.path !== entry.path) {
        lost = true
        report(`the archive has '${entry.path}' where the snapshot has ${nameOf(original)}`, VERIFY_HINTS.source)
        return
      }
      compared++
      if (original.sha256 !== sha256) {
        const differences = compareEntries({ ...original.entry, offset: entry.offset }, entry)
        const what = differences.length > 0 ? differences.join(', ') : 'its content or attributes differ'
        report(`'${entry.path}' is not what the snapshot has: ${what}`, VERIFY_HINTS.source)
      }
    }
  }

  return {
    push: (raw) => compare(archive.push(raw)),
    compared: () => compared,
    warnings: () => stream.messages().warnings,
    async finish() {
      if (lost) return
      const left = await nextOf(source)
      if (left) report(`'${left.entry.path}' is in the snapshot, but not in the archive`, VERIFY_HINTS.source)
    },
    async [Symbol.asyncDispose]() {
      await source.return()
      await stream[Symbol.asyncDispose]()
    },
  }
}

async function nextOf(digests: AsyncGenerator<Digest, void>): Promise<Digest | undefined> {
  const next = await digests.next()
  return next.done ? undefined : next.value
}

function nameOf(digest: Digest | undefined): string {
  return digest ? `'${digest.entry.path}'` : 'nothing more'
}

async function* digestStream(tar: TarStream): AsyncGenerator<Digest, void> {
  const digester = entryDigester()
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  let bytes: number
  do {
    bytes = await tar.fill(buffer)
    yield* digester.push(buffer.subarray(0, bytes))
  } while (bytes === buffer.length)
  await tar.succeeded
  digester.finish()
}

function entryDigester() {
  const known: CatalogEntry[] = []
  const scanner = scanTar((entry) => known.push(entry), { isTolerant: true })
  let position = 0 // of the next chunk in the stream
  let offset = 0 // of the current entry
  let current = digestEntry()
  return {
    /** Of the entries that end in this chunk. */
    push(chunk: Buffer): Digest[] {
      scanner.push(chunk)
      const done: Digest[] = []
      let at = 0
      // Entries follow each other without a gap: where one is not known yet, what comes is the next one's.
      for (let entry = known[0]; entry && offset + entry.bytes <= position + chunk.length; entry = known[0]) {
        offset += entry.bytes
        current.update(chunk.subarray(at, offset - position))
        at = offset - position
        done.push({ entry, sha256: current.digest() })
        current = digestEntry()
        known.shift()
      }
      current.update(chunk.subarray(at))
      position += chunk.length
      return done
    },
    /** @throws AgentError ARCHIVE_FAILED where the stream has no end */
    finish: () => void scanner.finish(),
  }
}

function digestEntry() {
  const hash = createHash('sha256')
  let headers: Buffer | undefined = Buffer.alloc(0)
  return {
    update(bytes: Buffer): void {
      if (!headers) return void hash.update(bytes)
      headers = headers.length === 0 ? bytes : Buffer.concat([headers, bytes])
      const end = headersEnd(headers)
      if (end > headers.length) {
        headers = Buffer.from(headers) // the chunk that it was part of will be filled anew
        return
      }
      hash.update(lastingHeaders(headers.subarray(0, end))).update(headers.subarray(end))
      headers = undefined
    },
    digest: () => hash.digest('hex'),
  }
}

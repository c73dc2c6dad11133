/** Owner, mode, times, ACL and attributes of directories that are there already, all of it as tar sets them. */
import { lstatSync } from 'node:fs'
import { AgentError, hasCode } from '../errors'
import { isDirectoryEntry, renameEntry } from '../tar/rewrite'
import { tarCreateListed, tarSetDirectories } from '../tar/commands'
import { scanTar } from '../tar/scanner'
import type { HostDeps } from '../context'
import { FIRST_DESCRIPTOR, hasAttributes, inside, pathOf, type Directory } from './directory.io'
import type { UnlinkedFile } from '../host/unlinked-file.io'
import { type CatalogEntry, pathBytes } from '../tar/entry'

/** Two blocks of zeros end a tar archive. */
const END_OF_ARCHIVE = Buffer.alloc(1024)

/** A directory that is held open, and the headers that a tar archive has of it. */
export interface DirectoryHeaders {
  readonly directory: Directory
  readonly headers: Buffer
}

/**
 * Gives directories what their headers say. Each is named by its descriptor, so tar cannot be led elsewhere.
 *
 * @param batch - at most some hundred: a process has about a thousand descriptors
 * @returns what tar complained of, or nothing
 * @throws AgentError ARCHIVE_DAMAGED where headers are not a directory's; INTERRUPTED, TOOL_MISSING
 */
export async function setDirectories(
  deps: Pick<HostDeps, 'host' | 'signal'>,
  batch: readonly DirectoryHeaders[],
): Promise<string> {
  const complaints = []
  for (const [withAttributes, some] of Map.groupBy(batch, ({ directory }) => hasAttributes(directory))) {
    complaints.push(await setAlike(deps, some, withAttributes))
  }
  return complaints.filter((complaint) => complaint !== '').join('\n')
}

async function setAlike(
  { host, signal }: Pick<HostDeps, 'host' | 'signal'>,
  batch: readonly DirectoryHeaders[],
  withAttributes: boolean,
): Promise<string> {
  const renamed = batch.map(({ headers }, index) => {
    if (!isDirectoryEntry(headers)) throw noDirectory()
    return renameEntry(headers, { offset: 0, path: Buffer.from(`${pathOf(FIRST_DESCRIPTOR + index)}/.`) })
  })
  const tar = host.start(tarSetDirectories({ withAttributes }), signal, {
    descriptors: batch.map(({ directory }) => directory.fd),
  })
  tar.stdout.resume()
  tar.stdin.end(Buffer.concat([...renamed, END_OF_ARCHIVE]))
  await tar.succeeded.catch((error: unknown) => {
    if (!hasCode(error, 'COMMAND_FAILED')) throw error
  })
  return tar.stderrTail().trim()
}

/** Where a file has the headers of directories, and what is to be told of those that it does not have. */
export interface KeptHeaders {
  readonly places: ReadonlyMap<string, { readonly offset: number; readonly bytes: number }>
  readonly complaints: readonly string[]
}

/** As names need not be text. */
export function keyOf(path: Buffer): string {
  return path.toString('latin1')
}

/**
 * Keeps what tar has to say of some directories of a tree, before they are emptied and have other times for it.
 *
 * @param paths - below the tree; those that are not there are left out
 * @param file - takes the headers
 * @throws AgentError COMMAND_FAILED, INTERRUPTED, TARGET_UNFIT where there is no room
 */
export async function keepHeaders(
  { host, signal }: Pick<HostDeps, 'host' | 'signal'>,
  tree: Directory,
  paths: readonly Buffer[],
  file: UnlinkedFile,
): Promise<KeptHeaders> {
  const places = new Map<string, { readonly offset: number; readonly bytes: number }>()
  const present = paths.filter((path) => lstatSync(inside(tree, path), { throwIfNoEntry: false })?.isDirectory())
  const complaints: string[] = []
  if (present.length === 0) return { places, complaints }
  const tar = host.start(tarCreateListed(pathOf(FIRST_DESCRIPTOR)), signal, { descriptors: [tree.fd] })
  tar.stdin.end(Buffer.concat(present.flatMap((path) => [Buffer.from('./'), path, Buffer.from([0])])))
  const take = (entry: CatalogEntry): void => {
    const { path, offset, bytes, undescribed } = entry
    if (undescribed === undefined) places.set(keyOf(pathBytes(entry)), { offset, bytes })
    else complaints.push(`${path}: owner, mode, time and attributes stay as they are: ${undescribed}`)
  }
  // As tolerant as a backup: after all was extracted, one directory must not cost the rest.
  const scanner = scanTar(take, { isTolerant: true })
  for await (const chunk of tar.stdout as AsyncIterable<Buffer>) {
    scanner.push(chunk)
    await file.append(chunk)
  }
  await tar.succeeded
  scanner.finish()
  return { places, complaints }
}

function noDirectory(): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', 'the archive has something else where its catalog has a directory', {
    hint: 'Verify the run with "snapstream verify", and restore from another one.',
  })
}

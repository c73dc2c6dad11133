/** The trees that are archived: real data of this machine, so that compression has something real to do. */
import { randomBytes, randomFillSync } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { SourceName } from './cases'

const MIB = 1024 ** 2
const BIG_BYTES = 2 * 1024 * MIB
/** Real data that the big file repeats: more than any compressor's window here. */
const POOL_BYTES = 256 * MIB
const SMALL_FILES = 120_000
const SMALL_BYTES_MAX = 128 * 1024
const FILES_PER_DIRECTORY = 500

/** Makes both trees below a directory. */
export function makeSources(root: string): Record<SourceName, string> {
  const sources = { big: join(root, 'big'), small: join(root, 'small') }
  makeBigSource(sources.big)
  mkdirSync(sources.small)
  makeSmallFiles(sources.small)
  return sources
}

/** Makes a directory with one file of 2 GiB. */
export function makeBigSource(directory: string): void {
  mkdirSync(directory)
  makeBigFile(join(directory, 'file'))
}

/** 1 MiB of programs and texts alternates with 1 MiB of random: what is compressible and what is not. */
function makeBigFile(path: string): void {
  const pool = realData()
  const random = Buffer.alloc(MIB)
  const file = openSync(path, 'w')
  for (let at = 0; at < BIG_BYTES; at += 2 * MIB) {
    const start = (at / 2) % (pool.length - MIB)
    writeSync(file, pool, start, MIB)
    writeSync(file, randomFillSync(random))
  }
  closeSync(file)
}

function realData(): Buffer {
  const pieces: Buffer[] = []
  let bytes = 0
  for (const path of walk(['/usr/lib', '/usr/bin', '/usr/share'])) {
    if (bytes >= POOL_BYTES) break
    const piece = readFileSync(path)
    pieces.push(piece)
    bytes += piece.length
  }
  return Buffer.concat(pieces)
}

/** Copies of this machine's small files, again from the start where there are not enough. */
function makeSmallFiles(root: string): void {
  const paths: string[] = []
  for (const path of walk(['/usr/share', '/usr/lib', '/usr/include'])) {
    if (statSync(path).size < SMALL_BYTES_MAX) paths.push(path)
    if (paths.length === SMALL_FILES) break
  }
  for (let index = 0; index < SMALL_FILES; index++) {
    const directory = join(root, `directory-${Math.floor(index / FILES_PER_DIRECTORY)}`)
    if (index % FILES_PER_DIRECTORY === 0) mkdirSync(directory)
    writeFileSync(join(directory, `file-${index}.txt`), readFileSync(paths[index % paths.length]!))
  }
}

/** Empty files: what a file costs besides its content. */
export function makeManyFiles(directory: string, files: number): void {
  for (let index = 0; index < files; index++) {
    const place = join(directory, `directory-${Math.floor(index / 1000)}`)
    if (index % 1000 === 0) mkdirSync(place, { recursive: true })
    closeSync(openSync(join(place, `file-${index}`), 'w'))
  }
}

/**
 * Changes the content of each so-manieth file that a directory's directories have, the same ones each time.
 *
 * @returns their paths
 */
export function changeFiles(directory: string, each: number): readonly string[] {
  const paths = [...walk([directory])].filter((_, index) => index % each === 0)
  for (const path of paths) {
    const content = readFileSync(path)
    // As edits are: the rest moves by a little.
    writeFileSync(path, Buffer.concat([Buffer.from(randomBytes(24).toString('base64url')), content.subarray(0, -8)]))
  }
  return paths
}

function* walk(roots: readonly string[]): Generator<string> {
  for (const root of roots) {
    for (const entry of readdirSync(root, { withFileTypes: true })) {
      const path = join(root, entry.name)
      if (entry.isDirectory()) yield* walk([path])
      else if (entry.isFile()) yield path
    }
  }
}

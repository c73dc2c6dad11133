import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Deps, Argv } from '../../agent/context'
import { localHost } from '../../agent/host/run-command.io'
import type { ArchiveRequest } from '../../agent/archive/write.io'
import type { Archive } from '../../agent/archive/archive'
import { parseCatalogLine, type CatalogLine } from '../../agent/archive/catalog'
import { tarCreate } from '../../agent/tar/commands'
import type { ArchiveBucket } from './archive-bucket'
import { logWarnings } from '../support/log'

export const RUN = '20260131T020000Z-k3xw7a'
export const KEY = `data/daily/db-1/${RUN}/vg0-srv.tar`
export const CATALOG_KEY = `catalogs/daily/db-1/${RUN}/vg0-srv.jsonl.zst`

export function depsOf(bucket: ArchiveBucket, signal = new AbortController().signal): Deps & { warnings: string[] } {
  const warnings: string[] = []
  const log = logWarnings(warnings)
  return { host: localHost, store: bucket.store, log, now: () => new Date(), signal, warnings }
}

export function requestOf(tar: Argv, changes: Partial<ArchiveRequest> = {}): ArchiveRequest {
  return {
    tar,
    header: { catalog: 2, run: RUN, host: 'db-1', volume: 'vg0-srv', mountPoint: '/srv', frameBytes: 2 * 1024 * 1024 },
    dataKey: (segment) => (segment === 0 ? KEY : `${KEY}.${segment}`),
    catalogKey: CATALOG_KEY,
    compression: 'none',
    compressionLevel: 3,
    onUpload: async () => undefined,
    beforeComplete: async () => undefined,
    ...changes,
  }
}

/** A file of which tar makes an archive of the wanted length: 1.5 KiB of header, the data, 1 KiB of zeros, padding. */
export function writeFileFor(directory: string, archiveBytes: number): void {
  writeFileSync(join(directory, 'file'), randomBytes(archiveBytes - 64 * 1024))
}

/** What tar itself writes of the directory: the truth that everything is compared with. */
export function tarOf(directory: string): Buffer {
  const [program, ...args] = tarCreate(directory)
  return execFileSync(program, args, { maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore'] })
}

/** The archive's segments, one after the other, as the standard tool decompresses them. */
export function unpack(bucket: ArchiveBucket, archive: Archive): Buffer {
  const stored = Buffer.concat(archive.segments.map(({ key }) => bucket.read(key)))
  if (archive.compression === 'none') return stored
  return decompress(stored)
}

/** All frames: Node's own functions end with the first. */
export function decompress(stored: Buffer): Buffer {
  return execFileSync('zstd', ['--decompress', '--stdout', '--quiet'], { input: stored, maxBuffer: 2 ** 30 })
}

export function catalogOf(bucket: ArchiveBucket, archive: Archive): CatalogLine[] {
  return catalogText(bucket, archive).trimEnd().split('\n').map(parseCatalogLine)
}

export function catalogText(bucket: ArchiveBucket, archive: Archive): string {
  return decompress(bucket.read(archive.catalog.key)).toString()
}

/** What the pipeline writes, the reader reads: the two only have the format in common. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archiveVolume, type ArchiveRequest } from '../../agent/io/pipeline'
import { readCatalogIndex, readRaw } from '../../agent/io/reader'
import { verifyArchive } from '../../agent/io/verifier'
import { tarCreate } from '../../agent/plan/tar'
import { buildTree } from '../support/tree/build'
import { hostileTree } from '../support/tree/hostile'
import { archiveBucket } from './archive-bucket'
import { depsOf, requestOf, tarOf } from './pipeline-fixture'

let root: string
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'read-back-'))
  await buildTree(root, hostileTree())
  // Several frames, some that compress and some that do not.
  writeFileSync(join(root, 'text'), 'to be compressed '.repeat(500_000))
})
afterAll(() => rmSync(root, { recursive: true }))

const cases: [string, Partial<ArchiveRequest>][] = [
  ['zstd', { compression: 'zstd' }],
  ['none', { compression: 'none' }],
  ['zstd in several segments', { compression: 'zstd', segmentBytes: 256 * 1024 }],
  ['none in several segments', { compression: 'none', segmentBytes: 5 * 1024 * 1024 }],
]

test.each(cases)('an archive is verified as it was written: %s', async (_, changes) => {
  const deps = depsOf(archiveBucket())
  const archive = await archiveVolume(deps, requestOf(tarCreate(root), changes))
  await verifyArchive(deps, archive)
})

test.each(cases)('any range of the tar stream is read back: %s', async (_, changes) => {
  const deps = depsOf(archiveBucket())
  const archive = await archiveVolume(deps, requestOf(tarCreate(root), changes))
  const { table } = await readCatalogIndex(deps, archive)
  const tar = tarOf(root)
  const boundary = archive.frameBytes
  const ranges = [
    { offset: 0, bytes: 1 },
    { offset: 512, bytes: 1024 },
    { offset: boundary - 1, bytes: 2 },
    { offset: boundary * 2, bytes: boundary },
    { offset: boundary * 3 + 7, bytes: boundary },
    { offset: archive.rawBytes - 1, bytes: 1 },
  ]
  const pieces: Buffer[] = []
  for await (const piece of readRaw(deps, archive, table, ranges)) pieces.push(piece)
  const expected = ranges.map(({ offset, bytes }) => tar.subarray(offset, offset + bytes))
  expect(Buffer.concat(pieces).equals(Buffer.concat(expected))).toBe(true)
})

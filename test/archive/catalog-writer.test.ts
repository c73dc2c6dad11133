import { createHash } from 'node:crypto'
import type { CatalogHeader } from '../../agent/archive/catalog'
import { writeCatalog } from '../../agent/archive/catalog-writer.io'
import { refusal } from '../support/refusal'
import { entry, ROOT, tarOf } from '../support/tar-blocks'
import { decompress } from './write-fixture'

const HEADER: CatalogHeader = {
  ...{ catalog: 1, run: 'r', host: 'db-1', volume: 'vg0-srv' },
  ...{ mountPoint: '/srv', frameBytes: 1 },
}

/** The catalog of a stream that comes in pieces, line by line, and what was said of the stream. */
function catalogOf(tar: Buffer, pieceBytes = tar.length, storedBytes = [123], takenAt?: number) {
  const writer = writeCatalog(HEADER, takenAt)
  const pieces: Buffer[] = []
  for (let at = 0; at < tar.length; at += pieceBytes) {
    writer.inspect(tar.subarray(at, at + pieceBytes))
    pieces.push(writer.take())
  }
  writer.record({ segment: 0, firstFrame: 0, storedBytes })
  const summary = writer.finish(1)
  pieces.push(writer.take())
  const text = decompress(Buffer.concat(pieces)).toString()
  return { summary, lines: text.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) } // prettier-ignore
}

test.each([1, 513, 100_000])('a catalog is the same, whatever the stream comes in: pieces of %d bytes', (bytes) => {
  const tar = tarOf(ROOT, { name: './hosts', data: 'localhost' })
  const { summary, lines } = catalogOf(tar, bytes)
  expect(summary).toMatchObject({
    ...{ entries: 2, rawBytes: tar.length, sha256: createHash('sha256').update(tar).digest('hex') },
    notes: { longPaths: 0 },
  })
  // The frames come behind the entries, where they cost nobody who looks for a file.
  expect(lines.map((line) => line.catalog ?? line.path ?? line.storedBytes ?? line.end)).toEqual([
    ...[1, '.', 'hosts', [123]],
    true,
  ])
})

test('text beyond what is compressed at a time loses nothing', () => {
  const names = Array.from({ length: 6000 }, (_, index) => `./${String(index).padStart(90, 'größe')}`)
  const { lines } = catalogOf(tarOf(ROOT, ...names.map((name) => entry({ name: Buffer.from(name).subarray(0, 98) }))))
  expect(lines.filter((line) => line.path !== undefined)).toHaveLength(6001)
})

test('frames beyond that are all in it, too', () => {
  const storedBytes = Array.from({ length: 200_000 }, (_, frame) => 1_000_000 + frame)
  const { lines } = catalogOf(tarOf(ROOT), undefined, storedBytes)
  expect(lines.slice(2)).toMatchObject([{ storedBytes }, { end: true }])
})

test('a path of as many bytes as Linux takes is no long one, and with one more it is', () => {
  const longPaths = (bytes: number) => catalogOf(tarOf(ROOT, { pax: [['path', `./${'x'.repeat(bytes)}`]] })).summary.notes.longPaths // prettier-ignore
  expect([longPaths(4093), longPaths(4094)]).toEqual([0, 1])
})

test('it is counted what was modified within the day before the snapshot, and not what is dated far into the future', () => {
  const takenAt = 1_700_000_000
  const times = [-86_401, -86_400, -86_399, -1, 30, 3600, 3601, 1e6].map((seconds) => ({
    ...{ name: `./${seconds}`, pax: [['mtime', `${takenAt + seconds}.5`]] as [string, string][] },
  }))
  const recent = (at?: number) => catalogOf(tarOf(...times), undefined, undefined, at).summary.notes.recentEntries
  expect(recent(takenAt)).toBe(4)
  expect(recent()).toBeUndefined()
})

test('what cannot be described is in the notes, with what is to be done', () => {
  const { summary } = catalogOf(tarOf(ROOT, { name: './odd', type: 'V' }))
  expect(JSON.stringify(summary.notes.warnings)).toMatch(/'odd' is not in the catalog, so only tar can restore it/)
})

test.each<[string, (writer: ReturnType<typeof writeCatalog>) => void]>([
  ['is cut short', (writer) => (writer.inspect(tarOf(ROOT).subarray(0, 600)), writer.finish(1))],
  ['is no archive', (writer) => writer.inspect(Buffer.alloc(1024, 'x'))],
])('a stream that %s has no catalog', (_, act) => {
  expect(refusal(() => act(writeCatalog(HEADER)))).toMatchObject({ code: 'ARCHIVE_FAILED' })
})

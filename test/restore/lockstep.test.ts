/** Archives of GNU tar's, and catalogs that say something else: what reaches tar is what both say. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inLockstep } from '../../agent/restore/lockstep'
import { plannedEntries } from '../../agent/restore/planned-entries.io'
import { tarCreate } from '../../agent/tar/commands'
import { scanTar } from '../../agent/tar/scanner'
import type { CatalogEntry, Piece } from '../../agent/tar/entry'
import { collectPieces } from '../../agent/archive/frame-reads'

let tar: Buffer
let entries: readonly CatalogEntry[]
beforeAll(() => {
  const root = mkdtempSync(join(tmpdir(), 'lockstep-'))
  const at = (name: string) => join(root, name)
  mkdirSync(at('a'))
  writeFileSync(at('a/data'), 'x'.repeat(5000))
  writeFileSync(at('b'), 'content', { mode: 0o755 })
  linkSync(at('b'), at('c'))
  symlinkSync('a/data', at('d'))
  writeFileSync(at('e'), 'start')
  truncateSync(at('e'), 1 << 20)
  writeFileSync(at('f'.repeat(150)), 'long')
  writeFileSync(at('g'), '')
  const [program, ...args] = tarCreate(root)
  tar = execFileSync(program, [...args.slice(0, -2), '--sort=name', '--', '.'], { stdio: ['ignore', 'pipe', 'ignore'] })
  entries = scan(tar)
  rmSync(root, { recursive: true })
})

function scan(archive: Buffer): CatalogEntry[] {
  const found: CatalogEntry[] = []
  scanTar((entry) => found.push(entry)).push(archive)
  return found
}

const named = (path: string) => entries.find((entry) => entry.path === path)!

async function* chunksOf(archive: Buffer, pieces: readonly Piece[], chunkBytes: number): AsyncGenerator<Buffer> {
  for (const { offset, bytes } of pieces) {
    for (let at = offset; at < offset + bytes; at += chunkBytes) {
      const chunk = Buffer.from(archive.subarray(at, Math.min(at + chunkBytes, offset + bytes)))
      yield chunk
      chunk.fill(0xee) // what is kept of it beyond its time shows
    }
  }
}

/** What tar would be given, and what ended it. */
async function given(catalog: readonly CatalogEntry[], archive = tar, chunkBytes = 1 << 20) {
  const [planned, collected] = [plannedEntries(), collectPieces()]
  for (const entry of catalog) {
    planned.add(entry)
    collected.add(entry)
  }
  const pieces = collected.list()
  const findPlanned = (offset: number) => Promise.resolve(catalog.findLast((entry) => entry.offset <= offset))
  const out: Buffer[] = []
  try {
    for await (const chunk of inLockstep(pieces, chunksOf(archive, pieces, chunkBytes), planned, findPlanned)) {
      out.push(Buffer.from(chunk))
    }
    return { out: Buffer.concat(out), error: undefined }
  } catch (error) {
    return { out: Buffer.concat(out), error: error as Error & { code: string } }
  }
}

describe.each([1, 511, 512, 700, 4096, 1 << 20])('in chunks of %i bytes', (chunkBytes) => {
  test('all of an archive is passed on as it is', async () => {
    const { out, error } = await given(entries, tar, chunkBytes)
    expect(error).toBeUndefined()
    const { offset, bytes } = entries.at(-1)!
    expect(out.equals(tar.subarray(0, offset + bytes))).toBe(true)
  })

  test('and so are parts of it', async () => {
    const wanted = entries.filter((_, index) => index % 2 === 1)
    const { out, error } = await given(wanted, tar, chunkBytes)
    expect(error).toBeUndefined()
    expect(out.equals(Buffer.concat(wanted.map(({ offset, bytes }) => tar.subarray(offset, offset + bytes))))).toBe(
      true,
    )
  })

  const isRefusedAt = async (catalog: readonly CatalogEntry[], offset: number) => {
    const { out, error } = await given(catalog, tar, chunkBytes)
    expect(error).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    expect(out.length).toBeLessThanOrEqual(offset)
    expect(out.equals(tar.subarray(0, out.length))).toBe(true)
  }

  test.each<[string, Partial<CatalogEntry>]>([
    ['path', { path: 'bb' }],
    ['bytes of its path', { path64: 'Yg==' }],
    ['type', { type: 'fifo' }],
    ['size', { size: 8 }],
    ['mode, which has a set-uid bit', { mode: 0o4755 }],
    ['owner', { uid: 7 }],
    ['group', { gid: 7 }],
    ['time', { mtime: '1' }],
    ['link', { link: 'a' }],
    ['holes', { sparseBytes: 1 }],
    ['attributes', { xattrs: true }],
    ['device', { device: [1, 3] }],
  ])('an entry with another %s is refused before any of it is passed on', async (_, changes) => {
    const catalog = entries.map((entry) => (entry.path === 'b' ? { ...entry, ...changes } : entry))
    await isRefusedAt(catalog, named('b').offset)
  })

  test('a link to elsewhere is refused', async () => {
    const catalog = entries.map((entry) => (entry.path === 'd' ? { ...entry, link: '/etc' } : entry))
    await isRefusedAt(catalog, named('d').offset)
  })

  test('a sparse file of which more is stored than was planned never gets a map that tar could use', async () => {
    const catalog = entries.map((entry) => (entry.path === 'e' ? { ...entry, sparseBytes: 0 } : entry))
    await isRefusedAt(catalog, named('e').offset)
  })

  test('one entry of the catalog that spans four of the archive is refused', async () => {
    const [first, last] = [named('a/data'), named('d')]
    const spanning = { ...first, bytes: last.offset + last.bytes - first.offset }
    const catalog = entries.flatMap((entry) =>
      entry.offset < first.offset || entry.offset > last.offset ? [entry] : entry === first ? [spanning] : [],
    )
    await isRefusedAt(catalog, first.offset)
  })

  test('an entry that is in the archive only is refused', async () => {
    const before = entries[entries.indexOf(named('b')) - 1]!
    const catalog = entries.flatMap((entry) => {
      if (entry.path === 'b') return []
      return entry === before ? [{ ...entry, bytes: entry.bytes + named('b').bytes }] : [entry]
    })
    await isRefusedAt(catalog, before.offset)
  })

  test('an entry that is in the catalog only is refused', async () => {
    const { bytes, ...rest } = named('b')
    const catalog = entries.flatMap((entry) =>
      entry.path === 'b'
        ? [
            { ...rest, bytes: 512 },
            { ...rest, path: 'second', offset: rest.offset + 512, bytes: bytes - 512 },
          ]
        : [entry],
    )
    await isRefusedAt(catalog, named('b').offset)
  })
})

test('what was planned and what was found is told', async () => {
  const catalog = entries.map((entry) => (entry.path === 'b' ? { ...entry, path: 'harmless', mode: 0o644 } : entry))
  const { error } = await given(catalog)
  expect(error?.message).toBe(
    `the archive is not what its catalog says: 'harmless' is planned at byte ${named('b').offset} of the tar stream, and the ` +
      `file 'b' is there: path "harmless" is "b" in the archive, mode 0644 is 0755 in the archive`,
  )
})

test('zeros in the place of an entry are no end of the archive', async () => {
  const { offset, bytes } = named('b')
  const zeros = Buffer.from(tar).fill(0, offset, offset + bytes)
  const { out, error } = await given(entries, zeros)
  expect(error).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  expect(out.length).toBeLessThanOrEqual(offset)
})

describe('an entry that comes back under another name', () => {
  const link = { path: Buffer.from('./new') }
  const renamed = async (planned: CatalogEntry) => {
    const record = plannedEntries()
    record.addRenamed(planned)
    const { offset, bytes } = named('b')
    const pieces = [{ offset, bytes, renaming: { offset, ...link } }]
    const out: Buffer[] = []
    const chunks = inLockstep(pieces, chunksOf(tar, pieces, 700), record, () => Promise.resolve(planned))
    for await (const chunk of chunks) out.push(Buffer.from(chunk))
    return Buffer.concat(out)
  }

  test('is looked at under its own', async () => {
    const { offset, bytes } = named('b')
    expect((await renamed(named('b'))).equals(tar.subarray(offset, offset + bytes))).toBe(true)
  })

  test('is refused where it is not the planned one', async () => {
    await expect(renamed({ ...named('b'), mode: 0o600 })).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  })
})

test('a map of a sparse file that is longer than what is held back passes by', async () => {
  const extents = 200_000
  const lines = [String(extents), ...Array.from({ length: extents }, (_, index) => [index * 2, 0]).flat(), ''].join(
    '\n',
  )
  const map = Buffer.alloc(Math.ceil(lines.length / 512) * 512)
  map.write(lines)
  expect(map.length).toBeGreaterThan(1 << 20)
  const sparse = named('e')
  const headers = Buffer.from(tar.subarray(sparse.offset, sparse.offset + 1536))
  headers.write(map.length.toString(8).padStart(11, '0'), 1024 + 124)
  headers.fill(' ', 1024 + 148, 1024 + 156)
  const sum = headers.subarray(1024).reduce((total, byte) => total + byte, 0)
  headers.write(`${sum.toString(8).padStart(6, '0')}\0 `, 1024 + 148)
  const archive = Buffer.concat([headers, map, Buffer.alloc(1024)])
  const catalog = scan(archive)
  const { out, error } = await given(catalog, archive, 4096)
  expect(error).toBeUndefined()
  expect(out.equals(archive.subarray(0, -1024))).toBe(true)
  const refused = await given(
    catalog.map((entry) => ({ ...entry, sparseBytes: 1 })),
    archive,
    4096,
  )
  expect(refused.error).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  expect(refused.out.length).toBeLessThan(archive.length - 1024)
})

test('headers of more than 64 MiB are refused when they begin, and are not held', async () => {
  const { offset } = named('b')
  const huge = Buffer.from(tar.subarray(offset, offset + 512)) // of its extended header, which says how long it is
  expect(String.fromCharCode(huge[156]!)).toBe('x')
  huge.write((65 * 1024 ** 2).toString(8).padStart(11, '0'), 124)
  huge.fill(' ', 148, 156)
  const sum = huge.reduce((total, byte) => total + byte, 0)
  huge.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const archive = Buffer.concat([tar.subarray(0, offset), huge, tar.subarray(offset + 512)])
  const { out, error } = await given(entries, archive, 4096)
  expect(error).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  expect(error?.message).toContain('its headers have more than 67108864 bytes')
  expect(out.length).toBeLessThanOrEqual(offset)
})

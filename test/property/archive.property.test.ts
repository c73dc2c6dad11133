/** What holds for any bytes: of the scanner of tar streams, of pax records, seek tables, frames and checksums. */
import fc from 'fast-check'
import { crc32, zstdCompressSync } from 'node:zlib'
import { AgentError } from '../../agent/errors'
import { formatCatalogEntry, parseCatalogLine } from '../../agent/archive/catalog'
import { combineCrc32 } from '../../agent/lib/crc32'
import { paxReader } from '../../agent/tar/pax-records'
import type { Extension } from '../../agent/tar/extension'
import { scanTar } from '../../agent/tar/scanner'
import { frameEndFinder } from '../../agent/archive/zstd-frame'
import type { CatalogEntry } from '../../agent/tar/entry'

const RUNS = { numRuns: 1000 }
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((data) => Buffer.from(data))

/** A header block whose checksum is right, whatever else is in it. */
const header = fc
  .tuple(fc.uint8Array({ minLength: 512, maxLength: 512 }), fc.constantFrom(...Array.from('0123456xLS')), fc.nat(2000))
  .map(([data, type, size]) => {
    const block = Buffer.from(data)
    block.write(`${size.toString(8).padStart(11, '0')}\0${' '.repeat(12)}`, 124)
    block.write(type, 156)
    block.fill(0x20, 148, 156)
    const sum = block.reduce((total, byte) => total + byte, 0)
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return Buffer.concat([block, Buffer.alloc(Math.ceil(size / 512) * 512, data)])
  })

test('whatever headers hold, the scanner gives entries that catalogs take, or refuses the archive', () => {
  fc.assert(
    fc.property(fc.array(header, { maxLength: 6 }), (blocks) => {
      const entries: CatalogEntry[] = []
      const scanner = scanTar((entry) => entries.push(entry), { isTolerant: true })
      try {
        scanner.push(Buffer.concat([...blocks, Buffer.alloc(1024)]))
        scanner.finish()
      } catch (error) {
        expect(error).toBeInstanceOf(AgentError)
      }
      let next = 0
      for (const entry of entries) {
        expect(entry.offset).toBe(next)
        next += entry.bytes
        expect(parseCatalogLine(formatCatalogEntry(entry))).toEqual(entry)
      }
    }),
    RUNS,
  )
})

test('records are read the same in pieces of any size', () => {
  const key = fc.constantFrom('path', 'linkpath', 'uid', 'SCHILY.xattr.user.a', 'comment')
  const record = fc.tuple(key, bytes(300)).map(([name, value]) => {
    const data = name === 'uid' ? Buffer.from(String(value.length)) : value
    const rest = Buffer.concat([Buffer.from(` ${name}=`), data, Buffer.from('\n')])
    let length = rest.length
    while (length !== rest.length + String(length).length) length = rest.length + String(length).length
    return Buffer.concat([Buffer.from(String(length)), rest])
  })
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), fc.integer({ min: 1, max: 64 }), (records, piece) => {
      const all = Buffer.concat(records)
      const read = (size: number): Extension => {
        const extension: Extension = {}
        const reader = paxReader()
        reader.start(0, extension)
        for (let at = 0; at < all.length; at += size) reader.push(all, at, Math.min(at + size, all.length))
        reader.finish()
        return extension
      }
      expect(read(piece)).toEqual(read(all.length + 1))
    }),
    RUNS,
  )
})

test('the checksum of two pieces is that of the whole', () => {
  fc.assert(
    fc.property(bytes(500), bytes(500), (a, b) => {
      expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])))
    }),
    RUNS,
  )
})

test('the ends of frames are found in pieces of any size', () => {
  fc.assert(
    fc.property(
      fc.array(bytes(200), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 50 }),
      (parts, piece) => {
        const frames = parts.map((part) => zstdCompressSync(part))
        const all = Buffer.concat(frames)
        const find = frameEndFinder()
        const ends: number[] = []
        for (let at = 0; at < all.length; at += piece) {
          ends.push(...[...find(all.subarray(at, at + piece))].map((end) => at + end))
        }
        let sum = 0
        expect(ends).toEqual(frames.map(({ length }) => (sum += length)))
      },
    ),
    RUNS,
  )
})

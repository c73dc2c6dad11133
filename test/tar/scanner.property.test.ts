/** What holds of the scanner however a stream is cut, and whatever its headers hold. */
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { formatCatalogEntry, parseCatalogLine } from '../../agent/archive/catalog'
import { AgentError } from '../../agent/errors'
import { tarCreate } from '../../agent/tar/commands'
import { scanTar, type ScanOptions } from '../../agent/tar/scanner'
import { scratchTree } from '../support/tree/scratch'
import type { CatalogEntry } from '../../agent/tar/entry'

jest.setTimeout(60_000)
const RUNS = { numRuns: 1000 }

const scratch = scratchTree(() => undefined)
/** The tree's archive, without what is long in it, so that thousands of runs do not take long. */
let tar: Buffer
let whole: ReturnType<typeof scan>
beforeAll(() => {
  const [program, ...args] = tarCreate(scratch.root())
  const all = execFileSync(program, args, { maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore'] })
  const pieces: Buffer[] = []
  for (const { offset, bytes } of scan(all, [], {}).entries) {
    if (bytes <= 4096) pieces.push(all.subarray(offset, offset + bytes))
  }
  tar = Buffer.concat([...pieces, Buffer.alloc(1024)])
  whole = scan(tar, [], {})
})

function scan(stream: Buffer, cuts: readonly number[], options: ScanOptions) {
  const entries: CatalogEntry[] = []
  const scanner = scanTar((entry) => entries.push(entry), options)
  let from = 0
  for (const cut of [...cuts, stream.length]) {
    const chunk = Buffer.from(stream.subarray(from, cut))
    scanner.push(chunk)
    chunk.fill(0xee) // what is kept of it beyond its time shows
    from = cut
  }
  return { entries, totals: scanner.finish() }
}

test('wherever the stream is cut, the entries and totals are the same', () => {
  expect(whole.entries.length).toBeGreaterThan(50)
  const expected = JSON.stringify(whole)
  const cuts = fc.array(fc.nat(tar.length), { maxLength: 60 }).map((places) => places.sort((a, b) => a - b))
  fc.assert(
    fc.property(cuts, fc.constantFrom<ScanOptions>({}, { isTolerant: true }, { isStrict: true }), (places, options) => {
      expect(JSON.stringify(scan(tar, places, options))).toBe(expected)
    }),
    RUNS,
  )
})

test('whatever bytes stand in place of others, the stream is scanned or refused as broken', () => {
  const change = fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.boolean())
  fc.assert(
    fc.property(
      fc.nat(whole.entries.length - 1),
      fc.array(change, { maxLength: 4 }),
      fc.boolean(),
      (nth, changes, isTolerant) => {
        const { offset, bytes } = whole.entries[nth]!
        const stream = Buffer.concat([tar.subarray(offset, offset + bytes), Buffer.alloc(1024)])
        for (const [place, data, isSigned] of changes) {
          stream.set(data, place % (stream.length - data.length))
          if (isSigned) sign(stream, Math.floor((place % bytes) / 512) * 512)
        }
        try {
          scan(stream, [stream.length >> 1], { isTolerant, isStrict: !isTolerant })
        } catch (error) {
          expect(error).toBeInstanceOf(AgentError)
          expect(error).toMatchObject({ code: 'ARCHIVE_FAILED' })
        }
      },
    ),
    RUNS,
  )
})

/** Makes the checksum of the header that starts there right. */
function sign(stream: Buffer, at: number): void {
  stream.fill(0x20, at + 148, at + 156)
  const sum = stream.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
  stream.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148)
}

/** A header block whose checksum is right, whatever else is in it. */
const anyHeader = fc
  .tuple(fc.uint8Array({ minLength: 512, maxLength: 512 }), fc.constantFrom(...Array.from('0123456xLS')), fc.nat(2000))
  .map(([data, type, size]) => {
    const block = Buffer.from(data)
    block.write(`${size.toString(8).padStart(11, '0')}\0${' '.repeat(12)}`, 124)
    block.write(type, 156)
    sign(block, 0)
    return Buffer.concat([block, Buffer.alloc(Math.ceil(size / 512) * 512, data)])
  })

test('whatever headers hold, the scanner gives entries that catalogs take, or refuses the archive', () => {
  fc.assert(
    fc.property(fc.array(anyHeader, { maxLength: 6 }), (blocks) => {
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

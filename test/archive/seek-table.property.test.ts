/** What holds for any seek table, and for any bytes in the place of one. */
import fc from 'fast-check'
import { AgentError } from '../../agent/errors'
import { formatSeekTable, parseSeekTable, seekTableBytes } from '../../agent/archive/seek-table'

jest.setTimeout(60_000)

const RUNS = { numRuns: 2000 }
const FRAME_BYTES = 1000

/** Stored sizes of the frames of a segment, and what is left for the last of them. */
const segments = fc
  .record({
    storedBytes: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 1, maxLength: 20 }),
    lastBytes: fc.integer({ min: 1, max: FRAME_BYTES }),
  })
  .map(({ storedBytes, lastBytes }) => {
    const rawBytes = (storedBytes.length - 1) * FRAME_BYTES + lastBytes
    const sizeBytes = storedBytes.reduce((sum, bytes) => sum + bytes, seekTableBytes(storedBytes.length))
    return { storedBytes, segment: { key: 'data/x', rawBytes, sizeBytes } }
  })

const tableOf = ({ storedBytes, segment }: { storedBytes: number[]; segment: { rawBytes: number } }) =>
  formatSeekTable(storedBytes, segment.rawBytes, FRAME_BYTES)

function parsed(table: Buffer, segment: { key: string; rawBytes: number; sizeBytes: number }): number[] | undefined {
  try {
    return parseSeekTable(table, segment, FRAME_BYTES)
  } catch (error) {
    expect(error).toBeInstanceOf(AgentError)
    expect(error).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    return undefined
  }
}

test('a seek table says what was written into it', () => {
  fc.assert(
    fc.property(segments, (written) => {
      expect(parseSeekTable(tableOf(written), written.segment, FRAME_BYTES)).toEqual(written.storedBytes)
    }),
    RUNS,
  )
})

test('a seek table of which one byte is another is refused', () => {
  fc.assert(
    fc.property(segments, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, at, change) => {
      const table = tableOf(written)
      const index = at % table.length
      table[index] = table[index]! ^ change
      expect(parsed(table, written.segment)).toBeUndefined() // one size alone cannot differ in the same sum
    }),
    RUNS,
  )
})

test('whatever bytes are there, they are refused as damage or are the table of that segment to the byte', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data))
  const cut = fc.tuple(segments, fc.nat(), fc.nat()).map(([written, from, to]) => {
    const table = tableOf(written)
    return table.subarray(from % (table.length + 1), to % (table.length + 1))
  })
  fc.assert(
    fc.property(fc.oneof(bytes, cut, segments.map(tableOf)), segments, (table, { segment }) => {
      const storedBytes = parsed(table, segment)
      if (storedBytes) expect(formatSeekTable(storedBytes, segment.rawBytes, FRAME_BYTES).equals(table)).toBe(true)
    }),
    RUNS,
  )
})

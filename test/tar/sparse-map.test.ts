import fc from 'fast-check'
import { sparseMapReader } from '../../agent/tar/sparse-map'

/** As GNU tar writes it: how many pieces, then offset and size of each. */
const format = (pieces: readonly (readonly [number, number])[]) =>
  [pieces.length, ...pieces.flat()].map((number) => `${number}\n`).join('')

function read(text: string, fileBytes: number, dataBytes: number, pieceBytes = 512) {
  const reader = sparseMapReader()
  reader.start(fileBytes)
  const data = Buffer.from(text)
  for (let at = 0; at < data.length; at += pieceBytes) reader.push(data, at, Math.min(at + pieceBytes, data.length), 0)
  return { isWhole: reader.isWhole(), isGood: reader.isGood(dataBytes) }
}

test('a map says where all of the data belongs, whatever pieces it comes in', () => {
  const holesAndPieces = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { maxLength: 20 })
  fc.assert(
    fc.property(holesAndPieces, fc.integer({ min: 1, max: 9 }), (gaps, pieceBytes) => {
      let end = 0
      const pieces = gaps.map(([hole, bytes]) => {
        const start = end + hole
        end = start + bytes
        return [start, bytes] as const
      })
      const dataBytes = pieces.reduce((sum, [, bytes]) => sum + bytes, 0)
      expect(read(format(pieces), end, dataBytes, pieceBytes)).toEqual({ isWhole: true, isGood: true })
      expect(read(format(pieces), end, dataBytes + 1, pieceBytes).isGood).toBe(false)
      if (end > 0) expect(read(format(pieces), end - 1, dataBytes).isGood).toBe(false)
      expect(read(format(pieces).slice(0, -1), end, dataBytes).isWhole).toBe(false)
    }),
  )
})

test.each([
  ['pieces that overlap', [[0, 10], [5, 10]], 20, 20], // prettier-ignore
  ['pieces in another order', [[10, 5], [0, 5]], 20, 10], // prettier-ignore
  ['a piece behind the end of the file', [[20, 5]], 20, 5],
  ['a piece whose end is beyond all numbers', [[1, Number.MAX_SAFE_INTEGER]], Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER], // prettier-ignore
] as [string, [number, number][], number, number][])('%s do not fit', (_, pieces, fileBytes, dataBytes) => {
  expect(read(format(pieces), fileBytes, dataBytes)).toEqual({ isWhole: true, isGood: false })
})

test.each(['1\n0x10\n', '-1\n', '1 \n', '\x00'])('%j is no map', (text) => {
  expect(() => read(text, 10, 10)).toThrow(expect.objectContaining({ code: 'ARCHIVE_FAILED' }))
})

test('what follows the map is data, and no business of its reader', () => {
  expect(read(`${format([[0, 3]])}\0\0not a number`, 3, 3)).toEqual({ isWhole: true, isGood: true })
})

test('one map after another begins anew', () => {
  const reader = sparseMapReader()
  for (const [pieces, good] of [
    [
      [
        [5, 5],
        [0, 5],
      ],
      false,
    ],
    [
      [
        [0, 5],
        [5, 5],
      ],
      true,
    ],
  ] as [[number, number][], boolean][]) {
    // prettier-ignore
    reader.start(10)
    const data = Buffer.from(format(pieces))
    reader.push(data, 0, data.length, 0)
    expect(reader.isGood(10)).toBe(good)
  }
  reader.start(10)
  expect(reader.isWhole()).toBe(false)
})

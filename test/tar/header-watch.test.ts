import fc from 'fast-check'
import { watchHeaders } from '../../agent/tar/header-watch'
import { scanTar } from '../../agent/tar/scanner'
import { entry, ROOT, tarOf, type Block } from '../support/tar-blocks'

const LONG = 'x'.repeat(3000)
const BLOCKS: Block[] = [
  { name: './a', data: 'content' },
  { name: './b', data: LONG, pax: [['path', `./${LONG}`]] },
  { name: './c' },
  { name: './d', pax: [['mtime', '1.5'], ['SCHILY.xattr.user.a', LONG]], data: 'y' }, // prettier-ignore
]
const TAR = tarOf(ROOT, ...BLOCKS)

/** The headers of each entry as they were seen while the stream came in such pieces, each piece of which is used again. */
function watch(cuts: readonly number[]): string[] {
  const seen: string[] = []
  const headers = watchHeaders()
  const scanner = scanTar(({ offset, bytes }) => {
    seen.push(headers.headersAt(offset).toString('hex'))
    headers.pass(offset + bytes)
  })
  let from = 0
  for (const to of [...cuts, TAR.length]) {
    const piece = Buffer.from(TAR.subarray(from, to))
    headers.begin(piece)
    scanner.push(piece)
    headers.end()
    piece.fill(0xee)
    from = to
  }
  scanner.finish()
  return seen
}

test('the headers of each entry are there when it is scanned, wherever the stream is cut', () => {
  const whole = watch([])
  expect(whole.map((hex) => hex.length / 2)).toEqual([512, 512, 512 + 3072 + 512, 512, 512 + 3072 + 512])
  const cuts = fc.array(fc.nat(TAR.length), { maxLength: 30 }).map((places) => places.sort((a, b) => a - b))
  fc.assert(
    fc.property(cuts, (places) => expect(watch(places)).toEqual(whole)),
    { numRuns: 500 },
  )
})

test('what is skipped is not kept: a map of a sparse file may be as long as its data', () => {
  const headers = watchHeaders()
  const [first, second, map, next] = ['./a', './b', './map', './next'].map((name) => entry({ name }))
  headers.begin(first!)
  headers.end()
  headers.begin(second!)
  expect(headers.headersAt(0).equals(first!)).toBe(true) // as long as nothing was passed, all of it is there
  headers.skip()
  headers.end()
  for (let piece = 0; piece < 3; piece++) {
    headers.begin(map!)
    headers.end()
  }
  headers.begin(next!)
  expect(headers.headersAt(0).equals(first!)).toBe(false)
  expect(headers.headersAt(4 * 512).equals(map!)).toBe(false)
  headers.pass(5 * 512)
  expect(headers.headersAt(5 * 512).equals(next!)).toBe(true)
})

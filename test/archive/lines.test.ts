import { lineSplitter } from '../../agent/archive/lines'

const TEXT = Buffer.from('{"a":1}\n\n{"größe":2}\n{"c":3}')

test.each([1, 2, 3, 5, 8, 13, 100])('lines are the same in pieces of %i bytes', (pieceBytes) => {
  const splitter = lineSplitter()
  const lines: string[] = []
  for (let at = 0; at < TEXT.length; at += pieceBytes) {
    const piece = Buffer.from(TEXT.subarray(at, at + pieceBytes))
    lines.push(...splitter.push(piece))
    piece.fill(0) // it is valid until the next one
  }
  expect([...lines, ...splitter.finish()]).toEqual(TEXT.toString().split('\n'))
})

test('a text that ends with a line end has nothing behind it', () => {
  const splitter = lineSplitter()
  expect(splitter.push(Buffer.from('a\nb\n'))).toEqual(['a', 'b'])
  expect(splitter.finish()).toEqual([])
})

test('a line that is longer than any may be is refused before it is whole', () => {
  const splitter = lineSplitter()
  const piece = Buffer.alloc(256 * 1024, 'x')
  const pushAll = () => {
    for (let pushed = 0; pushed < 5; pushed++) splitter.push(piece)
  }
  expect(pushAll).toThrow('the catalog has a line of more than 1048576 bytes')
})

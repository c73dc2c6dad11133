import * as layout from '../../agent/tar/layout'
import { isZero, padded, type Field } from '../../agent/tar/layout'
import { entry } from '../support/tar-blocks'

test.each([
  [0, 0],
  [1, 512],
  [511, 512],
  [512, 512],
  [513, 1024],
  [8 * 1024 ** 4 - 1, 8 * 1024 ** 4],
])('%d bytes of data take %d of the archive', (bytes, inArchive) => {
  expect(padded(bytes)).toBe(inArchive)
})

test('a block is zero where all of it is, whatever lies around it', () => {
  const data = Buffer.alloc(3 * 512)
  data[511] = 1
  data[1024] = 1
  expect(isZero(data, 512, 512)).toBe(true)
  expect(isZero(data, 511, 512)).toBe(false)
  expect(isZero(data, 513, 512)).toBe(false)
})

test('what lies beyond the data is not zero: nobody has seen it', () => {
  expect(isZero(Buffer.alloc(100), 0, 512)).toBe(false)
})

test('the fields lie one behind the other, and leave nothing out', () => {
  const fields = [
    ...(Object.values(layout) as unknown[]).filter(
      (value): value is Field => typeof value === 'object' && value !== layout.REAL_SIZE,
    ),
    { at: layout.TYPE_AT, bytes: 1 },
  ].toSorted((a, b) => a.at - b.at)
  let end = 0
  for (const { at, bytes } of fields) {
    expect(at).toBe(end)
    end += bytes
  }
  expect(end).toBe(500)
})

test('fields are where other programs write them', () => {
  const header = entry({ name: './hosts', mode: 0o4751, link: 'target', data: 'x'.repeat(9) })
  const textOf = ({ at, bytes }: Field) => header.toString('latin1', at, at + bytes).replace(/\0.*$/s, '')
  expect([layout.NAME, layout.MODE, layout.LINK, layout.SIZE, layout.MAGIC].map(textOf)).toEqual([
    './hosts',
    '0004751',
    'target',
    '00000000011',
    'ustar',
  ])
})

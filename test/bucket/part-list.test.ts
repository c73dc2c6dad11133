import fc from 'fast-check'
import { partList } from '../../agent/bucket/part-list'

const md5 = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: 32, maxLength: 32 })
const etag = fc.oneof(
  md5.map((hex) => `"${hex}"`),
  md5,
  md5.map((hex) => `"${hex.toUpperCase()}"`),
  md5.map((hex) => `"${hex}-1"`),
  fc.string(),
)
const part = fc.record({ etag, crc32: fc.nat(0xffffffff) })

test('parts come back as the server named them, in order, whatever the order in which they were sent', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), fc.func(fc.nat()), (parts, rank) => {
      const numbered = parts.map((sent, index) => ({ partNumber: index + 1, ...sent }))
      const kept = partList()
      for (const sent of numbered.toSorted((a, b) => rank(a.partNumber) - rank(b.partNumber))) kept.add(sent)
      expect(kept.list()).toEqual(numbered)
    }),
    { numRuns: 1000 },
  )
})

test('an upload of which a part is missing is not completed', () => {
  const kept = partList()
  kept.add({ partNumber: 2, etag: '"x"', crc32: 1 })
  expect(() => kept.list()).toThrow('of 2 parts, 1 were sent')
})

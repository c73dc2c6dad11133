import fc from 'fast-check'
import { packTable, unpackTable } from '../../../fleet/report/columnar'

test('rows come back as they were', () => {
  const cell = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
  const word = fc.constantFrom('protected', 'stale', '__proto__', 'constructor')
  const rows = fc.array(fc.record({ text: cell, word, number: fc.integer() }, { noNullPrototype: true }))
  fc.assert(fc.property(rows, (given) => expect(unpackTable(packTable(given))).toEqual(given)))
})

test('a word that comes again is there once', () => {
  const packed = packTable(
    Array.from({ length: 100 }, () => ({ reason: 'the newest backup is as young as it has to be' })),
  )
  expect(JSON.stringify(packed).match(/as young/g)).toHaveLength(1)
})

test('a table without rows is one', () => expect(unpackTable(packTable([]))).toEqual([]))

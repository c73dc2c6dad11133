import fc from 'fast-check'
import { parseStrictJson } from '../../agent/lib/strict-json'

test('of anything at all, what is read is what it says; a key that an object has twice is found, wherever it is', () => {
  fc.assert(
    fc.property(fc.json(), fc.string(), fc.nat(4), (json, name, spaces) => {
      fc.pre(!/__proto__|\d{16}|e[+]?\d/i.test(json) && name !== '__proto__')
      const text = JSON.stringify({ value: JSON.parse(json) as unknown }, null, spaces)
      expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      const key = JSON.stringify(name)
      const other = JSON.stringify(`${name} `)
      const twice = `[${text}, {${key}: ${text}, ${other}: 1,\n${key}\t:0}]`
      expect(() => parseStrictJson(twice)).toThrow('twice')
    }),
  )
})

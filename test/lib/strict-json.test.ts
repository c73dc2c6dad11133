import { parseStrictJson } from '../../agent/lib/strict-json'

test.each([
  '{"a": {"b": [1, -2.5e3, true, null, "x"]}, "b": {"a": 1}}',
  '[{"a": 1}, {"a": 2}]',
  '{"a": "{\\"a\\": 1, \\"a\\": 9007199254740993}", "b": "\\\\"}',
  '{"a" : "a:", "b": ["a", "a"]}',
  '"text"',
  '9007199254740991',
  `[${'"\\n",'.repeat(100_000)}1]`,
])('what every reader understands alike is read as it is: %.60s', (text) => {
  expect(parseStrictJson(text)).toEqual(JSON.parse(text))
})

test.each([
  ['a key twice', '{"a": 1, "b": {}, "a": 2}', 'the key "a" twice'],
  ['a key twice, spelt in two ways', '{"a": 1, "\\u0061": 2}', 'the key "\\u0061" twice'],
  ['a key twice, far down', '{"x": [{"y": {"a": 1, "a" : 1}}]}', 'the key "a" twice'],
  ['a number that is rounded', '{"a": 9007199254740993}', 'the number 9007199254740993 at 6 is too large'],
  ['a number that is infinite', '[-1e999]', 'the number -1e999 at 1 is too large'],
  ['a prototype', '{"__proto__": {"a": 1}}', 'the key "__proto__"'],
  ['no end of brackets', `${'['.repeat(101)}${']'.repeat(101)}`, 'nested more than 100 deep'],
  ['half a document', '{"a": ', 'JSON'],
])('%s is refused', (_, text, message) => {
  expect(() => parseStrictJson(text)).toThrow(message)
})

test('a list of nothings, which takes twenty times its text in memory, is refused before it is read', () => {
  const text = (count: number) => `{"a": "[,{,", "b": [${Array(count).fill('[]').join()}]}`
  expect(() => parseStrictJson(text(1000), 1000)).toThrow('it has more than 1000 values')
  expect(parseStrictJson(text(400), 1000)).toEqual(JSON.parse(text(400)))
})

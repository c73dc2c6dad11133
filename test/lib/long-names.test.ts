import { more, names, shortened } from '../../agent/lib/long-names'

test('of a million names the first twenty are told of, and all are counted', () => {
  const told = names()
  for (let index = 0; index < 1_000_000; index++) told.add(`/srv/${index}`)
  expect(told.first).toEqual(Array.from({ length: 20 }, (_, index) => `/srv/${index}`))
  expect(more(told)).toBe('and 999980 more')
})

test('where all are named, nothing is said of more', () => {
  const told = names()
  for (let index = 0; index < 20; index++) told.add(`/srv/${index}`)
  expect(more(told)).toBeUndefined()
  told.add('/srv/20')
  expect(more(told)).toBe('and 1 more')
})

test.each([
  ['that fits', 'a'.repeat(400), 'a'.repeat(400)],
  ['of 64 KiB', `${'a'.repeat(60_000)}${'b'.repeat(5536)}`, `${'a'.repeat(200)}…${'b'.repeat(200)}`],
])('a name %s is shown by its ends', (_, name, expected) => {
  expect(shortened(name)).toBe(expected)
  const told = names()
  told.add(name)
  expect(told.first).toEqual([expected])
})

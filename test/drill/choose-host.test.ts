import { orderHosts } from '../../agent/drill/choose-host'

const by =
  (...ranks: number[]) =>
  () =>
    ranks.shift()!

test('who was never drilled comes first, then who was the longest ago', () => {
  const drilledAt = new Map([
    ['a', 300],
    ['b', 100],
    ['d', 200],
  ])
  expect(orderHosts(['a', 'b', 'c', 'd'], drilledAt, by(0.5, 0, 0, 0, 0))).toEqual(['c', 'b', 'd', 'a'])
})

test('among equals chance decides: two machines at the same time take different ones', () => {
  expect(orderHosts(['a', 'b', 'c'], new Map(), by(0.5, 0.5, 0.9, 0.1))).toEqual(['c', 'a', 'b'])
  expect(orderHosts(['a', 'b', 'c'], new Map(), by(0.5, 0.1, 0.2, 0.3))).toEqual(['a', 'b', 'c'])
})

test('now and then chance decides among all: who is never on record keeps nobody from their turn', () => {
  const drilledAt = new Map([
    ['a', 300],
    ['b', 100],
  ])
  expect(orderHosts(['a', 'b', 'stuck'], drilledAt, by(0.9, 0, 0, 0.9))[0]).toBe('stuck')
  expect(orderHosts(['a', 'b', 'stuck'], drilledAt, by(0.1, 0.3, 0.2, 0.9))).toEqual(['b', 'a', 'stuck'])
})

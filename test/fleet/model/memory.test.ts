/** What one pass leaves for the next: so that a state has a beginning, and each change is told once. */
import { judgeFleet } from '../../../fleet/model/judge'
import { findTransitions, remember } from '../../../fleet/model/memory'
import type { HostHistory, HostMemory } from '../../../fleet/model/records'
import { aFleet, aHistory, anInstance, arnOf, DAY, HOUR, nights, NOW } from '../../support/fleet'

const host = arnOf('i-1')

/** Passes, each an hour after the one before it: what is told of at each. */
function pass(
  history: HostHistory | undefined,
  now: number,
  memories: readonly HostMemory[],
  expected = anInstance('i-1'),
) {
  const known = new Map(memories.map((memory) => [memory.host, memory]))
  const view = judgeFleet(aFleet([expected], history ? [history] : [], { now, memories }))
  return { view, news: findTransitions(view, known), memories: remember(view, known) }
}

test('each change of state is told once, with what it was before', () => {
  const history = aHistory(host, nights(3))
  const first = pass(history, NOW, [])
  expect(first.news).toEqual([])
  const later = pass(history, NOW + 40 * HOUR, first.memories)
  expect(later.news).toEqual([
    expect.objectContaining({ host, name: 'web-i-1', from: 'protected', to: 'stale', at: NOW + 40 * HOUR }),
  ])
  const again = pass(history, NOW + 41 * HOUR, later.memories)
  expect(again.news).toEqual([])
  expect(again.view.hosts[0]!.stateSince).toBe(NOW + 40 * HOUR)
})

test('a host that is in trouble when it is first seen is news, one that is well is not', () => {
  expect(pass(undefined, NOW, []).news).toEqual([expect.objectContaining({ host, to: 'never' })])
  expect(pass(aHistory(host, nights(1)), NOW, []).news).toEqual([])
})

test('since when a class has been expected is not forgotten while it is', () => {
  const first = pass(undefined, NOW, [])
  expect(first.memories).toEqual([{ host, state: 'never', stateSince: NOW, expectedSince: { daily: NOW } }])
  const second = pass(undefined, NOW + DAY, first.memories)
  expect(second.memories[0]!.expectedSince).toEqual({ daily: NOW })
})

test('when a host was found to be gone is kept, and dropped once it is back', () => {
  const history = aHistory(host, nights(3, NOW - 9 * DAY))
  const gone = anInstance('i-1', { power: 'terminated' })
  const first = pass(history, NOW, [], gone)
  expect(first.memories[0]).toMatchObject({ state: 'gone', goneSince: NOW })
  const second = pass(history, NOW + DAY, first.memories, gone)
  expect(second.memories[0]).toMatchObject({ state: 'gone', goneSince: NOW })
  expect(pass(history, NOW + 2 * DAY, second.memories).memories[0]).not.toHaveProperty('goneSince')
})

test('an operator’s word that a host may be forgotten outlives the passes that do not see it', () => {
  const forgotten: HostMemory = { host: 'old', state: 'gone', stateSince: 1, expectedSince: {}, forgottenAt: NOW - DAY }
  const lost: HostMemory = { host: 'lost', state: 'gone', stateSince: 1, expectedSince: {} }
  const { memories } = pass(aHistory(host, nights(1)), NOW, [forgotten, lost])
  expect(memories.map((memory) => memory.host)).toEqual([host, 'old'])
  expect(memories[1]).toEqual(forgotten)
})

import { getEventListeners } from 'node:events'
import { neverAborted } from '../../agent/lib/never-aborted'

test('nobody has aborted it, and whoever listens to one does so to that one alone', () => {
  const first = neverAborted()
  first.addEventListener('abort', () => undefined)
  const second = neverAborted()
  expect([first.aborted, second.aborted]).toEqual([false, false])
  expect(getEventListeners(second, 'abort')).toEqual([])
})

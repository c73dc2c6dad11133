import { areBasesVerified, judgeBases } from '../../../fleet/model/bases'
import type { RunRecord } from '../../../fleet/model/records'
import { aRun, DAY, nights, NOW } from '../../support/fleet'

const base = aRun(NOW - 3 * DAY)
const hanging = (changes: Partial<RunRecord> = {}) => aRun(NOW, { bases: [base.run], ...changes })
const statesOf = (...runs: readonly RunRecord[]) => judgeBases(runs).map(({ state }) => state)
const verdict = { by: 'operator', depth: 'stream', ok: false, at: NOW - 100 } as const

test('of full runs, nothing is said, and nothing copied', () => {
  const runs = nights(5)
  expect(judgeBases(runs)).toBe(runs)
})

describe('a differential run', () => {
  test('is as it was where its base is well', () => {
    expect(statesOf(hanging(), base)).toEqual(['complete', 'complete'])
  })

  test.each<[string, Partial<RunRecord>]>([
    ['has lost objects', { state: 'objects-missing' }],
    ['did not read back', { verdict }],
  ])('is not good where its base %s', (_, changes) => {
    expect(statesOf(hanging(), hanging(), { ...base, ...changes }).slice(0, 2)).toEqual([
      'base-missing',
      'base-missing',
    ])
  })

  test('is good again once its base is', () => {
    expect(statesOf(hanging({ state: 'base-missing' }), base)[0]).toBe('complete')
  })

  test('whose base has no manifest any more is what was seen of it', () => {
    expect(statesOf(hanging())).toEqual(['complete'])
    expect(statesOf(hanging({ state: 'base-missing' }))).toEqual(['base-missing'])
  })

  test('whose base lacks filesystems may have its own there: it is what was seen of it', () => {
    const lacking = { ...base, state: 'incomplete' } as const
    expect(statesOf(hanging(), lacking)[0]).toBe('complete')
    expect(statesOf(hanging({ state: 'base-missing' }), lacking)[0]).toBe('base-missing')
  })

  test('that was read back with its base later than that did not is good; objects that are gone are gone', () => {
    const read = { by: 'operator', depth: 'stream', ok: true, at: NOW } as const
    expect(statesOf(hanging({ verdict: read }), { ...base, verdict })[0]).toBe('complete')
    expect(statesOf(hanging({ verdict: { ...read, at: NOW - 200 } }), { ...base, verdict })[0]).toBe('base-missing')
    expect(statesOf(hanging({ verdict: { ...read, by: 'host' } }), { ...base, verdict })[0]).toBe('base-missing')
    expect(statesOf(hanging({ verdict: read }), { ...base, state: 'objects-missing' })[0]).toBe('base-missing')
  })

  test('that lacks filesystems lacks them whatever its base is', () => {
    expect(statesOf(hanging({ state: 'incomplete' }), { ...base, state: 'objects-missing' })[0]).toBe('incomplete')
  })
})

test('a run is as verified as its bases are', () => {
  expect(areBasesVerified(hanging(), [base])).toBe(true)
  expect(areBasesVerified(hanging(), [{ ...base, verified: 'none' }])).toBe(false)
  expect(areBasesVerified(hanging(), [{ ...base, sizesOnly: true }])).toBe(false)
  expect(areBasesVerified(hanging(), [])).toBe(true)
  expect(areBasesVerified(aRun(NOW), [])).toBe(true)
})

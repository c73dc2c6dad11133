import fc from 'fast-check'
import { isDamaged, isGood, isVerified } from '../../../fleet/model/runs'
import type { RunRecord } from '../../../fleet/model/records'
import { aRun, NOW } from '../../support/fleet'

const anyRun: fc.Arbitrary<RunRecord> = fc
  .record({
    state: fc.constantFrom('complete', 'incomplete', 'misdated', 'unreadable', 'unsupported', 'objects-missing'),
    verified: fc.constantFrom('none', 'checksum', 'stream', 'source'),
    sizesOnly: fc.boolean(),
    verdict: fc.option(fc.record({ ok: fc.boolean(), sizesOnly: fc.boolean() })),
  })
  .map(({ sizesOnly, verdict, ...rest }) =>
    aRun(NOW, {
      ...rest,
      ...(sizesOnly && { sizesOnly }),
      ...(verdict && {
        verdict: {
          ...{ by: 'operator', depth: 'stream', at: NOW, ok: verdict.ok },
          ...(verdict.sizesOnly && { sizesOnly: true }),
        },
      }),
    }),
  )

test('whatever a run says of itself: it is good only complete, proven and not refuted', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      if (!isGood(run)) return
      expect(run.state).toBe('complete')
      expect(isDamaged(run)).toBe(false)
      expect((run.verified !== 'none' && !run.sizesOnly) || (run.verdict?.ok && !run.verdict.sizesOnly)).toBe(true)
    }),
  )
})

test('a verdict that it does not read back outweighs all that the host confirmed', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      const refuted: RunRecord = { ...run, verdict: { by: 'operator', depth: 'stream', ok: false, at: NOW } }
      expect([isDamaged(refuted), isVerified(refuted), isGood(refuted)]).toEqual([true, false, false])
    }),
  )
})

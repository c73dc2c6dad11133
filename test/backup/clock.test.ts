import { assertClockAgrees, describeSkew } from '../../agent/backup/clock'
import { refusal } from '../support/refusal'

test.each([
  [90, "this host's clock is 90 s behind the server's"],
  [-600.4, "this host's clock is 600 s ahead of the server's"],
])('%d s of skew are told as seen from the host', (skew, said) => {
  expect(describeSkew(skew)).toBe(said)
})

test.each([0, 1, 300, -300])('with %d s of skew a run can be named', (skew) => {
  expect(() => assertClockAgrees(skew)).not.toThrow()
})

test.each([300.5, -301, 63e6])(
  'with %d s of skew nothing is backed up: the run would be dated wrongly for ever',
  (skew) => {
    expect(refusal(() => assertClockAgrees(skew))).toEqual({
      code: 'CLOCK_SKEW',
      message: `${describeSkew(skew)}: nothing was backed up`,
      hint: expect.stringContaining('chronyd') as string,
    })
  },
)

import { AgentError, describeError, hasCode, isDataLoss, type ErrorCode } from '../agent/errors'

const full = new AgentError('SNAPSHOT_SPACE', "volume group 'vg0' is full", { hint: 'Extend it.' })
const busy = new AgentError('CLEANUP_FAILED', '/run/snapstream/x is busy', { hint: 'See who uses it.' })

test('an error is one line of cause and one of remedy', () => {
  expect(describeError(full)).toEqual(["volume group 'vg0' is full", 'HINT: Extend it.'])
})

test('the first failure is told first although its clean-up failed later', async () => {
  const failure = await (async () => {
    await using _lease = { [Symbol.asyncDispose]: () => Promise.reject(busy) }
    throw full
  })().catch((error: unknown) => error)

  expect(describeError(failure)).toEqual([
    "volume group 'vg0' is full",
    'HINT: Extend it.',
    'during clean-up: /run/snapstream/x is busy',
    'during clean-up: HINT: See who uses it.',
  ])
  expect(hasCode(failure, 'SNAPSHOT_SPACE')).toBe(true)
  expect(hasCode(failure, 'CLEANUP_FAILED')).toBe(false)
})

test('what is not ours is told too', () => {
  expect(describeError(new TypeError('x is not a function'))).toEqual(['TypeError: x is not a function'])
  expect(describeError('oops')).toEqual(['oops'])
})

test.each<[ErrorCode, boolean]>([
  ['OBJECT_MISSING', true],
  ['ARCHIVE_DAMAGED', true],
  ['CHECKSUM_MISMATCH', true],
  ['ACCESS_DENIED', false],
  ['OBJECT_ARCHIVED', false],
  ['ENDPOINT_UNREACHABLE', false],
  ['STORE_FAILED', false],
  ['INTERRUPTED', false],
])('%s says that something stored is lost: %s', (code, lost) => {
  expect(isDataLoss(new AgentError(code, 'a', { hint: 'b' }))).toBe(lost)
})

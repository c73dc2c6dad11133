import { attemptUntil, failedAttempt, type FailedAttempt } from '../../agent/source/patience.io'
import { AgentError } from '../../agent/errors'

const result = { stdout: '', stderr: '', status: 1, killedBy: null }
const busy: FailedAttempt = { text: 'target is busy', hangs: false }

/** Attempts that end like this, one after the other, and how many there were. */
function attempts(...ends: readonly (FailedAttempt | Error | undefined)[]) {
  let made = 0
  const attempt = async () => {
    const end = ends[made++]
    if (end instanceof Error) throw end
    return end
  }
  return { attempt, made: () => made }
}

test('what a command complains of is its last word, and one that hangs has none', () => {
  expect(failedAttempt({ ...result, stderr: 'umount: busy\n' })).toEqual({ text: 'umount: busy', hangs: false })
  expect(failedAttempt({ ...result, stderr: 'busy', hangs: true })).toEqual({
    text: 'the command does not end',
    hangs: true,
  })
})

test('what is given back at once is not asked for again', async () => {
  const { attempt, made } = attempts(undefined)
  expect([await attemptUntil(attempt), made()]).toEqual([undefined, 1])
})

test('what is busy for a moment is given back at the next attempt', async () => {
  const { attempt, made } = attempts(busy, undefined)
  expect([await attemptUntil(attempt), made()]).toEqual([undefined, 2])
})

test('an attempt that throws is one that failed', async () => {
  const gone = new AgentError('COMMAND_FAILED', 'no findmnt', { hint: 'Install it.' })
  const { attempt, made } = attempts(gone, undefined)
  expect([await attemptUntil(attempt), made()]).toEqual([undefined, 2])
})

test('where one attempt hangs, another would, too', async () => {
  const hanging = { text: 'the command does not end', hangs: true }
  const { attempt, made } = attempts(hanging, undefined)
  expect([await attemptUntil(attempt), made()]).toEqual([hanging, 1])
})

test('nobody waits for ever: after ten seconds the last complaint is told', async () => {
  const clock = jest.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(10_001)
  const { attempt, made } = attempts({ text: 'still busy', hangs: false })
  expect([await attemptUntil(attempt), made()]).toEqual([{ text: 'still busy', hangs: false }, 1])
  clock.mockRestore()
})

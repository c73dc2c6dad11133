import type { Argv, RunOptions } from '../../agent/context'
import { runUninterruptible } from '../../agent/host/uninterruptible'
import { localDeps } from '../support/host-deps'

const ARGV: Argv = ['lvremove', 'vg0/snapshot']

test('who is interrupted while something is changed lets that come to its end', async () => {
  const interruption = new AbortController()
  const deps = localDeps(interruption.signal)
  const ran: [Argv, boolean, RunOptions | undefined][] = []
  const run = async (argv: Argv, signal: AbortSignal, options?: RunOptions) => {
    interruption.abort()
    ran.push([argv, signal.aborted, options])
    return ''
  }
  await runUninterruptible({ ...deps, host: { ...deps.host, run } }, ARGV, 30)
  expect(ran).toEqual([[ARGV, false, { timeoutSeconds: 30, leaveRunning: true }]])
})

test('who was interrupted before changes nothing', async () => {
  const stopped = AbortSignal.abort(new Error('stopped by SIGTERM'))
  await expect(runUninterruptible(localDeps(stopped), ['touch', '/should-not-be'], 30)).rejects.toThrow('SIGTERM')
})

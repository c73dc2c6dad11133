import type { Argv, RunOptions } from '../../../agent/context'
import { changeLvm } from '../../../agent/source/lvm/commands.io'
import { fakeHost } from '../../support/fake-host'
import { localDeps } from '../../support/host-deps'
import { refusalOf } from '../../support/refusal'

const ARGV: Argv = ['lvcreate', 'vg/home']

test('an LVM command that has begun is never killed: it would leave a volume suspended', async () => {
  const interruption = new AbortController()
  const deps = localDeps(interruption.signal)
  const ran: [Argv, boolean, RunOptions | undefined][] = []
  const run = async (argv: Argv, signal: AbortSignal, options?: RunOptions) => {
    interruption.abort()
    ran.push([argv, signal.aborted, options])
    return ''
  }
  await changeLvm({ ...deps, host: { ...deps.host, run } }, ARGV)
  expect(ran).toEqual([[ARGV, false, { timeoutSeconds: 60, leaveRunning: true }]])
})

test('a run that was interrupted before begins no change', async () => {
  const host = fakeHost({ lvcreate: '' })
  const stopped = localDeps(AbortSignal.abort(new Error('stopped by SIGTERM')))
  await expect(changeLvm({ ...stopped, host }, ARGV)).rejects.toThrow('SIGTERM')
  expect(host.ran).toEqual([])
})

test('what LVM refuses is told with what it said', async () => {
  const host = fakeHost({ lvcreate: { status: 5, stderr: 'insufficient free space' } })
  expect(await refusalOf(changeLvm({ ...localDeps(), host }, ARGV))).toMatchObject({
    code: 'COMMAND_FAILED',
    message: expect.stringContaining('insufficient free space') as string,
  })
})

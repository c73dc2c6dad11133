/** The process that releases applications should the agent be killed: started as the agent starts it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGuard, type GuardConfig } from '../../agent/hooks/guard.io'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'
import { diary, happened, hook, PROGRAM } from './fixture'

jest.setTimeout(30_000)

const CONFIG: GuardConfig = { run: '20260131T040506Z-abz277', postHooks: [], hookTimeout: 10, ownUnits: false }

describe('the guard', () => {
  /** As the agent has it, whose end is the end of these lines. */
  async function started(changes: Partial<GuardConfig>): Promise<ChildProcess & { say(line: string): void }> {
    const [program, ...args] = PROGRAM
    const child = spawn(program, [...args, 'guard-hooks'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const say = (line: string) => void child.stdin.write(`${line}\n`)
    say(JSON.stringify({ ...CONFIG, ...changes }))
    await once(child.stdout, 'data')
    return Object.assign(child, { say })
  }
  async function ended(guard: ChildProcess): Promise<unknown> {
    guard.stdin?.end()
    return (await once(guard, 'close'))[0]
  }
  const postHooks = async () => [await hook('post/1-db', 'exit 1'), await hook('post/2-app')]

  test('runs the post hooks in their order where the agent is gone, also behind one that fails', async () => {
    const guard = await started({ postHooks: await postHooks() })
    guard.say('begins')
    guard.say('ended')
    expect(await happened()).toEqual([''])
    expect(await ended(guard)).toBe(0)
    expect(await happened()).toEqual(['post/1-db', 'post/2-app'])
  })

  test('runs none where it was told that applications are not held any more', async () => {
    const guard = await started({ postHooks: await postHooks() })
    guard.say('ended')
    guard.say('stopped')
    expect(await ended(guard)).toBe(0)
    expect(await happened()).toEqual([''])
  })

  test('runs them where the agent was gone before its first hook', async () => {
    const guard = await started({ postHooks: await postHooks() })
    await ended(guard)
    expect(await happened()).toEqual(['post/1-db', 'post/2-app'])
  })

  test('waits for as long as a hook that had begun may take, which outlives the agent', async () => {
    const guard = await started({ postHooks: await postHooks(), hookTimeout: 1 })
    guard.say('begins')
    guard.stdin?.end()
    await sleep(500)
    expect(await happened()).toEqual([''])
    await once(guard, 'close')
    expect(await happened()).toEqual(['post/1-db', 'post/2-app'])
  })
})

describe('the agent', () => {
  const start = (program: readonly [string, ...string[]]) => startGuard(localDeps(), CONFIG, program)

  test('tells it what to do, a line each, the last of which is that it is not needed any more', async () => {
    const guard = await start(['sh', '-c', `echo ready; cat >>${diary}`])
    guard.notify('begins')
    guard.notify('ended')
    await guard.stop()
    expect(await happened()).toEqual([JSON.stringify(CONFIG), 'begins', 'ended', 'stopped'])
  })

  test('goes on where it was killed itself by the time that it is told to stop', async () => {
    const guard = await start(['sh', '-c', 'echo ready; kill -KILL $$'])
    await expect(guard.stop()).resolves.toBeUndefined()
  })

  test.each(['false', 'true', '/no/such/program'])('holds nothing without it: %s', async (program) => {
    expect(['COMMAND_FAILED', 'TOOL_MISSING']).toContain((await refusalOf(start([program]))).code)
  })
})

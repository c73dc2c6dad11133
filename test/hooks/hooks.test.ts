import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../../agent/errors'
import { findHooks, quiesceApplications, type HooksRequest } from '../../agent/hooks/hooks.io'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'
import type { Host } from '../../agent/context'
import { diary, directory, happened, hook, note, PROGRAM } from './fixture'

jest.setTimeout(30_000)

const request: HooksRequest = {
  run: '20260131T040506Z-abz277',
  preHook: [],
  postHook: [],
  onHookFailure: 'abort',
  hookTimeout: 10,
}

/** As on a host without systemd, wherever this runs. */
const surroundings = () => ({ directory, program: PROGRAM, canStartUnits: async () => false })
const hold = (changes: Partial<HooksRequest> = {}, take = () => note('snapshots')) =>
  quiesceApplications(localDeps(), { ...request, ...changes }, take, surroundings())

test('applications are held for the snapshots only, in lexical order', async () => {
  for (const name of ['pre/20-app', 'pre/10-db', 'post/20-db', 'post/10-app']) await hook(name)
  const { hooks } = await hold({ preHook: [await hook('last')], postHook: [await hook('first')] })
  expect(await happened()).toEqual([
    'pre/10-db',
    'pre/20-app',
    'last',
    'snapshots',
    'first',
    'post/10-app',
    'post/20-db',
  ])
  expect(hooks.map(({ path, stage, ok }) => [path.replace(`${directory}/`, ''), stage, ok])).toEqual([
    ['pre/10-db', 'pre', true],
    ['pre/20-app', 'pre', true],
    ['last', 'pre', true],
    ['first', 'post', true],
    ['post/10-app', 'post', true],
    ['post/20-db', 'post', true],
  ])
})

test('a guard that is slow to go holds no application', async () => {
  await hook('pre/db')
  await hook('post/db')
  const program = ['sh', '-c', `echo ready; cat >/dev/null; echo gone >>${diary}`] as const
  const now = () => new Date(readFileSync(diary, 'utf8').includes('gone') ? 3_600_000 : 0)
  const deps = { ...localDeps(), now }
  const { heldSeconds } = await quiesceApplications(deps, request, async () => undefined, {
    ...surroundings(),
    program,
  })
  expect(await happened()).toEqual(['pre/db', 'post/db', 'gone'])
  expect(heldSeconds).toBe(0)
})

test('a host without hooks needs no directory for them', async () => {
  const { taken, hooks } = await hold({}, async () => 'lease' as never)
  expect([taken, hooks]).toEqual(['lease', []])
})

test('where a pre hook fails, no snapshot is taken, and the post hooks run', async () => {
  await hook('pre/1-db', 'echo cannot lock tables >&2; exit 7')
  await hook('pre/2-app')
  await hook('post/db')
  expect(await refusalOf(hold())).toMatchObject({
    code: 'HOOK_FAILED',
    message: `the hook ${directory}/pre/1-db exited with status 7: cannot lock tables`,
  })
  expect(await happened()).toEqual(['pre/1-db', 'post/db'])
})

test('where that is wanted, the backup goes on without the hook', async () => {
  await hook('pre/db', 'exit 7')
  const { hooks } = await hold({ onHookFailure: 'continue' })
  expect(hooks).toMatchObject([{ stage: 'pre', ok: false, message: 'exited with status 7' }])
  expect(await happened()).toEqual(['pre/db', 'snapshots'])
})

test('where a snapshot fails, the post hooks run all the same', async () => {
  await hook('post/db')
  const failure = new AgentError('SNAPSHOT_SPACE', 'no room', { hint: 'Make some.' })
  expect(await refusalOf(hold({}, () => Promise.reject(failure)))).toMatchObject({ code: 'SNAPSHOT_SPACE' })
  expect(await happened()).toEqual(['post/db'])
})

test('a post hook that fails is recorded, and the next one runs', async () => {
  await hook('post/1-db', 'exit 1')
  await hook('post/2-app')
  const { hooks } = await hold()
  expect(hooks.map(({ ok }) => ok)).toEqual([false, true])
})

test('an interruption between two hooks still runs the post hooks', async () => {
  const interruption = new AbortController()
  await hook('post/db')
  const deps = localDeps(interruption.signal)
  const taken = quiesceApplications(
    deps,
    request,
    async () => {
      interruption.abort(new AgentError('INTERRUPTED', 'stopped', { hint: 'Run it again.' }))
      interruption.signal.throwIfAborted()
    },
    surroundings(),
  )
  expect(await refusalOf(taken)).toMatchObject({ code: 'INTERRUPTED' })
  expect(await happened()).toEqual(['post/db'])
})

describe('when the agent is killed while it holds applications', () => {
  /** Holds them in a process of its own, until that is killed. */
  const HOLD = `
    const { quiesceApplications } = require('./agent/hooks/hooks.io.ts')
    const { localDeps } = require('./test/support/host-deps.ts')
    const [directory, request, ...program] = process.argv.slice(1)
    const forever = () => new Promise(() => { console.log('held'); setInterval(() => {}, 1000) })
    quiesceApplications(localDeps(), JSON.parse(request), forever, { directory, program, canStartUnits: async () => false })`

  async function killOnce(isTime: (child: ReturnType<typeof spawn>) => Promise<unknown>, hookTimeout = 10) {
    const orders = JSON.stringify({ ...request, hookTimeout })
    const args = ['--require', 'tsx/cjs', '--eval', HOLD, directory, orders, ...PROGRAM]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
    await isTime(child)
    process.kill(-(child.pid as number), 'SIGKILL')
    await once(child, 'close')
  }

  async function untilHappened(word: string): Promise<string[]> {
    for (let words = await happened(); ; words = await happened()) {
      if (words.includes(word)) return words
      await sleep(20)
    }
  }

  test('the post hooks run all the same, in their order', async () => {
    for (const name of ['pre/db', 'post/1-db', 'post/2-app']) await hook(name)
    await killOnce((child) => once(child.stdout as NodeJS.ReadableStream, 'data'))
    expect(await untilHappened('post/2-app')).toEqual(['pre/db', 'post/1-db', 'post/2-app'])
  })

  test('a hook that is still at work is over before they run', async () => {
    const killed = join(directory, 'killed')
    await hook('pre/db', `until [ -e ${killed} ]; do sleep 0.05; done; echo locked >>${diary}`)
    await hook('post/db')
    await killOnce(() => untilHappened('pre/db'), 2)
    await writeFile(killed, '')
    expect(await untilHappened('post/db')).toEqual(['pre/db', 'locked', 'post/db'])
  })
})

test.each(['false', 'true'])('without somebody to release them, applications are not held: %s', async (program) => {
  for (const name of ['pre/db', 'post/db']) await hook(name)
  const held = quiesceApplications(localDeps(), request, () => note('snapshots'), {
    ...surroundings(),
    program: [program],
  })
  expect(await refusalOf(held)).toMatchObject({ code: 'COMMAND_FAILED' })
  expect(await happened()).toEqual([''])
})

describe('where the machine can start no more processes while applications are held', () => {
  /** Whatever is started once `take` was called fails, as fork(2) does with EAGAIN. */
  function holdOnBusyMachine(take: () => Promise<unknown>) {
    const { host, ...deps } = localDeps()
    let isBusy = false
    const busy: Host = {
      ...host,
      attempt: async (...args) => {
        if (!isBusy) return host.attempt(...args)
        throw new AgentError('COMMAND_FAILED', 'could not run timeout: spawn EAGAIN', { hint: 'Stop something.' })
      },
    }
    const takeThen = () => {
      isBusy = true
      return take()
    }
    return quiesceApplications({ ...deps, host: busy }, request, takeThen, surroundings())
  }
  beforeEach(async () => {
    for (const name of ['post/1-db', 'post/2-app']) await hook(name)
  })

  test('the snapshots are not lost, and each post hook is recorded as failed', async () => {
    const { taken, hooks } = await holdOnBusyMachine(async () => 'snapshots')
    expect(taken).toBe('snapshots')
    const message = 'was not run: could not run timeout: spawn EAGAIN'
    expect(hooks).toMatchObject([
      { path: join(directory, 'post/1-db'), stage: 'post', ok: false, message },
      { path: join(directory, 'post/2-app'), stage: 'post', ok: false, message },
    ])
  })

  test('what kept the snapshots from being taken is what is reported', async () => {
    const failure = new AgentError('SNAPSHOT_SPACE', 'no room', { hint: 'Make some.' })
    expect(await refusalOf(holdOnBusyMachine(() => Promise.reject(failure)))).toMatchObject({ message: 'no room' })
  })
})

test('editors’ backups and hidden files are no hooks', async () => {
  await hook('pre/.hidden')
  await hook('pre/db~')
  expect((await hold()).hooks).toEqual([])
})

test('a hook that somebody else than root could change is refused before anything is held', async () => {
  await chmod(await hook('post/db'), 0o777)
  const refusal = {
    code: 'HOOK_FAILED',
    message: expect.stringContaining('post/db can be written by others') as string,
  }
  expect(await refusalOf(findHooks(request, directory))).toMatchObject(refusal)
  expect(await refusalOf(hold())).toMatchObject(refusal)
  expect(await happened()).toEqual([''])
})

test('and is not run where that changes while applications are held', async () => {
  const path = await hook('post/db')
  const { hooks } = await hold({}, () => chmod(path, 0o777))
  expect(hooks).toMatchObject([{ ok: false, message: expect.stringMatching(/^was not run: .* can be written/) }])
  expect(await happened()).toEqual([''])
})

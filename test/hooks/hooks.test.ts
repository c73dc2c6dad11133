import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../../agent/errors'
import { findHooks, quiesceApplications, type HooksRequest } from '../../agent/hooks/hooks.io'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'
import { makeTrustedDirectory } from '../support/trusted-directory'
import type { Host } from '../../agent/context'

jest.setTimeout(30_000)

let directory: string
let diary: string

beforeEach(async () => {
  directory = makeTrustedDirectory()
  diary = join(directory, 'diary')
  await writeFile(diary, '')
})
afterEach(() => rm(directory, { recursive: true }))

const request: HooksRequest = {
  run: '20260131T040506Z-abz277',
  preHook: [],
  postHook: [],
  onHookFailure: 'abort',
  hookTimeout: 10,
}

/** Notes its name, then does what it is told. */
async function hook(name: string, script = ''): Promise<string> {
  const path = join(directory, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, `#!/bin/sh\necho ${name} >>${diary}\n${script}\n`, { mode: 0o755 })
  return path
}

/** The agent, as it starts itself. */
const PROGRAM = [process.execPath, '--require', 'tsx/cjs', resolve('agent/main.ts')] as const

/** As on a host without systemd, wherever this runs. */
const surroundings = () => ({ directory, program: PROGRAM, canStartUnits: async () => false })
const note = (word: string) => writeFile(diary, `${word}\n`, { flag: 'a' })
const happened = async () => (await readFile(diary, 'utf8')).trim().split('\n')
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

test('a hook is told what it is called for, and by which run', async () => {
  await hook('pre/tell', `echo "$1 $SNAPSTREAM_COMMAND $SNAPSTREAM_EXECUTION_ID" >>${diary}`)
  await hook('post/tell', `echo "$1 $SNAPSTREAM_COMMAND $SNAPSTREAM_EXECUTION_ID" >>${diary}`)
  await hold()
  expect(await happened()).toEqual(
    expect.arrayContaining([
      'pre-script pre-script 20260131T040506Z-abz277',
      'post-script post-script 20260131T040506Z-abz277',
    ]),
  )
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

test('a hook that takes too long is killed with what it started', async () => {
  await hook('pre/db', `sleep 60 & echo $! >${directory}/child; wait`)
  expect(await refusalOf(hold({ hookTimeout: 1 }))).toMatchObject({
    message: expect.stringContaining('took more than 1 s') as string,
  })
  const child = Number(await readFile(join(directory, 'child'), 'utf8'))
  // Until somebody reaps it, a killed process has a number, but no command line.
  expect(await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')).toBe('')
})

test('a daemon that a hook leaves behind lives on, and holds nobody up although it keeps the output open', async () => {
  await hook('post/db', `echo no such table >&2; sleep 600 & echo $! >${directory}/daemon; exit 3`)
  const { hooks } = await hold({ hookTimeout: 600 })
  expect(hooks).toMatchObject([{ message: 'exited with status 3: no such table' }])
  const daemon = Number(await readFile(join(directory, 'daemon'), 'utf8'))
  expect(await readFile(`/proc/${daemon}/cmdline`, 'utf8')).toContain('sleep')
  process.kill(daemon)
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

describe('a hook runs as root, so it is refused', () => {
  const inside = (name: string) => join(directory, name)
  /** Moves the hook there, and leaves a symbolic link in its place. */
  async function moveTo(path: string, elsewhere: string): Promise<void> {
    await mkdir(join(elsewhere, '..'), { recursive: true })
    await rename(path, elsewhere)
    await symlink(elsewhere, path)
  }

  test.each<[string, string, (path: string) => Promise<unknown>]>([
    ['where others may write it', 'post/db can be written by others (mode 0777)', (path) => chmod(path, 0o777)],
    ['where its group may write it', 'post/db can be written by others (mode 0775)', (path) => chmod(path, 0o775)],
    ['where it is somebody else’s', 'post/db belongs to user 65534', (path) => chown(path, 65534, 0)],
    ['where its directory is open to others', 'post can be written', (path) => chmod(join(path, '..'), 0o1777)],
    ['where the directory above is somebody else’s', 'belongs to user 65534', () => chown(directory, 65534, 0)],
    [
      'where it is a link to a file in a directory of somebody else',
      'home/ann belongs to user 65534',
      async (path) => {
        await moveTo(path, inside('home/ann/db'))
        await chown(inside('home/ann'), 65534, 0)
      },
    ],
    [
      'where it is a link to a link that somebody else may replace',
      'home/ann belongs to user 65534',
      async (path) => {
        await moveTo(path, inside('home/ann/db'))
        await moveTo(inside('home/ann/db'), inside('usr/db'))
        await chown(inside('home/ann'), 65534, 0)
      },
    ],
    [
      'where its directory is a link through a directory of somebody else',
      'home/ann belongs to user 65534',
      async () => {
        await moveTo(inside('post'), inside('home/ann/hooks'))
        await chown(inside('home/ann'), 65534, 0)
      },
    ],
    ['where it cannot be run', 'is not executable', (path) => chmod(path, 0o644)],
    ['where it is a directory', 'is not a file', (path) => rm(path).then(() => mkdir(path))],
    ['where its links lead in a circle', 'cannot be read', (path) => rm(path).then(() => symlink(path, path))],
  ])('%s', async (_what, complaint, spoil) => {
    await spoil(await hook('post/db'))
    const refusal = { code: 'HOOK_FAILED', message: expect.stringContaining(complaint) as string }
    expect(await refusalOf(findHooks(request, directory))).toMatchObject(refusal)
    expect(await refusalOf(hold())).toMatchObject(refusal)
    expect(await happened()).toEqual([''])
  })

  test('with the command that mends it', async () => {
    const path = await hook('post/db')
    await chown(path, 65534, 0)
    await chmod(path, 0o777)
    const { hint } = await refusalOf(hold())
    expect(hint).toBe(`Look at what is in it, then run "chown root ${path} && chmod go-w ${path}".`)
  })

  test('where it is not there', async () => {
    expect(await refusalOf(hold({ preHook: ['/no/such/hook'] }))).toMatchObject({
      message: 'the hook /no/such/hook cannot be read',
    })
  })

  test('where that changes while applications are held', async () => {
    const path = await hook('post/db')
    const { hooks } = await hold({}, () => chmod(path, 0o777))
    expect(hooks).toMatchObject([{ ok: false, message: expect.stringMatching(/^was not run: .* can be written/) }])
    expect(await happened()).toEqual([''])
  })
})

test('a hook may be a link to a file of root’s', async () => {
  await mkdir(join(directory, 'post'))
  await symlink(await hook('db'), join(directory, 'post/db'))
  expect((await hold()).hooks).toMatchObject([{ ok: true }])
})

test('editors’ backups and hidden files are no hooks', async () => {
  await hook('pre/.hidden')
  await hook('pre/db~')
  expect((await hold()).hooks).toEqual([])
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../../agent/errors'
import { holdApplications, type HooksRequest } from '../../agent/io/hooks'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'

let directory: string
let diary: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'snapstream-hooks-'))
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

const note = (word: string) => writeFile(diary, `${word}\n`, { flag: 'a' })
const happened = async () => (await readFile(diary, 'utf8')).trim().split('\n')
const hold = (changes: Partial<HooksRequest> = {}, take = () => note('snapshots')) =>
  holdApplications(localDeps(), { ...request, ...changes }, take, directory, PROGRAM)

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

test('an interruption between two hooks still runs the post hooks', async () => {
  const interruption = new AbortController()
  await hook('post/db')
  const deps = localDeps(interruption.signal)
  const taken = holdApplications(
    deps,
    request,
    async () => {
      interruption.abort(new AgentError('INTERRUPTED', 'stopped', { hint: 'Run it again.' }))
      interruption.signal.throwIfAborted()
    },
    directory,
    PROGRAM,
  )
  expect(await refusalOf(taken)).toMatchObject({ code: 'INTERRUPTED' })
  expect(await happened()).toEqual(['post/db'])
})

describe('when the agent is killed while it holds applications', () => {
  /** Holds them in a process of its own, until that is killed. */
  const HOLD = `
    const { holdApplications } = require('./agent/io/hooks.ts')
    const { localDeps } = require('./test/support/host-deps.ts')
    const [directory, request, ...program] = process.argv.slice(1)
    const forever = () => new Promise(() => { console.log('held'); setInterval(() => {}, 1000) })
    holdApplications(localDeps(), JSON.parse(request), forever, directory, program)`

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
    await hook('pre/db', `sleep 1; echo locked >>${diary}`)
    await hook('post/db')
    await killOnce(() => untilHappened('pre/db'), 2)
    expect(await untilHappened('post/db')).toEqual(['pre/db', 'locked', 'post/db'])
  })
})

test.each(['false', 'true'])('without somebody to release them, applications are not held: %s', async (program) => {
  for (const name of ['pre/db', 'post/db']) await hook(name)
  const held = holdApplications(localDeps(), request, () => note('snapshots'), directory, [program])
  expect(await refusalOf(held)).toMatchObject({ code: 'COMMAND_FAILED' })
  expect(await happened()).toEqual([''])
})

describe('a hook runs as root, so it is refused', () => {
  test.each<[string, string, (path: string) => Promise<void>]>([
    ['where others may write it', 'could be changed by others than root', (path) => chmod(path, 0o777)],
    ['where it is somebody else’s', 'could be changed by others than root', (path) => chown(path, 65534, 0)],
    ['where its directory is open to others', 'could be changed', (path) => chmod(join(path, '..'), 0o1777)],
    ['where it cannot be run', 'is not executable', (path) => chmod(path, 0o644)],
  ])('%s', async (_what, complaint, spoil) => {
    await spoil(await hook('post/db'))
    expect(await refusalOf(hold())).toMatchObject({
      code: 'HOOK_FAILED',
      message: expect.stringContaining(complaint) as string,
    })
    expect(await happened()).toEqual([''])
  })

  test('where it is not there', async () => {
    expect(await refusalOf(hold({ preHook: ['/no/such/hook'] }))).toMatchObject({
      message: 'the hook /no/such/hook cannot be read',
    })
  })
})

test('editors’ backups and hidden files are no hooks', async () => {
  await hook('pre/.hidden')
  await hook('pre/db~')
  expect((await hold()).hooks).toEqual([])
})

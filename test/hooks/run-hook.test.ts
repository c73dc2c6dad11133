/** A program of the administrator's, run as root while applications wait for it. */
import { chmod, chown, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AgentError } from '../../agent/errors'
import { assertRunnable, runHook, type HookCall } from '../../agent/hooks/run-hook.io'
import type { Host } from '../../agent/context'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'
import { diary, directory, happened, hook } from './fixture'

jest.setTimeout(30_000)

const CALL: HookCall = { run: '20260131T040506Z-abz277', stage: 'pre', timeoutSeconds: 10, ownUnit: false }
const run = (path: string, changes: Partial<HookCall> = {}, deps = localDeps()) =>
  runHook(deps, path, { ...CALL, ...changes })

test('a hook that succeeds is recorded with how long it took', async () => {
  const path = await hook('db', 'sleep 0.1')
  const { seconds, ...record } = await run(path)
  expect(record).toEqual({ path, stage: 'pre', ok: true })
  expect(seconds).toBeGreaterThanOrEqual(0.1)
  expect(seconds).toBeLessThan(10)
})

test.each(['pre', 'post'] as const)('a %s hook is told what it is called for, and by which run', async (stage) => {
  await run(await hook('tell', `echo "$# $1 $SNAPSTREAM_COMMAND $SNAPSTREAM_EXECUTION_ID" >>${diary}`), { stage })
  expect(await happened()).toEqual(['tell', `1 ${stage}-script ${stage}-script ${CALL.run}`])
})

test.each([
  ['exit 7', 'exited with status 7'],
  ['echo what went wrong >&2; echo what it did; exit 1', 'exited with status 1: what went wrong\n\nwhat it did'],
  [`printf 'x%.0s' $(seq 1000) >&2; echo end >&2; exit 1`, `exited with status 1: ${'x'.repeat(497)}end`],
])('one that fails is recorded with the end of what it said, and logged: %s', async (script, message) => {
  const deps = localDeps()
  const path = await hook('db', script)
  expect(await run(path, {}, deps)).toMatchObject({ ok: false, message })
  expect(deps.logged.join('\n')).toContain(`pre hook ${path} exited with status`)
})

test('one that takes too long is killed with what it started', async () => {
  const path = await hook('db', `sleep 60 & echo $! >${directory}/child; wait`)
  expect(await run(path, { timeoutSeconds: 1 })).toMatchObject({ ok: false, message: 'took more than 1 s' })
  const child = Number(await readFile(join(directory, 'child'), 'utf8'))
  // Until somebody reaps it, a killed process has a number, but no command line.
  expect(await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')).toBe('')
})

test('a daemon that it leaves behind lives on, and holds nobody up although it keeps the output open', async () => {
  const path = await hook('db', `echo no such table >&2; sleep 600 & echo $! >${directory}/daemon; exit 3`)
  expect(await run(path, { timeoutSeconds: 600 })).toMatchObject({ message: 'exited with status 3: no such table' })
  const daemon = Number(await readFile(join(directory, 'daemon'), 'utf8'))
  expect(await readFile(`/proc/${daemon}/cmdline`, 'utf8')).toContain('sleep')
  process.kill(daemon)
})

test('that it could not be started is recorded, and thrown at nobody', async () => {
  const { host, ...deps } = localDeps()
  const attempt: Host['attempt'] = () => Promise.reject(new AgentError('COMMAND_FAILED', 'spawn EAGAIN', { hint: '' }))
  const record = await run(await hook('db'), {}, { ...deps, host: { ...host, attempt } })
  expect(record).toMatchObject({ ok: false, message: 'was not run: spawn EAGAIN' })
})

describe('on a host with systemd', () => {
  /** Who is asked to run what; `status` is what systemd-run ends with. */
  async function asked(status: number | null) {
    const commands: string[][] = []
    const { host, ...deps } = localDeps()
    const attempt: Host['attempt'] = (argv) => {
      commands.push([...argv])
      return Promise.resolve({ status, killedBy: null, stdout: '', stderr: '' })
    }
    const path = await hook('db')
    const record = await run(path, { ownUnit: true, timeoutSeconds: 5 }, { ...deps, host: { ...host, attempt } })
    return { record, commands, path }
  }

  test('a hook has a unit of its own, which ends it should we be killed', async () => {
    const { record, commands, path } = await asked(0)
    expect(record).toMatchObject({ ok: true })
    expect(commands).toHaveLength(1)
    expect(commands[0]?.[0]).toBe('systemd-run')
    expect(commands[0]?.slice(-8)).toEqual(['setsid', '--wait', 'timeout', '--signal', 'KILL', '7', path, 'pre-script'])
  })

  test('it is the unit that is killed when its time is over, not systemd-run alone', async () => {
    const { record, commands } = await asked(null)
    expect(record).toMatchObject({ ok: false, message: 'took more than 5 s' })
    expect(commands).toHaveLength(2)
    expect(commands[1]).toEqual(expect.arrayContaining(['systemctl', 'kill']))
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
    const path = await hook('post/db')
    await spoil(path)
    expect(await refusalOf(assertRunnable(path))).toMatchObject({
      ...{ code: 'HOOK_FAILED', message: expect.stringContaining(complaint) as string },
    })
    expect(await run(path)).toMatchObject({ ok: false, message: expect.stringMatching(/^was not run: /) as string })
    expect(await happened()).toEqual([''])
  })

  test('with the command that mends it', async () => {
    const path = await hook('post/db')
    await chown(path, 65534, 0)
    await chmod(path, 0o777)
    const { hint } = await refusalOf(assertRunnable(path))
    expect(hint).toBe(`Look at what is in it, then run "chown root ${path} && chmod go-w ${path}".`)
  })

  test('where it is not there', async () => {
    expect(await refusalOf(assertRunnable('/no/such/hook'))).toMatchObject({
      message: 'the hook /no/such/hook cannot be read',
    })
  })
})

test('a hook may be a link to a file of root’s', async () => {
  await symlink(await hook('db'), join(directory, 'link'))
  expect(await run(join(directory, 'link'))).toMatchObject({ ok: true })
})

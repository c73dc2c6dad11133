import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeLock } from '../../agent/host/lock.io'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'

let directory: string
let file: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'snapstream-lock-'))
  file = join(directory, 'lock')
})
afterEach(() => rm(directory, { recursive: true }))

test('a second run is told who holds the lock', async () => {
  await using _lock = await takeLock(localDeps(), file)
  const told = await refusalOf(takeLock(localDeps(), file))
  expect(told.code).toBe('BUSY')
  expect(told.message).toMatch(new RegExp(`^another run holds the lock: process ${process.pid} since 20\\d\\d-`))
})

test('the next run gets the lock when the first has ended, and names itself', async () => {
  await writeFile(file, 'a very long line that an earlier run left here and that nobody shall be told'.repeat(3))
  for (let run = 0; run < 2; run++) await (await takeLock(localDeps(), file))[Symbol.asyncDispose]()
  expect((await stat(file)).size).toBeLessThan(60)
})

test('the lock goes with a holder that is killed', async () => {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec sleep 60'], { detached: true })
  await once(holder.stdout, 'data')
  expect(await refusalOf(takeLock(localDeps(), file))).toMatchObject({ code: 'BUSY' })
  process.kill(-holder.pid!, 'SIGKILL')
  await once(holder, 'close')
  await (await takeLock(localDeps(), file))[Symbol.asyncDispose]()
})

test('a command that outlives its run does not keep the lock', async () => {
  const deps = localDeps()
  let orphan: number
  {
    await using _lock = await takeLock(deps, file)
    orphan = Number(await deps.host.run(['sh', '-c', 'sleep 60 >/dev/null 2>&1 & echo $!'], deps.signal))
  }
  await (await takeLock(deps, file))[Symbol.asyncDispose]()
  process.kill(orphan, 'SIGKILL')
})

test('no symbolic link is followed to a file of somebody else', async () => {
  await symlink(join(directory, 'other'), file)
  await expect(takeLock(localDeps(), file)).rejects.toThrow('ELOOP')
})

test('a run in a container of this machine, which has another /run, is told that one is at work', async () => {
  const shared = join(directory, 'control')
  await writeFile(shared, '')
  await using _lock = await takeLock(localDeps(), file, shared)
  const elsewhere = () => takeLock(localDeps(), join(directory, 'lock of the container'), shared)
  expect(await refusalOf(elsewhere())).toMatchObject({
    code: 'BUSY',
    message: `another run holds the lock on ${shared}, from a container or with another /run`,
  })
  await _lock[Symbol.asyncDispose]()
  await (await elsewhere())[Symbol.asyncDispose]()
})

test('a machine without LVM has a lock all the same', async () => {
  await (await takeLock(localDeps(), file, join(directory, 'absent')))[Symbol.asyncDispose]()
})

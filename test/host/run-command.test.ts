import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { localHost } from '../../agent/host/run-command.io'

const { signal } = new AbortController()
const sh = (script: string) => ['sh', '-c', script] as const

test('a command returns what it wrote', async () => {
  expect(await localHost.run(['printf', '%s|', 'a b', '$HOME', '; rm x'], signal)).toBe('a b|$HOME|; rm x|')
})

test('a command has PATH, a home and the C locale, and nothing of our own environment', async () => {
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret'
  const environment = await localHost.run(['env'], signal, { environment: { EXTRA: '1' } })
  delete process.env['AWS_SECRET_ACCESS_KEY']
  expect(
    environment
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
      .sort(),
  ).toEqual(['EXTRA', 'HOME', 'LC_ALL', 'PATH'])
})

test('a status other than 0 is a failure that tells what the command said', async () => {
  await expect(localHost.run(sh('echo out; echo "no space" >&2; exit 5'), signal)).rejects.toMatchObject({
    code: 'COMMAND_FAILED',
    message: expect.stringMatching(/exited with status 5: no space$/),
  })
})

test('a status can be an answer', async () => {
  expect(await localHost.attempt(sh('echo out; echo err >&2; exit 11'), signal)).toMatchObject({
    status: 11,
    stdout: 'out\n',
    stderr: 'err\n',
  })
})

test('a program that is not there is named', async () => {
  await expect(localHost.run(['no-such-program'], signal)).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    message: expect.stringContaining('no-such-program'),
  })
})

test('a lot of complaint does not stall a command, and only its end is kept', async () => {
  const running = localHost.start(sh('head -c 400000 /dev/zero | tr "\\0" x >&2; echo last words >&2; exit 3'), signal)
  running.stdout.resume()
  await expect(running.succeeded).rejects.toMatchObject({ message: expect.stringMatching(/last words$/) })
  expect(running.stderrTail().length).toBeLessThanOrEqual(4096)
})

test('output that ends well is no success when the command was killed', async () => {
  const running = localHost.start(sh('head -c 300000 /dev/zero; kill -9 $$'), signal)
  let bytes = 0
  for await (const chunk of running.stdout) bytes += (chunk as Buffer).length
  expect(bytes).toBe(300_000)
  await expect(running.succeeded).rejects.toMatchObject({ message: expect.stringContaining('killed by SIGKILL') })
})

test('a command that ran out of time is killed', async () => {
  const result = await localHost.attempt(['sleep', '60'], signal, { timeoutSeconds: 0.1 })
  expect(result).toMatchObject({ status: null, killedBy: 'SIGKILL' })
})

test('a daemon that a command left behind is waited for no longer than the command', async () => {
  const seconds = { timeoutSeconds: 60, outputSeconds: 0.1 }
  const { status, stdout } = await localHost.attempt(sh('sleep 600 & echo $!'), signal, seconds)
  expect(status).toBe(0)
  expect(process.kill(Number(stdout))).toBe(true) // it was there still
})

test('an interruption kills the command and is told from a failure', async () => {
  const controller = new AbortController()
  const failure = localHost.run(['sleep', '60'], controller.signal)
  await wait(50)
  controller.abort()
  await expect(failure).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

test('a signal to the process group of the agent does not stop its clean-up commands', async () => {
  const groupOf = async (pid: string) =>
    (await localHost.run(['cut', '-d ', '-f5', `/proc/${pid}/stat`], signal)).trim()
  const [theirs] = (await localHost.run(sh('cut -d" " -f5 /proc/$$/stat'), signal)).trim().split('\n')
  expect(theirs).not.toBe(await groupOf(String(process.pid)))
})

test('a command that does not read all its input is judged by its status', async () => {
  const running = localHost.start(['true'], signal)
  running.stdin.end(Buffer.alloc(1_000_000))
  running.stdout.resume()
  await expect(running.succeeded).resolves.toBeUndefined()
})

test('a busy machine is not taken for a missing program', async () => {
  const limitTo = (files: number | string) => `prlimit --pid ${process.pid} --nofile=${files}:`
  const [, before = ''] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  // Started while it can be: afterwards there is no descriptor left to start it with.
  const relief = spawn('sh', ['-c', `read line; ${limitTo(before)}`], { stdio: ['pipe', 'ignore', 'ignore'] })
  execFileSync('sh', ['-c', limitTo(3)]) // those that are open stay; a new one would need a number below
  const failure = localHost.run(['true'], signal).catch((error: unknown) => error)
  try {
    expect(await failure).toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(/^could not start true: .*EMFILE/) as string,
      hint: expect.stringContaining('short of') as string,
    })
  } finally {
    relief.stdin.end('\n')
    await once(relief, 'close')
  }
})

test('a command that cannot be started at all fails as one, and not as a defect', async () => {
  const tooLong = ['true', 'x'.repeat(1 << 20)] as const
  await expect(localHost.run(tooLong, signal)).rejects.toMatchObject({
    code: 'COMMAND_FAILED',
    message: expect.stringContaining('E2BIG') as string,
  })
})

test('a killed command is not waited for by what it started and left with its output', async () => {
  const controller = new AbortController()
  const failure = localHost.run(sh('sleep 30 & echo started; wait'), controller.signal)
  await wait(100)
  controller.abort()
  await expect(failure).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

test('what must not end half-way is left running when its time is over', async () => {
  const leftRunning = { timeoutSeconds: 2, leaveRunning: true }
  const { status, killedBy, hangs, stdout } = await localHost.attempt(
    sh('echo $$; exec sleep 600'),
    signal,
    leftRunning,
  )
  expect({ status, killedBy, hangs }).toEqual({ status: null, killedBy: null, hangs: true })
  expect(process.kill(Number(stdout))).toBe(true)
})

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buildSync } from 'esbuild'
import { AgentError } from '../../agent/errors'
import { stopAfter } from '../../agent/host/process.io'

describe('a command whose clean-up takes its time', () => {
  let directory: string
  let program: string
  let child: ChildProcess

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'snapstream-'))
    program = join(directory, 'program.cjs')
    buildSync({
      stdin: {
        contents: `
          import { listenForSignals } from './agent/host/process.io'
          const { signal } = listenForSignals(130, 'Come back.')
          signal.addEventListener('abort', () => console.log(signal.reason.message))
          setInterval(() => undefined, 1000)
          console.log('ready')`,
        resolveDir: resolve(__dirname, '../..'),
      },
      outfile: program,
      bundle: true,
      platform: 'node',
    })
  })
  afterAll(() => rm(directory, { recursive: true }))
  beforeEach(async () => {
    child = spawn(process.execPath, [program])
    expect(String(await once(child.stdout!, 'data'))).toBe('ready\n')
  })
  afterEach(() => child.kill('SIGKILL'))

  test('goes on with it after the first signal, and ends at once on the second', async () => {
    child.kill('SIGTERM')
    expect(String(await once(child.stdout!, 'data'))).toBe('stopped by SIGTERM\n')
    expect(child.exitCode).toBeNull()
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([130, null])
  })
})

test('a deadline stops the command like a signal does', async () => {
  const interruption = new AbortController()
  stopAfter(interruption, 0.01)
  await once(interruption.signal, 'abort')
  const reason = interruption.signal.reason as AgentError
  expect(reason).toBeInstanceOf(AgentError)
  expect(reason).toMatchObject({ code: 'INTERRUPTED', message: 'stopped by --deadline after 0.01 s' })
})

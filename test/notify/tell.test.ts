import { AgentError } from '../../agent/errors'
import { tellOf } from '../../agent/notify/tell.io'
import { serve } from '../support/http-server'
import { silentLog } from '../support/log'

/** What a command told a service of. */
async function told(perform: () => Promise<{ status: 0 | 3; summary: string; json: object }>, reason?: AgentError) {
  const bodies: string[] = []
  await using server = await serve((request, response) => {
    const { url } = request
    const index = bodies.push(`${url}: `) - 1
    request.on('data', (chunk: Buffer) => (bodies[index] = `${bodies[index]!}${chunk.toString()}`))
    request.on('end', () => response.end())
  })
  const stop = new AbortController()
  if (reason) stop.abort(reason)
  const deps = { log: silentLog, environment: {}, now: () => new Date(), signal: stop.signal }
  const wish = { command: 'backup', class: 'daily', pingUrl: `${server.url}/id` }
  const result = await tellOf(deps, wish, perform).catch((error: unknown) => error)
  return { bodies, result }
}

test('a start and a success, with the summary', async () => {
  const outcome = { status: 0 as const, summary: 'Backup of db1: OK', json: {} }
  const { bodies, result } = await told(async () => {
    await new Promise((resolve) => setTimeout(resolve, 200))
    return outcome
  })
  expect(bodies).toEqual(['/id/start: ', '/id: snapstream backup: status 0, ok\nBackup of db1: OK\n'])
  expect(result).toBe(outcome)
})

test('an incomplete run is a failure that says so', async () => {
  const { bodies } = await told(async () => ({ status: 3, summary: 'Backup of db1: INCOMPLETE', json: {} }))
  expect(bodies.at(-1)).toBe(
    '/id/fail: snapstream backup: status 3, INCOMPLETE: something is missing from it\nBackup of db1: INCOMPLETE\n',
  )
})

test('a command that fails at once is told of, with the hint, and fails as before', async () => {
  const error = new AgentError('NOT_ROOT', 'backup has to run as root', { hint: 'Use sudo.' })
  const { bodies, result } = await told(() => Promise.reject(error))
  expect(bodies.at(-1)).toBe(
    '/id/fail: snapstream backup: status 1, failed\nbackup has to run as root\nHINT: Use sudo.\n',
  )
  expect(result).toBe(error)
})

test('one that was stopped says by what, and not what failed because of it', async () => {
  const reason = new AgentError('INTERRUPTED', 'stopped by SIGTERM', { hint: 'Run it again.' })
  const { bodies } = await told(() => Promise.reject(new Error('aborted')), reason)
  expect(bodies.at(-1)).toBe(
    '/id/fail: snapstream backup: status 130, interrupted\nstopped by SIGTERM\nHINT: Run it again.\n',
  )
})

test('the start never comes after the end, even where it is still on its way', async () => {
  const { bodies } = await told(async () => ({ status: 0, summary: '', json: {} }))
  expect(bodies.at(-1)).toMatch(/^\/id: /)
})

import { sendCommand } from '../../../fleet/command/send.io'
import { runCommand } from '../../../fleet/command/systems-manager.io'
import { fakeClock } from '../../support/fake-clock'
import { silentLog } from '../../support/log'
import { refusalOf } from '../../support/refusal'
import { startSystemsManager, type SystemsManager } from '../../support/systems-manager'

const HOST = 'i-0aaaaaaaaaaaaaaaa'
const plan = {
  ...{ document: 'Snapstream-Backup', targets: { kind: 'hosts' as const, instanceIds: [HOST] }, parameters: {} },
  ...{ maxConcurrency: '25%', maxErrors: '100%', deliverySeconds: 600 },
}
let manager: SystemsManager
let stop: AbortController
const deps = () => ({
  service: runCommand({
    ...{ region: 'eu-west-1', endpointUrl: manager.url, clock: fakeClock(), sendSecondsMax: 0.5 },
    credentials: () => Promise.resolve({ accessKeyId: 'x', secretAccessKey: 'x' }),
  }),
  ...{ log: silentLog, now: () => new Date(), signal: stop.signal, clock: fakeClock() },
})

beforeEach(async () => {
  stop = new AbortController()
  manager = await startSystemsManager({ [HOST]: {} })
})
afterEach(() => manager[Symbol.asyncDispose]())

test('the history of Run Command shows what sent it', async () => {
  await sendCommand(deps(), 'run', plan)
  expect(manager.sent[0]?.Comment).toMatch(/^snapstream-fleet run [0-9a-f-]{36}$/)
})

test.each([
  ['the connection is cut', {}],
  ['the server fails', { error: 'InternalServerError', status: 500 }],
  ['the server never answers', { silent: true }],
])('where %s after it was sent, it is found and not sent again', async (_, fault) => {
  manager.fail('SendCommand', { ...fault, done: true })
  expect((await sendCommand(deps(), 'run', plan)).commandId).toMatch(/^[0-9a-f-]{36}$/)
  expect(manager.sent).toHaveLength(1)
})

test('found only after a while, too', async () => {
  manager.fail('SendCommand', { done: true })
  manager.fail('ListCommands', { error: 'InternalServerError', status: 500, times: 6 })
  await sendCommand(deps(), 'run', plan)
  expect(manager.sent).toHaveLength(1)
})

test('where it was not sent, it is not claimed to have been, and not sent behind the back of whoever reads it', async () => {
  manager.fail('SendCommand', {})
  expect(await refusalOf(sendCommand(deps(), 'run', plan))).toMatchObject({
    code: 'SSM_FAILED',
    hint: expect.stringMatching(/look for 'snapstream-fleet run [0-9a-f-]{36}' in the history/),
  })
  expect(manager.sent).toEqual([])
})

test('where nobody can say, that is said', async () => {
  manager.fail('SendCommand', {})
  manager.fail('ListCommands', { error: 'InternalServerError', status: 500, times: 100 })
  const { message } = await refusalOf(sendCommand(deps(), 'run', plan))
  expect(message).toContain('it is not known whether the command was sent')
})

test('Ctrl-C before it is sent sends nothing', async () => {
  stop.abort()
  await expect(sendCommand(deps(), 'run', plan)).rejects.toThrow()
  expect(manager.asked).toEqual([])
})

test('what was refused is not looked for', async () => {
  manager.fail('SendCommand', { error: 'AccessDeniedException' })
  expect((await refusalOf(sendCommand(deps(), 'run', plan))).code).toBe('ACCESS_DENIED')
  expect(manager.asked).toEqual(['SendCommand'])
})

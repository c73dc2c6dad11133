/** The operators' program as it ships, speaking with a stand-in for Systems Manager. */
import { setTimeout as wait } from 'node:timers/promises'
import { buildAgent, type Agent } from '../../support/agent'
import { startSystemsManager, type SystemsManager } from '../../support/systems-manager'

const HOST = 'i-0aaaaaaaaaaaaaaaa'
let fleet: Agent
let manager: SystemsManager

beforeAll(() => {
  fleet = buildAgent('fleet')
})
afterAll(() => fleet[Symbol.dispose]())
beforeEach(async () => {
  manager = await startSystemsManager({
    [HOST]: { tags: { Backup: 'true' }, life: ['Success'] },
    'i-0bbbbbbbbbbbbbbbb': { life: ['InProgress'] },
  })
})
afterEach(() => manager[Symbol.asyncDispose]())

const environment = () => ({
  ...{ AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_SSM: manager.url },
})

test('a backup is sent, followed to its end, and told to people', async () => {
  const { status, stdout, stderr } = await fleet.run(['run', '--tag', 'Backup=true', '--wait'], {
    environment: environment(),
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^Snapstream-Backup [0-9a-f-]{36}: 1 done, 0 failed/)
})

test('and to programs, in one line', async () => {
  const { status, json } = await fleet.run(['run', '--hosts', HOST, '--json', '--wait'], { environment: environment() })
  expect(status).toBe(0)
  expect(json).toMatchObject({ ok: true, hosts: [{ host: HOST, phase: 'done' }] })
})

test('Ctrl-C ends the program and not the command, and says how to come back', async () => {
  const argv = ['run', '--hosts', 'i-0bbbbbbbbbbbbbbbb', '--wait']
  const { child, ended } = fleet.start(argv, { environment: environment() })
  while (!manager.asked.includes('ListCommandInvocations')) await wait(20)
  child.kill('SIGINT')
  const { status, stderr } = await ended
  expect(status).toBe(130)
  expect(stderr).toMatch(
    /^snapstream-fleet: command ([0-9a-f-]{36}) goes on, and is not waited for any longer\nHINT: "snapstream-fleet attach \1" follows it again, "snapstream-fleet cancel \1" stops it\.\n$/,
  )
  expect(manager.asked).not.toContain('CancelCommand')
})

test('without a region it says where to get one', async () => {
  const nowhere = Object.fromEntries(Object.entries(environment()).filter(([name]) => name !== 'AWS_REGION'))
  const { status, stderr } = await fleet.run(['run', '--hosts', HOST], { environment: nowhere })
  expect(status).toBe(2)
  expect(stderr).toContain('--region')
})

test('a Systems Manager that is out of reach', async () => {
  const elsewhere = { ...environment(), AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:1' }
  const { status, stderr } = await fleet.run(['attach', '01234567-89ab-cdef-0123-456789abcdef'], {
    environment: elsewhere,
  })
  expect(status).toBe(1)
  expect(stderr).toContain('ListCommands failed: ')
  expect(stderr).toContain('HINT: Check the way to Systems Manager')
})

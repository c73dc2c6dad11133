/** Commands as operators give them, against a stand-in for Systems Manager over HTTP; some hosts run the real documents. */
import { AgentError } from '../../../agent/errors'
import { attachTo, cancelCommand, tellHosts } from '../../../fleet/command/actions.io'
import type { CommandDeps } from '../../../fleet/command/context'
import type { CommandLog } from '../../../fleet/command/systems-manager'
import { runCommand } from '../../../fleet/command/systems-manager.io'
import type { DocumentName } from '../../../infra/documents'
import { fakeClock } from '../../support/fake-clock'
import { described, fleetDeps, fleetRequestOf } from '../../support/fleet-commands'
import { memoryStore } from '../../support/memory-store'
import { refusalOf } from '../../support/refusal'
import { makeSandbox, type Sandbox } from '../../ssm-documents/sandbox'
import {
  startSystemsManager,
  type HostState,
  type StandInHost,
  type StandInOptions,
} from '../../support/systems-manager'

const A = 'i-0aaaaaaaaaaaaaaaa'
const B = 'i-0bbbbbbbbbbbbbbbb'
const C = 'i-0cccccccccccccccc'
const tags = { Backup: 'true' }

let close: () => PromiseLike<void> = () => Promise.resolve()
afterEach(() => close())

async function aFleet(
  hosts: Readonly<Record<string, StandInHost>>,
  options?: StandInOptions,
  lastLine: CommandLog['lastLine'] = () => Promise.reject(new Error('nobody asked for a log')),
) {
  const manager = await startSystemsManager(hosts, options)
  close = () => manager[Symbol.asyncDispose]()
  const stop = new AbortController()
  const drawn: string[] = []
  const clock = fakeClock()
  const begunAt = Date.now()
  const service = runCommand({
    ...{ region: 'eu-west-1', endpointUrl: manager.url, clock },
    credentials: () => Promise.resolve({ accessKeyId: 'x', secretAccessKey: 'x' }),
  })
  const deps: CommandDeps = fleetDeps(memoryStore(), {
    ...{ signal: stop.signal, clock, now: () => new Date(begunAt + clock.nowSeconds() * 1000) },
    screen: { isTerminal: true, columns: 120, rows: 24, write: (text) => void drawn.push(text) },
    openRunCommand: () => Promise.resolve({ service, region: 'eu-west-1', commandLog: () => ({ lastLine }) }),
  })
  return {
    ...{ manager, stop, drawn, deps },
    run: (...argv: string[]) => described('run', tellHosts(deps, fleetRequestOf('run', argv, {}))),
    attach: (id: string) => described('attach', attachTo(deps, fleetRequestOf('attach', [id], {}))),
    cancel: (id: string) => described('cancel', cancelCommand(deps, fleetRequestOf('cancel', [id], {}))),
  }
}

const idOf = ({ json }: { json: object }) => (json as { commandId: string }).commandId
const failed = (stderr: string, code = 1): HostState => ({
  status: 'Failed',
  steps: [{ Name: 'backup', Status: 'Failed', ResponseCode: code, stderr }],
})

test('without --wait it is sent, and said how to follow and to stop it', async () => {
  const fleet = await aFleet({ [A]: { tags } })
  const outcome = await fleet.run('--tag', 'Backup=true')
  const id = idOf(outcome)
  expect(outcome).toMatchObject({ status: 0, json: { sent: true, document: 'Snapstream-Backup' } })
  expect(outcome.summary.split('\n')).toEqual([
    `Snapstream-Backup was sent to Backup=true: command ${id}`,
    `  follow it: snapstream-fleet attach ${id}`,
    `  stop it: snapstream-fleet cancel ${id}`,
  ])
  expect(await fleet.attach(id)).toMatchObject({ status: 0, json: { ok: true, done: 1 } })
})

test('a fleet is followed from pending to its end, and each failure has its reason and a hint', async () => {
  const fleet = await aFleet({
    [A]: { tags, name: 'web-1', life: [undefined, 'Pending', 'InProgress', 'InProgress', 'Success'] },
    [B]: { tags, life: [undefined, 'InProgress', failed('snapstream: vg0 is full\nHINT: Make room.\n')] },
    [C]: { tags, life: [undefined, undefined, { status: 'TimedOut', details: 'DeliveryTimedOut' }] },
    'i-0ddddddddddddddddd': { tags: { Backup: 'no' } },
  })
  const { status, summary, json } = await fleet.run('--tag', 'Backup=true', '--wait')
  expect(status).toBe(3)
  expect(summary).toContain(`  FAILED ${B}: vg0 is full\n    HINT: Make room.`)
  expect(summary).toContain(`  FAILED ${C}: the host did not fetch the command in time\n    HINT: `)
  expect(json).toMatchObject({ ok: false, done: 1, failed: 2, pending: 0, running: 0, unseen: 0 })
  const screens = fleet.drawn.join('')
  for (const each of ['3 not listed yet', 'web-1  pending', 'web-1  running', 'DeliveryTimedOut']) {
    expect(screens).toContain(each)
  }
  expect(fleet.drawn.at(-1)).toMatch(/\x1b\[J$/) // taken away before the report
})

test('throttling, a list that breaks off, a server that fails: it is looked at again', async () => {
  const life = ['InProgress', 'InProgress', 'InProgress', 'InProgress', 'Success']
  const fleet = await aFleet({ [A]: { tags, life }, [B]: { tags, life } }, { pageSize: 1, lateBy: 1 })
  fleet.manager.fail('ListCommandInvocations', { error: 'InvalidCommandId', times: 1 })
  fleet.manager.fail('ListCommandInvocations', { error: 'InternalServerError', status: 500, page: 1, times: 4 })
  fleet.manager.fail('ListCommands', { error: 'ThrottlingException', times: 2 })
  expect(await fleet.run('--tag', 'Backup=true', '--wait')).toMatchObject({ status: 0, json: { done: 2 } })
  expect(fleet.drawn.join('')).toContain('ListCommandInvocations failed')
  expect(fleet.manager.sent).toHaveLength(1)
})

test('with a log group, hosts are asked for their log, and its last line shows how far they are', async () => {
  const life = [...Array<string>(40).fill('InProgress'), 'Success']
  const wanted: object[] = []
  const fleet = await aFleet({ [A]: { tags, life } }, {}, async (each) => {
    wanted.push(each)
    return '2026-01-31T02:00:00.000Z info  /srv: archiving\n'
  })
  await fleet.run('--hosts', A, '--wait', '--log-group', '/backups')
  expect(fleet.manager.sent[0]).toMatchObject({ Parameters: { logLevel: ['info'] } })
  expect(wanted[0]).toMatchObject({ logGroup: '/backups', instanceId: A })
  // In 80 s of looks, 2 s apart.
  expect(wanted).toHaveLength(3)
  expect(fleet.drawn.join('')).toMatch(/running .* \/srv: archiving\n/)
})

test('a log that cannot be read keeps nobody from following, and is said once', async () => {
  const life = [...Array<string>(40).fill('InProgress'), 'Success']
  const asked = jest.fn(() => Promise.reject(new AgentError('ACCESS_DENIED', 'no', { hint: 'Ask.' })))
  const fleet = await aFleet({ [A]: { tags, life } }, {}, asked)
  expect((await fleet.run('--hosts', A, '--wait', '--log-group', '/backups')).status).toBe(0)
  expect(asked).toHaveBeenCalledTimes(1)
})

test('Ctrl-C leaves the command running, and says how to come back', async () => {
  const fleet = await aFleet({ [A]: { tags, life: ['InProgress'] } })
  const following = refusalOf(fleet.run('--hosts', A, '--wait'))
  while (fleet.drawn.length === 0) await new Promise((resolve) => setImmediate(resolve))
  fleet.stop.abort()
  const { code, message, hint } = await following
  const [, id] = /command ([0-9a-f-]{36}) goes on/.exec(message) ?? []
  expect(code).toBe('INTERRUPTED')
  expect(hint).toBe(`"snapstream-fleet attach ${id}" follows it again, "snapstream-fleet cancel ${id}" stops it.`)
  expect(fleet.manager.asked).not.toContain('CancelCommand')
})

test('credentials that expire meanwhile stop nothing, and the way back is told', async () => {
  const fleet = await aFleet({ [A]: { tags, life: ['InProgress'] } })
  fleet.manager.fail('ListCommandInvocations', { error: 'ExpiredTokenException', times: 100 })
  const { code, message, hint } = await refusalOf(fleet.run('--hosts', A, '--wait'))
  expect(code).toBe('CREDENTIALS_EXPIRED')
  expect(message).toMatch(/; command [0-9a-f-]{36} goes on$/)
  expect(hint).toMatch(/^Renew them.* Then "snapstream-fleet attach /)
})

test('a host that disappears from the lists is unknown, and no success', async () => {
  const fleet = await aFleet({ [A]: { tags }, [B]: { tags } }, { targetCount: 3 })
  expect(await fleet.run('--tag', 'Backup=true', '--wait')).toMatchObject({
    status: 3,
    summary: expect.stringContaining('UNKNOWN 1 host '),
    json: { ok: false, done: 2, unseen: 1 },
  })
})

test('whatever keeps a host from it has its reason and something to do, though the others are done', async () => {
  const fates = ['Undeliverable', 'ExecutionTimedOut', 'Terminated', 'InvalidPlatform', 'AccessDenied']
  const hosts = fates.map((details, index): [string, StandInHost] => [
    `i-0000000000000000${index}`,
    { tags, life: [{ status: 'Failed', details }] },
  ])
  const fleet = await aFleet({ [A]: { tags }, ...Object.fromEntries(hosts) })
  const { status, json } = await fleet.run('--tag', 'Backup=true', '--wait')
  expect(status).toBe(3)
  const told = (json as { hosts: { status: string; reason?: string; hint?: string }[] }).hosts
  expect(told.filter(({ reason, hint }) => reason && hint).map((host) => host.status)).toEqual(fates)
})

test('a tag that nobody bears', async () => {
  const fleet = await aFleet({ [A]: { tags } })
  expect(await fleet.run('--tag', 'Backup=yes', '--wait')).toMatchObject({ status: 1, json: { ok: false } })
})

test('a command that nobody sent', async () => {
  const fleet = await aFleet({})
  const id = '01234567-89ab-cdef-0123-456789abcdef'
  expect(await refusalOf(fleet.attach(id))).toMatchObject({
    code: 'UNKNOWN_COMMAND',
    message: `there is no command ${id}`,
  })
  expect((await refusalOf(fleet.cancel(id))).code).toBe('UNKNOWN_COMMAND')
})

describe('cancel', () => {
  test('starts it nowhere any more, and tells the agent to stop where it is at work', async () => {
    const fleet = await aFleet({
      [A]: { tags, life: ['InProgress'] },
      [B]: { tags, life: ['Pending'] },
      [C]: { tags, life: ['Success'] },
    })
    const id = idOf(await fleet.run('--tag', 'Backup=true', '--stack', 'Snapstream-test'))
    const following = refusalOf(fleet.cancel(id))
    while (fleet.manager.sent.length < 2) await new Promise((resolve) => setImmediate(resolve))
    fleet.stop.abort()
    expect((await following).code).toBe('INTERRUPTED')
    expect(fleet.manager.asked).toContain('CancelCommand')
    expect(fleet.manager.sent.slice(1)).toMatchObject([
      { DocumentName: 'Snapstream-test-Cancel', InstanceIds: [A], MaxConcurrency: '100%', MaxErrors: '100%' },
    ])
  })

  test('of more hosts than one command names, all are told to stop before any is waited for', async () => {
    const ids = Array.from({ length: 51 }, (_, index) => `i-${String(index).padStart(17, '0')}`)
    const fleet = await aFleet(Object.fromEntries(ids.map((id) => [id, { tags, life: ['InProgress'] }])))
    const id = idOf(await fleet.run('--tag', 'Backup=true'))
    const following = refusalOf(fleet.cancel(id))
    // The first look at a command that stops hosts.
    const isWaiting = ({ asked }: typeof fleet.manager) =>
      asked.includes('CancelCommand') && asked.lastIndexOf('ListCommands') > asked.indexOf('CancelCommand')
    while (!isWaiting(fleet.manager)) await new Promise((resolve) => setImmediate(resolve))
    fleet.stop.abort()
    await following
    expect(fleet.manager.sent.slice(1).map(({ InstanceIds }) => (InstanceIds as string[]).length)).toEqual([50, 1])
  })

  test('who may not cancel stops what is at work all the same, and is told the rest', async () => {
    let isStopped = false
    const run = async (document: string) => {
      while (document.endsWith('-Backup') && !isStopped) await new Promise((resolve) => setTimeout(resolve, 5))
      isStopped = true
      return { status: 'Success', steps: [{ Name: 'cancel', Status: 'Success', ResponseCode: 0, stdout: 'stopped' }] }
    }
    const fleet = await aFleet({ [A]: { tags, run } })
    const id = idOf(await fleet.run('--tag', 'Backup=true'))
    fleet.manager.fail('CancelCommand', { error: 'AccessDeniedException' })
    const { status, summary, json } = await fleet.cancel(id)
    expect(status).toBe(3)
    expect(summary).toContain('could not be cancelled: hosts that have not begun will still begin')
    expect(summary).toContain('ssm:CancelCommand')
    expect(json).toMatchObject({ cancelled: false, stopped: [{ ok: true, document: 'Snapstream-Cancel' }] })
  })

  test("leaves alone what is no command of Snapstream's", async () => {
    const fleet = await aFleet({ [A]: { tags, life: ['InProgress'] } })
    const { service } = await fleet.deps.openRunCommand()
    const plan = {
      targets: { kind: 'hosts' as const, instanceIds: [A] },
      parameters: {},
      maxConcurrency: '1',
      maxErrors: '0',
    }
    const other = await service.send(
      { ...plan, document: 'AWS-RunShellScript', deliverySeconds: 60 },
      '',
      fleet.deps.signal,
    )
    expect((await refusalOf(fleet.cancel(other.commandId))).message).toContain('AWS-RunShellScript')
    expect(fleet.manager.asked).not.toContain('CancelCommand')
  })
})

describe('on a host that runs the real documents', () => {
  let sandbox: Sandbox
  beforeEach(() => {
    sandbox = makeSandbox()
  })
  afterEach(() => sandbox.remove())

  const host = (): StandInHost => ({
    tags,
    async run(document, parameters, signal) {
      const name = document.replace('Snapstream-', '') as DocumentName
      const { status, steps, refused } = await sandbox.run(name, parameters, { signal })
      return {
        ...{ status, trace: refused ?? '' },
        steps: steps.map(({ name: Name, status: Status, code, stdout, stderr }) => ({
          ...{ Name, Status, ResponseCode: code, stdout, stderr },
        })),
      }
    },
  })
  const agent = (text: string) => sandbox.program('opt/snapstream/current/snapstream', `#!/bin/sh\n${text}\n`)

  test('what was asked for reaches the agent word for word', async () => {
    agent('echo "$@"')
    const fleet = await aFleet({ [A]: host() })
    const argv = ['--class', 'weekly', '--volumes', '/,/srv', '--verify', 'stream', '--bandwidth-limit', '50M']
    const { json } = await fleet.run('--hosts', A, '--wait', ...argv)
    expect(json).toMatchObject({
      ok: true,
      hosts: [{ summary: expect.stringMatching(/^backup .*--class weekly .*--volumes \/,\/srv .*--verify stream /) }],
    })
  })

  test("the agent's own error is the reason that the operator reads", async () => {
    agent(`echo '{"error":{"code":"BUSY","message":"another run holds the lock","hint":"Wait for it."}}'; exit 11`)
    const fleet = await aFleet({ [A]: host() })
    const { status, summary } = await fleet.run('--hosts', A, '--wait')
    expect(status).toBe(1)
    expect(summary).toContain(`  FAILED ${A}: another run holds the lock\n    HINT: Wait for it.`)
  })

  test('a host without the agent is told which command installs it', async () => {
    const fleet = await aFleet({ [A]: host() })
    const { summary } = await fleet.run('--hosts', A, '--wait')
    expect(summary).toContain('snapstream is not installed on this host\n    HINT: Run the Install document')
  })
})

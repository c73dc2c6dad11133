import type { DocumentCommand } from '../../../fleet/command/documents'
import { planCommand } from '../../../fleet/command/plan-command'
import { fleetRequestOf } from '../../support/fleet-commands'
import { refusal } from '../../support/refusal'

type ToHosts = Exclude<DocumentCommand, 'cancel'>
const plan = (command: ToHosts, ...argv: string[]) =>
  planCommand(command, fleetRequestOf(command, argv, {}), 'eu-west-1')
const RUN = '20260131T020000Z-k3xw7a'
const HOST = ['--hosts', 'i-0123456789abcdef0']
const HOSTS = ['--hosts', 'i-0123456789abcdef0,i-0123456789abcdef1']

test('a backup of a fleet, a quarter of it at a time, whatever fails', () => {
  expect(plan('run', '--tag', 'Backup=true')).toEqual({
    ...{ document: 'Snapstream-Backup', targets: { kind: 'tags', tags: [{ key: 'Backup', values: ['true'] }] } },
    ...{ parameters: {}, maxConcurrency: '25%', maxErrors: '100%', deliverySeconds: 3600 },
  })
})

test("another stage's documents, at another rate, with a log", () => {
  const argv = ['--stack', 'Snapstream-test', '--max-concurrency', '3', '--max-errors', '0']
  expect(plan('install', ...HOST, ...argv, '--delivery-timeout', '5m', '--log-group', '/backups')).toMatchObject({
    ...{ document: 'Snapstream-test-Install', maxConcurrency: '3', maxErrors: '0', deliverySeconds: 300 },
    logGroup: '/backups',
  })
})

test('a restore of what another host was, onto several', () => {
  const argv = ['--from-host', 'db1', '--run', RUN, '--target', '/srv/r']
  expect(plan('restore', ...HOSTS, ...argv)).toMatchObject({
    targets: { kind: 'hosts' },
    parameters: { host: 'db1', run: RUN, target: '/srv/r' },
  })
})

test.each<[ToHosts, string[], string]>([
  ['restore', ['--tag', 'Backup=true', '--run', RUN, '--in-place'], 'restore is given a tag'],
  ['restore', [...HOST, '--run', RUN], 'no destination'],
  ['restore', [...HOST, '--run', RUN, '--in-place', '--target', '/srv/r'], '--target and --in-place are both given'],
  ['restore', [...HOST, '--in-place'], 'not said which backup'],
  ['restore', [...HOST, '--in-place', '--run', RUN, '--at', '2026-01-31'], '--run and --at are both given'],
  ['restore', [...HOST, '--in-place', '--run', RUN, '--path', '/a', '--path', '/b'], '--path is given more than once'],
  ['restore', [...HOSTS, '--in-place', '--run', RUN], 'a run is that of one host'],
  ['verify', [...HOSTS, '--run', RUN], 'a run is that of one host'],
  ['verify', ['--tag', 'A=b', '--run', RUN], 'a run is that of one host'],
  ['run', [...HOST, '--volumes', '/', '--exclude-volumes', '/srv'], '--volumes and --exclude-volumes are both given'],
  ['run', [...HOST, '--sample', '1/7'], '--sample is given'],
  ['run', [...HOST, '--verify', 'stream', '--storage-class', 'GLACIER'], 'cannot read back'],
  ['run', [], 'not said which hosts'],
])('%s %j is refused before any host hears of it', (command, argv, message) => {
  expect(refusal(() => plan(command, ...argv))).toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(message),
  })
})

test.each([
  ['--max-concurrency', '0'],
  ['--max-concurrency', '101%'],
  ['--max-errors', '-1'],
  ['--delivery-timeout', '29s'],
  ['--execution-timeout', '59s'],
  ['--stack', 'x;y'],
  ['--log-group', 'a b'],
])('%s %s is no such value', (flag, value) => {
  expect(refusal(() => plan('run', ...HOST, flag, value)).code).toBe('USAGE')
})

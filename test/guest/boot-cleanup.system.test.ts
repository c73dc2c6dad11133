/** A host that boots with the copy of a disk attached, since the run that read it was killed: the unit that Install brings removes it. */
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EBS_RUNS_DIRECTORY } from '../../agent/contract'
import { guestEndpoint, testServers } from '../servers'
import { BUNDLE } from './agent'
import { startEbsHost, type EbsHost } from './ebs-host'

jest.setTimeout(300_000)

const INSTALLATION = resolve(__dirname, '../../ssm-documents/installation.sh')
const server = testServers().seaweedfs
let host: EbsHost

beforeAll(async () => {
  host = await startEbsHost(server)
})
afterAll(() => host[Symbol.asyncDispose]())

const sh = (script: string, ...words: readonly string[]) => host.guest.run(['sh', '-euc', script, 'sh', ...words])
const copies = async () => (await host.marked()).filter((id) => id.startsWith('vol-'))

/** What Install does, with the bundle in the place of a version of its own. */
async function installUnit(): Promise<void> {
  const launcher = `#!/bin/sh\nexec ${process.execPath} ${BUNDLE} "$@"\n`
  const environment = {
    ...{ AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
    ...host.environment,
  }
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`)
  await sh(
    `mkdir -p /opt/snapstream/current /etc/snapstream
    printf %s "$1" >/opt/snapstream/current/snapstream
    chmod 755 /opt/snapstream/current/snapstream
    printf %s "$2" >/etc/snapstream/environment`,
    ...[launcher, lines.join('')],
  )
  const place = ['--bucket', host.agent.bucket, '--region', server.region, '--endpoint-url', guestEndpoint(server)]
  await sh(`. ${INSTALLATION}; clean_up_at_boot "$@"`, ...place, '--host', 'guest', ...host.options)
}

/** Asks systemd for what a boot asks it for. @returns how often EC2 was asked meanwhile */
async function boot(): Promise<number> {
  const before = host.ec2.requests.length
  await sh('systemctl start snapstream-boot-cleanup.service')
  return host.ec2.requests.length - before
}

test('a copy of a disk does not stay on a host that boots with it', async () => {
  await installUnit()
  expect(await boot()).toBe(0)
  const running = host.agent.start('backup', ...host.options, '--volumes', '/sysroot/boot')
  const isAttached = () => host.ec2.requests.some(({ action, code }) => action === 'AttachVolume' && code === undefined)
  const isOver = running.ended.then(() => true)
  while (!isAttached() && !(await Promise.race([isOver, sleep(5, false)])));
  running.kill('SIGKILL')
  await running.ended
  expect(await copies()).toHaveLength(1)
  expect(await sh('ls "$1"', EBS_RUNS_DIRECTORY)).not.toBe('')

  expect(await boot()).toBeGreaterThan(0)
  expect(await copies()).toEqual([])
})

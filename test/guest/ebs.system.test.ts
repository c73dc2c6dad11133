/** A host without LVM, as most EC2 instances are, backed up by the bundle that ships through snapshots of EBS. */
import { MOUNT_POINTS } from './ebs-disks'
import { startEbsHost, type EbsHost } from './ebs-host'
import { testServers } from '../servers'

jest.setTimeout(180_000)

let host: EbsHost

beforeAll(async () => {
  host = await startEbsHost(testServers().seaweedfs)
})
afterAll(() => host[Symbol.asyncDispose]())

const backUp = (...options: readonly string[]) => host.agent.run('backup', ...host.options, ...options)

test('a dry run says which disk each filesystem is on, and changes nothing', async () => {
  const { status, summary, stderr } = await backUp('--dry-run')
  console.log(summary, stderr)
  expect(status).toBe(0)
  for (const mountPoint of MOUNT_POINTS) expect(summary).toContain(` ${mountPoint} `)
  expect(await host.marked()).toEqual([])
})

test('a host is backed up', async () => {
  const { status, summary, stderr, json } = await backUp('--verify', 'source', '--log-level', 'debug')
  console.log(status, summary, stderr, json)
  console.log(await host.marked(), host.ec2.requests.map(({ action, code }) => `${action} ${code ?? ''}`).join('\n'))
})

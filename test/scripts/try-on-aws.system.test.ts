/** The script that tries the policy for hosts without LVM, with the official AWS CLI against the stand-in for EC2. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { Ec2Tag } from '../../agent/contract'
import { policyOf } from '../infra/simulate'
import { authorizeAs } from '../infra/simulate-ec2'
import { synthesize } from '../infra/synthesize'
import { inVirtualEnvironment } from '../servers/daemon'
import { askEc2 } from '../servers/ec2/ask'
import { startEc2, type LaunchedInstance, type RunningEc2 } from '../servers/ec2/index'
import { OWNER } from '../servers/ec2/snapshots'

jest.setTimeout(600_000)

const SCRIPT = resolve(__dirname, '../../scripts/try-on-aws.sh')
const policy = policyOf(synthesize({ hosts: { ebs: true } }), 'AWS::IAM::ManagedPolicy', 'HostAccessEbs')

let ec2: RunningEc2
let host: LaunchedInstance
let another: LaunchedInstance

beforeEach(async () => {
  ec2 = await startEc2()
  host = await ec2.launch({ volumes: [{ sizeGiB: 8 }, { sizeGiB: 2 }] })
  another = await ec2.launch({ volumes: [{ sizeGiB: 8 }] })
})
afterEach(() => ec2.stop())

const arnOf = ({ id }: LaunchedInstance) => `arn:aws:ec2:${ec2.region}:${OWNER}:instance/${id}`
/** From here on, requests are those of the host, and it may do what the policy says. */
const holdToPolicy = () =>
  ec2.configure({ authorize: authorizeAs(arnOf(host), [policy], { region: ec2.region, account: OWNER }) })

function start(...more: string[]) {
  const where = ['--instance', host.id, '--zone', 'us-east-1a', '--region', ec2.region, '--account', OWNER]
  const child = spawn(SCRIPT, [...where, ...more], {
    env: {
      PATH: `${dirname(inVirtualEnvironment('aws'))}:/usr/bin:/bin`,
      ...{
        HOME: '/nonexistent',
        AWS_MAX_ATTEMPTS: '1',
        AWS_ENDPOINT_URL_EC2: ec2.endpoint,
        TRY_ON_AWS_POLL_SECONDS: '0.1',
      },
      ...{ AWS_ACCESS_KEY_ID: ec2.accessKeyId, AWS_SECRET_ACCESS_KEY: ec2.secretAccessKey },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
    ([[status], stdout, stderr]) => ({ status: status as number | null, stdout, stderr }),
  )
  return { child, ended }
}

async function remaining(): Promise<string[]> {
  ec2.configure({ authorize: undefined })
  const [volumes, snapshots] = [await askEc2(ec2, 'DescribeVolumes'), await askEc2(ec2, 'DescribeSnapshots')]
  const launched = [...host.volumeIds, ...another.volumeIds]
  return [...new Set([...volumes.texts('volumeId'), ...snapshots.texts('snapshotId')])].filter(
    (id) => !launched.includes(id),
  )
}

const isDone = (name: string) => ec2.requests.some(({ action, code }) => action === name && code === undefined)
const problemsIn = (stdout: string) => stdout.split('\n').filter((line) => line.startsWith('PROBLEM'))

test('with the policy of the stack, everything is as it has to be, and nothing is left', async () => {
  const taken = await askEc2(ec2, 'CreateSnapshots', {
    'InstanceSpecification.InstanceId': another.id,
    'TagSpecification.1.ResourceType': 'snapshot',
    'TagSpecification.1.Tag.1.Key': Ec2Tag.host,
    'TagSpecification.1.Tag.1.Value': arnOf(another),
  })
  const [othersSnapshot = ''] = taken.texts('snapshotId')
  holdToPolicy()
  const others = [
    '--other-instance',
    another.id,
    '--other-volume',
    another.volumeIds[0]!,
    '--other-snapshot',
    othersSnapshot,
  ]
  const { status, stdout, stderr } = await start('--yes', ...others).ended
  expect({ status, stderr, problems: problemsIn(stdout) }).toEqual({ status: 0, stderr: '', problems: [] })
  const [, asExpected, all] = /^(\d+) of (\d+) answers are as expected$/m.exec(stdout)!
  expect([asExpected, Number(all) > 40]).toEqual([all, true])
  expect(await remaining()).toEqual([othersSnapshot])
})

test('a policy that lets more pass is found out; and what was made is removed when somebody ends it', async () => {
  ec2.configure({ pendingSeconds: 3600 })
  const { child, ended } = start('--yes')
  while (!isDone('CreateSnapshots') && child.exitCode === null) await wait(100)
  const made = await remaining()
  expect(made).toHaveLength(2)
  child.kill('SIGTERM')
  const { status, stdout } = await ended
  expect(status).toBe(143)
  expect(problemsIn(stdout)).toEqual(
    expect.arrayContaining([
      expect.stringContaining('may mark its snapshots as those of another host, and must not'),
      expect.stringContaining('may delete its own root, and must not'),
    ]),
  )
  expect(await remaining()).toEqual([])
})

test('a host without the policy is told at the first thing that it may not do', async () => {
  ec2.configure({ authorize: () => Promise.resolve(false) })
  const { status, stdout } = await start('--yes').ended
  expect([status, problemsIn(stdout)]).toEqual([1, [expect.stringMatching(/sees itself: .*\(UnauthorizedOperation\)/)]])
})

test('nothing is asked for, let alone made, by who does not say yes', async () => {
  const { status, stderr } = await start().ended
  expect([status, stderr]).toEqual([2, expect.stringContaining('usage: try-on-aws.sh --yes')])
  expect((await start('--yes', '--instances', host.id).ended).stderr).toContain(
    '--instances is no option of this script',
  )
  expect(ec2.requests).toEqual([])
})

test('the script passes shellcheck', () => {
  execFileSync('shellcheck', [SCRIPT], { stdio: 'pipe' })
})

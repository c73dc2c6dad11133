/** How documents run the agent, with a program in its place that says how it was called. */
import { AGENT, resolveRequest } from '../../agent/options/agent'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { ExitStatus } from '../../agent/contract'
import { parseArguments } from '../../agent/options/parse-argv'
import type { DocumentName } from '../../infra/documents'
import { makeSandbox, type Sandbox } from './sandbox'

const INSTALLED = 'opt/snapstream/current/snapstream'
const RUN = '20260131T020000Z-k3xw7a'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = makeSandbox()
})
afterEach(() => sandbox.remove())

const agent = (text: string) => sandbox.program(INSTALLED, `#!/bin/sh\n${text}\n`)
const leftBehind = () => readdirSync(sandbox.path('run'))

describe('the agent understands what it is told by', () => {
  test.each<[DocumentName, Record<string, string>, object]>([
    [
      'Backup',
      {},
      { command: 'backup', bucket: 'snapstream-vault-1a2b3c', region: 'eu-west-1', class: 'daily', volumes: [] },
    ],
    [
      'Backup',
      { class: 'monthly', storageClass: 'GLACIER_IR', volumes: '/,/srv/data', verify: 'stream', bandwidthLimit: '50M' },
      {
        class: 'monthly',
        storageClass: 'GLACIER_IR',
        volumes: ['/', '/srv/data'],
        verify: 'stream',
        bandwidthLimit: 50 * 2 ** 20,
      },
    ],
    ['Backup', { excludeVolumes: '/tmp' }, { excludeVolumes: ['/tmp'], sample: undefined }],
    [
      'Backup',
      { source: 'auto,/srv=ebs', freeze: 'true' },
      { source: ['auto', '/srv=ebs'], freeze: true, dryRun: false },
    ],
    [
      'Backup',
      { ebsKeepLast: 'no', ebsEngine: 'clone', dryRun: 'true' },
      { ebsKeepLast: 'no', ebsEngine: 'clone', dryRun: true },
    ],
    ['Backup', { verify: 'source', sample: '1/7' }, { verify: 'source', sample: { count: 1, parts: 7 } }],
    ['Verify', { run: RUN, depth: 'checksum' }, { command: 'verify', run: RUN, depth: 'checksum', class: 'daily' }],
    [
      'Restore',
      {
        run: RUN,
        target: '/srv/restored',
        path: '/home/ann/letter to bob.txt',
        thaw: 'bulk',
        thawDays: '3',
        resume: 'true',
      },
      {
        ...{ command: 'restore', run: RUN, target: '/srv/restored', path: ['/home/ann/letter to bob.txt'] },
        ...{ thaw: 'bulk', days: 3, resume: true, onConflict: 'fail', inPlace: false },
        ...{ bestEffort: false, includeDeleted: false },
      },
    ],
    [
      'Restore',
      {
        at: '2026-01-31T09:00Z',
        inPlace: 'true',
        volume: '/srv',
        onConflict: 'newer',
        dryRun: 'true',
        bestEffort: 'true',
        includeDeleted: 'true',
      },
      {
        ...{ at: expect.anything(), inPlace: true, volume: ['/srv'], onConflict: 'newer', dryRun: true },
        ...{ bestEffort: true, includeDeleted: true },
      },
    ],
    [
      'Drill',
      { roleArn: 'arn:aws:iam::111122223333:role/Driller', share: '1/7', scratch: '/mnt/scratch' },
      {
        ...{ command: 'drill', roleArn: 'arn:aws:iam::111122223333:role/Driller', class: 'daily', host: undefined },
        ...{ share: { count: 1, parts: 7 }, scratch: '/mnt/scratch', checkScript: undefined, deadline: 9 * 3600 },
      },
    ],
    ['Drill', { host: 'db1', run: RUN }, { command: 'drill', host: 'db1', run: RUN, roleArn: undefined }],
    ['Cleanup', {}, { command: 'cleanup', dryRun: false }],
    ['Cleanup', { dryRun: 'true' }, { command: 'cleanup', dryRun: true }],
  ])('%s with %j', async (name, parameters, expected) => {
    agent(`printf '%s\\n' "$@"`)
    const { steps } = await sandbox.run(name, parameters)
    const invocation = parseArguments(AGENT, steps[0]!.stdout.trimEnd().split('\n'))
    if (invocation.kind !== 'command') throw new Error(`that is ${invocation.kind}`)
    expect(resolveRequest(invocation, {}, {})).toMatchObject(expected)
  })
})

describe('the status of the agent', () => {
  test.each(Object.entries(ExitStatus))('%s is the status of the document', async (_, status) => {
    agent(`echo a summary; echo a complaint >&2; exit ${status}`)
    const { status: verdict, steps } = await sandbox.run('Backup')
    expect(verdict).toBe(status === 0 ? 'Success' : 'Failed')
    expect(steps[0]).toMatchObject({ code: status, stdout: 'a summary\n', stderr: 'a complaint\n' })
  })

  test.each([6, 126, 137, 168, 169, 194])('%d is none of its own, and becomes a failure', async (status) => {
    agent(`exit ${status}`)
    const { status: verdict, steps } = await sandbox.run('Backup')
    expect([verdict, steps[0]?.code]).toEqual(['Failed', ExitStatus.failed])
  })

  test('is a failure when it is killed', async () => {
    agent('kill -9 $$')
    expect((await sandbox.run('Backup')).steps[0]).toMatchObject({ status: 'Failed', code: ExitStatus.failed })
  })

  test('an agent that is not installed is a failure with a hint', async () => {
    const { steps } = await sandbox.run('Backup')
    expect(steps[0]).toMatchObject({
      code: ExitStatus.failed,
      stderr: expect.stringContaining('HINT: Run the Install'),
    })
  })
})

describe('output', () => {
  test('the summary comes whole, of the complaints the end', async () => {
    agent('echo first; seq 1 5000 >&2; echo what went wrong >&2')
    const { steps } = await sandbox.run('Backup')
    expect(steps[0]?.stdout).toBe('first\n')
    expect(steps[0]?.stderr).toMatch(/5000\nwhat went wrong\n$/)
  })

  test('of a log that was asked for, the last line comes while the agent is at work', async () => {
    agent('echo at work >&2; sleep 6; echo summary; echo what went wrong >&2')
    const { steps } = await sandbox.run('Backup', { logLevel: 'info' })
    expect(steps[0]).toMatchObject({
      stdout: 'summary\n',
      stderr: 'at work\nat work\nwhat went wrong\n',
    })
    expect(leftBehind()).toEqual([])
  })

  test('and nobody has to wait for what would have said more', async () => {
    agent('echo summary')
    const begun = performance.now()
    await sandbox.run('Backup', { logLevel: 'info' })
    expect(performance.now() - begun).toBeLessThan(4000)
  })

  test('it leaves room for what went wrong', async () => {
    agent('seq 1 5000 >&2; echo what went wrong >&2')
    const { steps } = await sandbox.run('Backup', { logLevel: 'info' })
    expect(steps[0]?.stderr.length).toBeLessThanOrEqual(6000)
    expect(steps[0]?.stderr).toMatch(/5000\nwhat went wrong\n$/)
  })

  test('nothing is left of it on the host', async () => {
    agent('echo first')
    await sandbox.run('Backup')
    expect(leftBehind()).toEqual([])
  })
})

/** An agent that cleans up when it is told to stop, as ours does, and that takes a second for it. */
const obedient = () =>
  agent(`trap 'sleep 1; touch ${sandbox.path('cleaned-up')}; exit 130' TERM
touch ${sandbox.path('working')}
while :; do sleep 0.1; done`)

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 200) throw new Error('it never happened')
    await wait(50)
  }
}

describe('a command that is cancelled', () => {
  test('leaves the agent working, and Cancel has it clean up and waits for it', async () => {
    obedient()
    const cancellation = new AbortController()
    const backup = sandbox.run('Backup', {}, { signal: cancellation.signal })
    await until(() => existsSync(sandbox.path('working')))
    cancellation.abort()
    expect((await backup).status).toBe('Cancelled')
    expect(existsSync(sandbox.path('cleaned-up'))).toBe(false)

    expect(await sandbox.run('Cancel')).toMatchObject({ status: 'Success' })
    expect(existsSync(sandbox.path('cleaned-up'))).toBe(true)
  })

  test('Cancel does nothing to a host where nothing runs, or another process has the id', async () => {
    sandbox.program('run/snapstream-command.gone/pid', `${process.pid}\n`)
    expect(await sandbox.run('Cancel')).toMatchObject({ status: 'Success' })
  })

  test('Cancel says so if the agent takes longer than it waits', async () => {
    const over = sandbox.path('over')
    agent(`trap '' TERM; touch ${sandbox.path('working')}; until [ -e ${over} ]; do sleep 0.1; done`)
    const cancellation = new AbortController()
    const backup = sandbox.run('Backup', {}, { signal: cancellation.signal })
    await until(() => existsSync(sandbox.path('working')))
    cancellation.abort()
    await backup
    const { steps } = await sandbox.run('Cancel', { waitSeconds: '1' })
    expect(steps[0]).toMatchObject({ status: 'Failed', stderr: expect.stringContaining('still cleaning up') })
    writeFileSync(over, '')
  })
})

describe('with systemd', () => {
  /** Says how it was called, and runs the command as systemd would. */
  const systemdRun = `#!/bin/sh
printf '%s\\n' "$@" >"$0.arguments"
while [ "\${1#-}" != "$1" ]; do
  case $1 in
  --property=StandardOutput=file:*) exec >"\${1#*file:}" ;;
  --property=StandardError=file:*) exec 2>"\${1#*file:}" ;;
  esac
  shift
done
exec "$@"
`
  beforeEach(() => {
    mkdirSync(sandbox.path('run/systemd/system'), { recursive: true })
    sandbox.program('bin/systemd-run', systemdRun)
  })
  const unit = () => readFileSync(sandbox.path('bin/systemd-run.arguments'), 'utf8').trimEnd().split('\n')

  test('the agent is a unit with a deadline before that of Systems Manager', async () => {
    agent('echo "$1"; echo complaint >&2; exit 3')
    const { steps } = await sandbox.run('Backup', { executionTimeout: '3600' })
    expect(steps[0]).toMatchObject({ code: 3, stdout: 'backup\n', stderr: 'complaint\n' })
    expect(unit()).toEqual(
      expect.arrayContaining([
        '--wait',
        expect.stringMatching(/^--unit=snapstream-command-0000/),
        '--property=RuntimeMaxSec=3300',
        '--property=TimeoutStopSec=150',
        '--property=KillMode=mixed',
        // A unit does not inherit the umask of this shell.
        '--property=UMask=0077',
        // Where the host goes down, the unit is stopped before the network.
        '--property=After=network-online.target',
      ]),
    )
  })

  test('the unit gets the credentials of the SSM agent, and its way to S3', async () => {
    agent('true')
    const environment = {
      AWS_SHARED_CREDENTIALS_FILE: '/var/lib/amazon/ssm/credentials',
      AWS_USE_FIPS_ENDPOINT: 'true',
      AWS_USE_DUALSTACK_ENDPOINT: 'true',
      AWS_ENDPOINT_URL_S3: 'https://bucket.vpce-1a2b3c.s3.eu-west-1.vpce.amazonaws.com',
      AWS_ENDPOINT_URL_EC2: 'https://vpce-1a2b3c.ec2.eu-west-1.vpce.amazonaws.com',
      AWS_ENDPOINT_URL: 'https://aws.example.net',
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
      AWS_CA_BUNDLE: '/etc/pki/proxy.pem',
      NODE_EXTRA_CA_CERTS: '/etc/pki/proxy.pem',
      HTTPS_PROXY: 'http://a b',
      https_proxy: 'http://a b',
    }
    await sandbox.run('Backup', {}, { environment })
    expect(unit()).toEqual(
      expect.arrayContaining(Object.entries(environment).map(([name, value]) => `--setenv=${name}=${value}`)),
    )
    expect(unit()).not.toEqual(expect.arrayContaining([expect.stringContaining('NO_PROXY')]))
  })

  test('Cancel stops the units', async () => {
    sandbox.program('bin/systemctl', `#!/bin/sh\necho "$@" >"$0.arguments"\n`)
    expect(await sandbox.run('Cancel')).toMatchObject({ status: 'Success' })
    expect(readFileSync(sandbox.path('bin/systemctl.arguments'), 'utf8')).toBe('stop snapstream-command-*.service\n')
  })
})

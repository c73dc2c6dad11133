/** The operators' program as it ships, as a process. */
import { readFileSync } from 'node:fs'
import { FLEET } from '../../fleet/command/program'
import { commandNames } from '../../agent/options/program'
import { buildAgent, type Agent } from '../support/agent'
import { serve } from '../support/http-server'

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-west-1' }

let fleet: Agent

beforeAll(() => {
  fleet = buildAgent('fleet')
})
afterAll(() => fleet[Symbol.dispose]())

test('help, version and pages are for people alone', async () => {
  const help = await fleet.run(['--help'])
  expect(help).toMatchObject({ status: 0, stderr: '' })
  expect(help.stdout).toMatch(/^Usage: snapstream-fleet /)
  expect(help.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect(await fleet.run(['--version'])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  })
  const page = readFileSync('docs/fleet.md', 'utf8')
  expect(await fleet.run(['help', 'fleet'])).toMatchObject({ status: 0, stderr: '', stdout: page })
})

test.each(commandNames(FLEET))('%s has help', async (command) => {
  const { status, stdout } = await fleet.run([command, '--help'])
  expect(status).toBe(0)
  expect(stdout).toContain('--region <REGION>')
  expect(stdout).toContain(FLEET.configExample)
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
})

test('npx finds it from the repository', () => {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: Record<string, string> }
  expect(bin).toEqual({ [FLEET.name]: 'dist/fleet.cjs' })
})

test('what is wrong is told to people on standard error, and with --json to programs on standard output', async () => {
  const message = 'debris needs to know the bucket: --bucket is missing'
  const hint = 'Give --bucket, set SNAPSTREAM_BUCKET, or set "bucket" in /etc/snapstream/fleet.json.'
  expect(await fleet.run(['debris'])).toMatchObject({
    status: 2,
    stdout: '',
    stderr: `snapstream-fleet: ${message}\nHINT: ${hint}\n`,
  })
  expect(await fleet.run(['debris', '--json'])).toMatchObject({
    status: 2,
    stderr: '',
    json: { error: { code: 'USAGE', message, hint } },
  })
})

test('what stands by itself is called as help calls it: there is no such flag', async () => {
  expect((await fleet.run(['attach', 'foo'])).stderr).toMatch(/: <commandId> must be .* not 'foo'\nHINT: <commandId>: /)
})

test('what is left to a host is said to be, and what is not', async () => {
  const helpOf = async (command: string) => (await fleet.run([command, '--help'])).stdout.replace(/\s+/g, ' ')
  expect(await helpOf('verify')).toContain('(checksum, stream; by default as the host or its document says;')
  expect(await helpOf('host')).toContain('show at most this many (8 of each class by default;')
})

test('a command that is misspelt is told which was meant', async () => {
  const { status, stderr } = await fleet.run(['debrsi'])
  expect(status).toBe(2)
  expect(stderr).toContain('Did you mean debris?')
})

test('without credentials it says so, and what to do', async () => {
  const { status, stderr } = await fleet.run(['debris', '--bucket', 'backups', '--region', 'eu-west-1'])
  expect(status).toBe(1)
  expect(stderr).toMatch(/^snapstream-fleet: no AWS credentials were found: .*\nHINT: .*AWS_PROFILE/)
})

test('a bucket that is not there', async () => {
  await using server = await serve((_, response) =>
    response
      .writeHead(404, { 'content-type': 'application/xml' })
      .end('<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>'),
  )
  const { status, stderr } = await fleet.run(['debris', '--bucket', 'backups', '--endpoint-url', server.url], {
    environment: CREDENTIALS,
  })
  expect(status).toBe(1)
  expect(stderr).toContain('snapstream-fleet: bucket backups does not exist')
})

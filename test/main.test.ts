import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PAGES } from '../agent/pages'
import { buildAgent, type Agent } from './support/agent'
import { serve } from './support/http-server'
import { makeTrustedDirectory } from './support/trusted-directory'

const NAMED = { AWS_ACCESS_KEY_ID: 'AKNAMED', AWS_SECRET_ACCESS_KEY: 'tell-nobody', AWS_SESSION_TOKEN: 'nor-this' }
const HOST = ['--host', 'db1', '--bucket', 'backups']
/** Of nobody: any user but root. */
const UID = 65534

let agent: Agent
let directory: string

beforeAll(() => {
  agent = buildAgent()
})
afterAll(() => agent[Symbol.dispose]())
beforeEach(() => {
  directory = makeTrustedDirectory()
})
afterEach(() => rm(directory, { recursive: true }))

/** A server that answers every request with one of S3's errors. */
const refusing = (status: number, code: string, headers: Record<string, string> = {}) =>
  serve((_, response) =>
    response
      .writeHead(status, { 'content-type': 'application/xml', ...headers })
      .end(`<Error><Code>${code}</Code><Message>no</Message></Error>`),
  )

test('help and version are for people alone', async () => {
  const help = await agent.run(['--help'])
  expect(help).toMatchObject({ status: 0, stderr: '' })
  expect(help.stdout).toMatch(/^Usage: snapstream /)
  expect(await agent.run(['--version'])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  })
})

test.each(Object.keys(PAGES))('the page %s comes with the agent, since a host has no docs/', async (page) => {
  const stdout = readFileSync(`docs/${page}.md`, 'utf8')
  expect(await agent.run(['help', page])).toMatchObject({ status: 0, stderr: '', stdout })
})

test('what is wrong is told to people on standard error, to programs in the last line of standard output', async () => {
  const error = {
    code: 'USAGE',
    message: 'list needs to know the bucket: --bucket is missing',
    hint: 'Give --bucket, set SNAPSTREAM_BUCKET, or set "bucket" in /etc/snapstream/config.json.',
  }
  expect(await agent.run(['list'])).toEqual({
    status: 2,
    stdout: `${JSON.stringify({ error })}\n`,
    stderr: `snapstream: ${error.message}\nHINT: ${error.hint}\n`,
    json: { error },
  })
})

test.each([
  ['a flag', ['bakcup', '--json'], {}],
  ['a variable', ['bakcup'], { SNAPSTREAM_JSON: 'true' }],
])(
  'with JSON wished by %s there is nothing but JSON, even before the command is understood',
  async (_, argv, environment) => {
    const { status, stdout, stderr, json } = await agent.run(argv, { environment })
    expect({ status, stderr, lines: stdout.split('\n').length }).toEqual({ status: 2, stderr: '', lines: 2 })
    expect(json).toMatchObject({ error: { code: 'USAGE', hint: expect.stringContaining('Did you mean backup?') } })
  },
)

describe('a URL to ping', () => {
  const secret = '/5c3f2a9e-secret'
  const listening = async (bodies: string[]) =>
    serve((request, response) => {
      const index = bodies.push(`${request.url} `) - 1
      request.on('data', (chunk: Buffer) => (bodies[index] = `${bodies[index]!}${chunk.toString()}`))
      request.on('end', () => response.end())
    })

  test.each([
    ['by a user who is not root', ['backup', ...HOST], UID, 1, /backup has to run as root/],
    ['without a bucket', ['backup', '--host', 'db1'], undefined, 2, /--bucket is missing/],
    ['with a wrong value', ['backup', ...HOST, '--class', 'A'], undefined, 2, /--class must be/],
    ['with a broken file', ['backup', ...HOST, '--config', '/dev/null/x'], undefined, 2, /cannot be read/],
  ])('hears of a backup that cannot even begin: %s', async (_, argv, uid, status, said) => {
    const bodies: string[] = []
    await using server = await listening(bodies)
    const environment = { SNAPSTREAM_PING_URL: `${server.url}${secret}` }
    const run = await agent.run([...argv, '--log-level=debug'], { environment, ...(uid !== undefined && { uid }) })
    expect(run.status).toBe(status)
    expect(bodies.at(-1)).toMatch(new RegExp(`^${secret}/fail snapstream backup: status ${status}`))
    expect(bodies.at(-1)).toMatch(said)
    expect(run.stdout + run.stderr).not.toContain(secret)
  })

  test('hears of a backup that is stopped, with the status that it ends with', async () => {
    const bodies: string[] = []
    await using server = await listening(bodies)
    await using silent = await serve(() => child.kill('SIGTERM'))
    const environment = {
      ...{ ...NAMED, AWS_ENDPOINT_URL_S3: silent.url, SNAPSTREAM_REGION: 'us-east-1' },
      SNAPSTREAM_PING_URL: `${server.url}${secret}`,
    }
    const { child, ended } = agent.start(['backup', ...HOST], { environment })
    const run = await ended
    expect(run).toMatchObject({ status: 130, json: { error: { code: 'INTERRUPTED' } } })
    expect(bodies[0]).toBe(`${secret}/start `)
    expect(bodies.at(-1)).toMatch(
      new RegExp(`^${secret}/fail snapstream backup: status 130, interrupted\nstopped by SIGTERM`),
    )
    expect(run.stdout + run.stderr).not.toContain(secret)
  })

  test('hears nothing of a dry run, nor of commands that do no backup', async () => {
    const bodies: string[] = []
    await using server = await listening(bodies)
    const environment = { SNAPSTREAM_PING_URL: `${server.url}${secret}` }
    await agent.run(['backup', '--dry-run'], { environment })
    await agent.run(['list'], { environment })
    expect(bodies).toEqual([])
  })

  test('is not repeated where it is wrong', async () => {
    const file = join(directory, 'config.json')
    await writeFile(file, '{"bucket": "backups", "pingUrl": "https://user:s3cret@hc-ping.com/5c3f2a9e-secret"}')
    const { status, stdout, stderr } = await agent.run(['backup', '--host=db1', '--config', file])
    expect([status, stderr]).toEqual([2, expect.stringContaining('pingUrl must be a URL such as')])
    expect(stdout + stderr).not.toMatch(/s3cret|5c3f/)
  })
})

test('metrics are written of a backup that fails at once, too', async () => {
  const file = join(directory, 'snapstream.prom')
  await agent.run(['backup', '--host', 'db1', '--metrics-file', file])
  expect(readFileSync(file, 'utf8')).toContain('snapstream_last_run_status{class="daily"} 2\n')
})

describe('the configuration file', () => {
  const run = async (content: string) => {
    const file = join(directory, 'config.json')
    await writeFile(file, content)
    return agent.run(['list', '--host=db1', '--config', file])
  }

  test('gives what the command line does not', async () => {
    await using server = await refusing(404, 'NoSuchBucket')
    const { json } = await run(JSON.stringify({ bucket: 'from-file', endpointUrl: server.url }))
    expect(json).toMatchObject({ error: { code: 'NO_CREDENTIALS' } })
  })

  test('is refused with the path of the wrong field', async () => {
    const { status, stderr } = await run('{"bucket": "backups", "volumes": ["/", "srv"]}')
    expect(status).toBe(2)
    expect(stderr).toContain(`config.json: volumes[1] must be an absolute path such as /srv, without "..", not 'srv'`)
  })

  test('that somebody named has to be there', async () => {
    const { status, stderr } = await agent.run(['list', ...HOST], {
      environment: { SNAPSTREAM_CONFIG: '/no/such.json' },
    })
    expect(status).toBe(2)
    expect(stderr).toMatch(/^snapstream: \/no\/such\.json cannot be read: ENOENT/)
  })
})

test.each(['backup', 'cleanup'])('%s needs root', async (command) => {
  const asNobody = process.getuid?.() === 0 ? { uid: UID } : {}
  const { status, json, stderr } = await agent.run([command, ...HOST], asNobody)
  expect(status).toBe(1)
  expect(json).toMatchObject({ error: { code: 'NOT_ROOT' } })
  expect(stderr).toContain('use sudo')
})

test('a Node that is too old is told so before anything else', async () => {
  const pretend = join(directory, 'pretend.cjs')
  await writeFile(pretend, `Object.defineProperty(process.versions, 'node', { value: '20.11.1' })`)
  const { status, stderr } = await agent.run(['list'], { nodeArguments: ['--require', pretend] })
  expect(status).toBe(1)
  expect(stderr).toMatch(/^snapstream: Node 20\.11\.1 is too old, version 24 or later is needed\nHINT: /)
})

test('a host that is to use FIPS does not leave it for a word that the SDK does not take', async () => {
  const { status, stderr } = await agent.run(['list', ...HOST], { environment: { AWS_USE_FIPS_ENDPOINT: 'TRUE' } })
  expect(status).toBe(2)
  expect(stderr).toMatch(/^snapstream: AWS_USE_FIPS_ENDPOINT must be true or false, not 'TRUE'\nHINT: /)
})

test('outside EC2 the name of the host has to be given', async () => {
  const { status, stderr } = await agent.run(['list', '--bucket=backups'])
  expect(status).toBe(2)
  expect(stderr).toMatch(/HINT: Outside EC2 give the name of the host with --host/)
})

describe('the bucket', () => {
  const list = (url: string, environment: Record<string, string> = NAMED) =>
    agent.run(['list', ...HOST, '--class=daily', '--endpoint-url', url], { environment })

  test.each([
    [404, 'NoSuchBucket', 'BUCKET_MISSING', 'bucket backups does not exist'],
    [403, 'ExpiredToken', 'CREDENTIALS_EXPIRED', 'the credentials expired'],
    [403, 'InvalidAccessKeyId', 'ACCESS_DENIED', ''],
    [403, 'AccessDenied', 'ACCESS_DENIED', 'these credentials may not list the bucket'],
    [403, 'RequestTimeTooSkewed', 'CLOCK_SKEW', 'the clock of this host is too far'],
  ])('that answers %i %s', async (status, s3Code, code, message) => {
    await using server = await refusing(status, s3Code)
    const run = await list(server.url)
    expect(run.status).toBe(1)
    expect(run.json).toMatchObject({ error: { code, message: expect.stringContaining(message) } })
    expect(run.stderr).toMatch(/\nHINT: \w/)
  })

  test('in another region', async () => {
    await using server = await refusing(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-central-1' })
    const { status, stderr } = await list(server.url)
    expect(status).toBe(1)
    expect(stderr).toMatch(/bucket backups is in eu-central-1, not in us-east-1\nHINT: Set --region eu-central-1/)
  })

  test('out of reach', async () => {
    const { status, json, stderr } = await list('http://127.0.0.1:1')
    expect(status).toBe(1)
    expect(json).toMatchObject({ error: { code: 'ENDPOINT_UNREACHABLE' } })
    expect(stderr).toMatch(/ECONNREFUSED 127\.0\.0\.1:1\nHINT: Check --endpoint-url/)
  }, 30_000)

  test('without credentials', async () => {
    const { status, json } = await list('http://127.0.0.1:1', {})
    expect(status).toBe(1)
    expect(json).toMatchObject({ error: { code: 'NO_CREDENTIALS' } })
  })
})

describe('a command that hangs', () => {
  const hang = async () => {
    const server = await serve(() => undefined)
    const { child, ended } = agent.start(['list', ...HOST, '--endpoint-url', server.url], { environment: NAMED })
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    return { server, child, ended }
  }

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends on %s with status 130', async (signal) => {
    const { server, child, ended } = await hang()
    await using _server = server
    child.kill(signal)
    expect(await ended).toMatchObject({
      status: 130,
      stderr: expect.stringContaining(`snapstream: stopped by ${signal}`),
      json: { error: { code: 'INTERRUPTED' } },
    })
  })
})

test('a reader that goes away is no failure', () => {
  // `true` is gone long before Node has started.
  const script = 'set -o pipefail; "$0" "$1" backup --help | true'
  const { status, stderr } = spawnSync('bash', ['-c', script, process.execPath, agent.bundle], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('secrets stay where they are, even with --log-level debug', async () => {
  await using server = await refusing(403, 'SignatureDoesNotMatch')
  const argv = ['preflight', ...HOST, '--endpoint-url', server.url, '--log-level=debug']
  const { stdout, stderr } = await agent.run(argv, { environment: NAMED })
  expect(stdout).toContain('access key AKNAMED')
  expect(stdout + stderr).not.toMatch(/tell-nobody|nor-this/)
})

/** The operators' program as it ships, against real S3 servers that hold the golden archives, which no later version may misread. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { dataKey, manifestKey, Prefix, verificationKey } from '../../agent/contract'
import { formatTime } from '../../agent/run/run-id'
import { createBucket, plainClient, testServers, type Server } from '../servers/index'
import { buildAgent, type Agent } from '../support/agent'

jest.setTimeout(300_000)

const GOLDEN = 'test/golden'
const INSTANCE = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'

let fleet: Agent
let directory: string
beforeAll(() => {
  fleet = buildAgent('fleet')
  directory = mkdtempSync(join(tmpdir(), 'snapstream-'))
})
afterAll(() => {
  fleet[Symbol.dispose]()
  rmSync(directory, { recursive: true })
})

/** Of a run that begins now: what is written now is then rightly dated. */
function runNow(suffix: string): string {
  return `${formatTime(new Date())}-${suffix}`
}

async function put(server: Server, bucket: string, objects: Readonly<Record<string, string | Buffer>>): Promise<void> {
  const client = plainClient(server)
  for (const [Key, Body] of Object.entries(objects)) {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
  }
  client.destroy()
}

/** All golden runs, by key, in the order in which a run writes. */
function goldenObjects(): Record<string, Buffer> {
  const files = ['v1', 'v1-many-frames', 'v2', 'v3'].flatMap((set) =>
    readdirSync(join(GOLDEN, set), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(
        ({ parentPath, name }) =>
          [relative(join(GOLDEN, set), join(parentPath, name)), join(parentPath, name)] as const,
      ),
  )
  return Object.fromEntries(files.toSorted().map(([key, file]) => [key, readFileSync(file)]))
}

/** A golden run of format 2, as if it had been made now. */
function madeNow(run: string, host = 'guest', old = '20261127T191500Z-goldv2'): Record<string, string | Buffer> {
  const place = (key: string) => key.replace('/guest/', `/${host}/`).replaceAll(old, run)
  const objects = Object.entries(goldenObjects()).filter(([key]) => key.includes(`/daily/guest/${old}`))
  return Object.fromEntries<string | Buffer>(
    objects.map(([key, body]) =>
      key.startsWith(Prefix.manifests)
        ? [
            place(key),
            body.toString().replaceAll(old, run).replaceAll('"guest"', `"${host}"`).replaceAll('/guest/', `/${host}/`),
          ]
        : [place(key), body],
    ),
  )
}

/** The newest golden run, which is differential, and the one that is its base, as if they had been made now. */
function nightMadeNow(base: string, run: string): Record<string, string | Buffer> {
  const oldBase = '20261128T120000Z-goldv3'
  return Object.fromEntries(
    Object.entries({ ...madeNow(base, 'guest', oldBase), ...madeNow(run, 'guest', '20261128T130000Z-goldv3') }).map(
      ([key, body]) => [key, key.startsWith(Prefix.manifests) ? body.toString().replaceAll(oldBase, base) : body],
    ),
  )
}

describe.each(['seaweedfs', 'radosgw'] as const)('on %s', (name) => {
  const server = testServers()[name]
  let bucket: string
  const run = (...argv: string[]) =>
    fleet.run(argv, {
      environment: {
        ...{ SNAPSTREAM_BUCKET: bucket, AWS_ENDPOINT_URL_S3: server.endpoint, AWS_REGION: server.region },
        ...{ AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
      },
    })
  const runsOf = async (host: string, className = 'daily') => {
    const { json } = await run('host', host, '--json')
    const { classes } = json as { classes: { class: string; runs: { run: string; state: string }[] }[] }
    return Object.fromEntries(
      classes.find((each) => each.class === className)!.runs.map((each) => [each.run, each.state]),
    )
  }

  beforeEach(async () => {
    bucket = await createBucket(server)
  })

  test('a host that was backed up just now is protected; without an auditor, that is not all there is to know', async () => {
    const made = runNow('aaaaaa')
    await put(server, bucket, madeNow(made, INSTANCE))
    const status = await run('status')
    expect(status.status).toBe(3)
    expect(status.stdout).toContain('The one host is protected.')
    expect(status.stdout).toContain('! the auditor has never looked at this bucket')
    expect(await runsOf('i-0123456789abcdef0')).toEqual({ [made]: 'complete' })
  })

  test('golden runs are read, and those copied to another time are told to be', async () => {
    await put(server, bucket, goldenObjects())
    const runs = await runsOf('guest')
    expect(Object.keys(runs).sort()).toEqual([
      ...['20261123T094900Z-s5rldw', '20261127T191500Z-goldv2'],
      ...['20261128T120000Z-goldv3', '20261128T130000Z-goldv3'],
    ])
    expect(runs['20261123T094900Z-s5rldw']).toBe('misdated')
    const { stdout } = await run('host', 'guest')
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  test('a manifest of a later format, one that is none, one of another host and one whose data is gone are told apart', async () => {
    const [good, later, junk, foreign, emptied] = ['aaaaaa', 'bbbbbb', 'cccccc', 'dddddd', 'eeeeee'].map(runNow) as [
      ...[string, string, string, string, string],
    ]
    const at = { class: 'daily', host: 'guest' }
    const lost = Object.entries(madeNow(emptied))
    const rest = Object.fromEntries(lost.filter(([key]) => !key.startsWith(Prefix.data)))
    await put(server, bucket, {
      ...madeNow(good),
      [manifestKey({ ...at, run: later })]: JSON.stringify({ format: 99, ...at, run: later }),
      [manifestKey({ ...at, run: junk })]: 'not JSON \u001b[2J',
      [manifestKey({ ...at, run: foreign })]: madeNow(foreign, 'other')[
        manifestKey({ ...at, host: 'other', run: foreign })
      ]!,
      ...rest,
    })
    expect(await runsOf('guest')).toEqual({
      [good]: 'complete',
      [later]: 'unsupported',
      [junk]: 'unreadable',
      [foreign]: 'unreadable',
      [emptied]: 'objects-missing',
    })
    const { status, stdout } = await run('status')
    expect(status).toBe(3)
    expect(stdout).not.toContain('\u001b')
  })

  test('a differential run is complete, and trouble where its base is gone', async () => {
    const [base, night] = ['aaaaaa', 'bbbbbb'].map(runNow) as [string, string]
    const objects = Object.entries(nightMadeNow(base, night))
    await put(server, bucket, Object.fromEntries(objects))
    expect(await runsOf('guest')).toEqual({ [base]: 'complete', [night]: 'complete' })
    const withoutBase = objects.filter(([key]) => !key.includes(base))
    bucket = await createBucket(server)
    await put(server, bucket, Object.fromEntries(withoutBase))
    expect(await runsOf('guest')).toEqual({ [night]: 'base-missing' })
    expect(await run('status')).toMatchObject({ status: 3, stdout: expect.stringMatching(/^failing {5}db-1 guest /m) })
  })

  test('a backup that did not read back is trouble', async () => {
    const made = runNow('aaaaaa')
    const key = { class: 'daily', host: 'guest', run: made }
    const time = new Date().toISOString()
    const verdict = {
      verification: 1,
      ...key,
      depth: 'stream',
      startedAt: time,
      finishedAt: time,
      ok: false,
      volumes: [],
    }
    await put(server, bucket, {
      ...madeNow(made),
      [verificationKey(Prefix.verdicts, key, formatTime(new Date()))]: JSON.stringify(verdict),
    })
    const { status, stdout } = await run('status')
    expect(status).toBe(3)
    expect(stdout).toMatch(/^failing {5}db-1 guest /m)
  })

  test('what it costs, what is no backup, and a page of it', async () => {
    const killed = { class: 'daily', host: INSTANCE, run: runNow('ffffff') }
    await put(server, bucket, {
      ...madeNow(runNow('aaaaaa')),
      [dataKey(killed, 'vg0-srv', 'zstd', 0)]: 'x'.repeat(5000),
    })
    const cost = await run('cost')
    expect([cost.status, cost.stderr.includes('HINT')]).toEqual([0, false])
    expect(cost.stdout).toMatch(/^<\$0\.01 a month for .* of 1 host\n/)
    const debris = await run('debris', '--json')
    expect(debris.json).toMatchObject({
      hostsSeen: 2,
      runs: 1,
      bytes: 5000,
      hosts: [{ host: INSTANCE, mayBeRunning: 1 }],
    })
    const page = join(directory, `${name}.html`)
    expect(await run('report', '--html', page)).toMatchObject({ status: 3, stdout: expect.stringContaining('1 host') })
    expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>/i)
  })

  test('a host is forgotten only where that is said twice', async () => {
    const objects = madeNow(runNow('aaaaaa'))
    await put(server, bucket, objects)
    expect(await run('forget', 'guest')).toMatchObject({ status: 2, stdout: '' })
    expect(await run('forget', 'guest', '--confirm', 'guest')).toMatchObject({ status: 0 })
    expect(await runsOf('guest')).toBeDefined()
  })

  test('a bucket without any host is not a fleet in which all is well', async () => {
    await put(server, bucket, { 'photos/cat.jpg': 'meow' })
    const { status, stdout } = await run('status')
    expect(status).toBe(3)
    expect(stdout.replaceAll('\n', ' ')).toContain('Is this the right bucket?')
    expect((await run('debris')).stdout).toContain('Is this the right bucket?')
  })

  test('wrong credentials, and a bucket that there is not', async () => {
    const denied = await fleet.run(['status'], {
      environment: {
        ...{ SNAPSTREAM_BUCKET: bucket, AWS_ENDPOINT_URL_S3: server.endpoint, AWS_REGION: server.region },
        ...{ AWS_ACCESS_KEY_ID: 'NOBODY', AWS_SECRET_ACCESS_KEY: 'nothing' },
      },
    })
    expect(denied).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('HINT: ') })
    const missing = await run('status', '--bucket', 'there-is-none')
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining('there-is-none does not exist') })
  })
})

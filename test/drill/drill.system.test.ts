/** Drills by the bundle that ships, of a hostile tree, on a real S3 server. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { manifestKey, parseDrillKey, type RunKey } from '../../agent/contract'
import { s3Store } from '../../agent/bucket/store.io'
import { SCRATCH_PREFIX } from '../../agent/host/scratch'
import { parseDrill } from '../../agent/run/drill-record'
import { formatManifest } from '../../agent/run/manifest'
import { formatRun } from '../../agent/run/run-id'
import { tarCreate } from '../../agent/tar/commands'
import { createBucket, plainClient, testServers } from '../servers/index'
import { buildAgent, type Agent } from '../support/agent'
import { archiveOf } from '../support/archives'
import { serve } from '../support/http-server'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { compareTrees } from '../support/tree/compare'
import { scratchTree } from '../support/tree/scratch'
import { walkTree } from '../support/tree/walk'
import { makeTrustedDirectory } from '../support/trusted-directory'

jest.setTimeout(300_000)

const server = testServers().seaweedfs
const signal = new AbortController().signal
const OWN = { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey }
const { root: source } = scratchTree(() => undefined)

let agent: Agent
let directory: string
let scratch: string
beforeAll(() => {
  agent = buildAgent()
})
afterAll(() => agent[Symbol.dispose]())
beforeEach(() => {
  directory = makeTrustedDirectory()
  scratch = join(directory, 'scratch')
})
afterEach(() => {
  for (const path of mounts()) execFileSync('umount', ['--lazy', path])
  rmSync(directory, { recursive: true })
})
const mounts = () =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
const leftovers = () =>
  existsSync(scratch) ? readdirSync(scratch).filter((name) => name.startsWith(SCRATCH_PREFIX)) : []

/** A bucket with a run of the tree that has just ended. */
async function bucketWith(change: (objects: Map<string, Buffer>) => void = () => undefined) {
  const place: RunKey = { class: 'daily', host: 'db-1', run: formatRun(new Date(), randomBytes(6)) }
  const bucket = await createBucket(server)
  const { endpoint, region } = server
  const store = s3Store({ bucket, region, endpointUrl: endpoint, credentials: async () => server, log: silentLog })
  const [program, ...args] = tarCreate(source())
  const stored = archiveOf(execFileSync(program, args, { maxBuffer: 64 << 20 }), { at: place })
  const objects = new Map(stored.objects)
  change(objects)
  for (const [key, body] of objects) await store.put(key, body, signal)
  const volumes = [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive: stored.archive }, place)]
  await store.put(manifestKey(place), formatManifest(manifestOf({ ...place, volumes })), signal)
  return { bucket, place }
}

async function recordsIn(bucket: string) {
  const client = plainClient(server)
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'drills/' }))
  return Promise.all(
    Contents.map(async ({ Key, LastModified }) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
      return parseDrill(await Body!.transformToString(), LastModified!, parseDrillKey(Key!)!)
    }),
  )
}

const argvOf = (bucket: string, ...more: string[]) => [
  ...['drill', '--bucket', bucket, '--endpoint-url', server.endpoint, '--region', server.region],
  ...['--scratch', scratch, ...more],
]
/** A script that root runs on what was restored. */
function script(text: string): string[] {
  const file = join(directory, 'check')
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o700 })
  return ['--check-script', file]
}

test('a machine with a role of its own assumes the driller’s, restores all of it, and leaves nothing', async () => {
  const { bucket, place } = await bucketWith()
  await using sts = await serve((_, response) =>
    response.writeHead(200, { 'content-type': 'text/xml' }).end(`
      <AssumeRoleResponse><AssumeRoleResult><Credentials>
        <AccessKeyId>${server.accessKeyId}</AccessKeyId><SecretAccessKey>${server.secretAccessKey}</SecretAccessKey>
        <Expiration>${new Date(Date.now() + 3600_000).toISOString()}</Expiration>
      </Credentials></AssumeRoleResult></AssumeRoleResponse>`),
  )
  const copy = join(directory, 'copy')
  const check = script(
    `cp --archive "$1/srv" ${copy}; findmnt --noheadings --output OPTIONS "$(dirname "$1")" >${copy}.mount`,
  )
  const environment = {
    AWS_ACCESS_KEY_ID: 'AKHOST',
    AWS_SECRET_ACCESS_KEY: 'no good here',
    AWS_ENDPOINT_URL_STS: sts.url,
  }
  const role = ['--role-arn', 'arn:aws:iam::111122223333:role/Driller']
  const run = await agent.run(argvOf(bucket, ...role, ...check), { environment })
  expect([run.stderr, run.json]).toMatchObject([
    '',
    { ok: true, host: 'db-1', run: place.run, problems: [], leftBehind: [] },
  ])
  expect(run.status).toBe(0)
  expect(compareTrees(walkTree(source()), walkTree(copy))).toEqual([])
  expect(readFileSync(`${copy}.mount`, 'utf8')).toMatch(/nosuid,nodev,noexec/)
  expect([leftovers(), mounts()]).toEqual([[], []])
  expect(await recordsIn(bucket)).toMatchObject([{ ok: true, run: place.run, problem: '' }])
})

test('without that role the host’s own credentials get nowhere', async () => {
  const { bucket } = await bucketWith()
  const environment = { AWS_ACCESS_KEY_ID: 'AKHOST', AWS_SECRET_ACCESS_KEY: 'no good here' }
  const run = await agent.run(argvOf(bucket), { environment })
  expect(run.status).toBe(1)
  expect([leftovers(), await recordsIn(bucket)]).toEqual([[], []])
})

test('an archive that is damaged in the bucket makes it fail, on record', async () => {
  const { bucket } = await bucketWith((objects) => {
    for (const [key, body] of objects) if (key.startsWith('data/')) body[Math.floor(body.length / 2)]! ^= 0xff
  })
  const run = await agent.run(argvOf(bucket), { environment: OWN })
  expect(run.status).toBe(1)
  expect(run.stdout).toMatch(/^Drill of db-1, .*: FAILED\n {2}PROBLEM /)
  const [record] = await recordsIn(bucket)
  expect(record).toMatchObject({ ok: false, entries: 0, problem: expect.stringContaining('is damaged') as string })
  expect(leftovers()).toEqual([])
})

describe('a drill that is at work', () => {
  /** Its check script waits for ever: everything is restored by then. */
  async function atWork() {
    const { bucket } = await bucketWith()
    const ready = join(directory, 'ready')
    const { child, ended } = agent.start(
      argvOf(bucket, ...script(`echo $$ >${ready}.new; mv ${ready}.new ${ready}; exec sleep 1000`)),
      {
        environment: OWN,
      },
    )
    while (!existsSync(ready)) {
      if (child.exitCode !== null) throw new Error((await ended).stdout)
      await sleep(100)
    }
    const [name] = leftovers()
    expect(statSync(join(scratch, name!)).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(scratch, name!, 'restored'))).toEqual(['srv'])
    const endScript = () => process.kill(Number(readFileSync(ready, 'utf8')), 'SIGKILL')
    return { bucket, child, ended, endScript, path: join(scratch, name!) }
  }

  test('is stopped: it cleans up, and is on no record', async () => {
    const { bucket, child, ended } = await atWork()
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ status: 130, json: { error: { code: 'INTERRUPTED' } } })
    expect([leftovers(), mounts(), await recordsIn(bucket)]).toEqual([[], [], []])
  })

  test('is killed: the next drill removes what it left, though its script is still there', async () => {
    const { bucket, child, endScript, path } = await atWork()
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect([existsSync(path), mounts().includes(path)]).toEqual([true, true])
    const run = await agent.run(argvOf(bucket), { environment: OWN })
    expect(run.stderr).toContain(`removed ${path}, which a killed drill left behind`)
    expect([run.status, leftovers(), mounts()]).toEqual([0, [], []])
    endScript()
  })

  test('is killed: so does cleanup, which leaves one alone that is not', async () => {
    const { bucket, child, endScript, path } = await atWork()
    const cleanUp = () =>
      agent.run(
        ['cleanup', '--bucket', bucket, '--endpoint-url', server.endpoint, '--region', server.region, '--host', 'db-1'],
        {
          environment: OWN,
        },
      )
    expect(await cleanUp()).toMatchObject({ json: expect.not.objectContaining({ scratches: expect.anything() }) })
    expect(existsSync(path)).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    // Wherever it was told to restore: the mount table knows.
    expect(await cleanUp()).toMatchObject({ status: 0, json: { scratches: [path] } })
    expect([leftovers(), mounts()]).toEqual([[], []])
    endScript()
  })
})

/** Somebody deletes a host's backups: the agent that ships brings them back from real servers. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DeleteObjectCommand, ListObjectsV2Command, PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import { manifestKey } from '../../agent/contract'
import { s3Store } from '../../agent/bucket/store.io'
import { formatManifest } from '../../agent/run/manifest'
import { tarCreate } from '../../agent/tar/commands'
import { createBucket, plainClient, testServers, type Server } from '../servers/index'
import { buildAgent, type Agent } from '../support/agent'
import { archiveOf, place } from '../support/archives'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'

jest.setTimeout(120_000)

let scratch: string
let agent: Agent
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'deleted-'))
  writeFileSync(join(scratch, 'letter'), 'written once')
  writeFileSync(join(scratch, 'bulk'), Buffer.alloc(3 << 20, 'x'))
  agent = buildAgent()
})
afterAll(() => {
  agent[Symbol.dispose]()
  rmSync(scratch, { recursive: true })
})

/** Backs up a volume of two segments, and has somebody delete all of it. */
async function deletedBackup(server: Server): Promise<string> {
  const bucket = await createBucket(server, { versioned: true })
  const signal = new AbortController().signal
  const { endpoint: endpointUrl, region } = server
  const store = s3Store({ bucket, region, endpointUrl, credentials: async () => server, log: silentLog })
  const [program, ...args] = tarCreate(scratch)
  const { archive, objects } = archiveOf(execFileSync(program, args, { maxBuffer: 1 << 28 }), { framesPerSegment: 1 })
  for (const [key, body] of objects) await store.put(key, body, signal)
  const volumes = [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })]
  await store.put(manifestKey(place), formatManifest(manifestOf({ ...place, volumes })), signal)

  const client = plainClient(server)
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
  expect(Contents.length).toBeGreaterThan(3)
  for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
  client.destroy()
  return bucket
}

const environmentOf = (server: Server) => ({
  AWS_ENDPOINT_URL: server.endpoint,
  AWS_ACCESS_KEY_ID: server.accessKeyId,
  AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
  AWS_DEFAULT_REGION: server.region,
})

/** What an operator types, given all that he usually gives. */
function snapstream(server: Server, bucket: string, ...words: string[]) {
  const there = ['--bucket', bucket, '--host', place.host, '--region', server.region]
  const environment = environmentOf(server)
  // What stands in for a run of that day was written just now.
  return agent.run([...words, ...there, '--endpoint-url', server.endpoint, '--trust-times'], { environment })
}

const RUN = ['--run', place.run]
const letterIn = (target: string) => readFileSync(join(target, 'srv/letter'), 'utf8')

describe.each(['radosgw', 'seaweedfs'] as const)('from %s', (name) => {
  test('deleted backups are offered, found, restored, and undeleted as the runbook says', async () => {
    const server = testServers()[name]
    const bucket = await deletedBackup(server)
    const typed = (...words: string[]) => snapstream(server, bucket, ...words)

    const hidden = await typed('list')
    expect(hidden.json).toMatchObject({ total: 0, deletedUnread: [manifestKey(place)] })
    const target = mkdtempSync(join(scratch, 'target-'))
    const refused = await typed('restore', ...RUN, '--target', target)
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining(`HINT: run ${place.run} was deleted`)])

    const found = await typed('list', '--include-deleted')
    expect(found.json).toMatchObject({ runs: [{ run: place.run, deleted: true, status: 'complete' }] })
    const verified = await typed('verify', ...RUN, '--include-deleted')
    expect([verified.status, verified.json]).toEqual([0, expect.objectContaining({ ok: true })])
    const restored = await typed('restore', ...RUN, '--target', target, '--include-deleted')
    expect([restored.status, letterIn(target)]).toEqual([0, 'written once'])
    expect(restored.json).toMatchObject({ deletedRead: expect.arrayContaining([manifestKey(place)]) })

    undelete(server, bucket)
    const back = await typed('list')
    expect(back.json).toMatchObject({ runs: [{ run: place.run }] })
    expect(back.stdout).not.toContain('deleted')
    expect(await typed('verify', ...RUN)).toMatchObject({ status: 0, stdout: expect.not.stringContaining('deleted') })
  })
})

/** With the AWS CLI, by the block that the runbook has for it. */
function undelete(server: Server, bucket: string): void {
  const [, section = ''] = readFileSync('docs/runbook.md', 'utf8').split('## Backups were deleted')
  const [, block = ''] = /```bash\n(.*?)```/s.exec(section) ?? []
  expect(block).toContain('aws s3api delete-object')
  const PATH = `${resolve('.cache/venv/bin')}:${process.env['PATH'] ?? ''}`
  const env = { PATH, ...environmentOf(server), BUCKET: bucket, HOST: place.host, RUN: place.run }
  const { status, stderr } = spawnSync('bash', ['--norc', '-eu', '-c', block], { encoding: 'utf8', env })
  expect([status, stderr]).toEqual([0, ''])
}

test('who may not look at versions is told who may, and otherwise as if there were none', async () => {
  const server = testServers().radosgw
  const bucket = await deletedBackup(server)
  const resource = `arn:aws:s3:::${bucket}`
  const denial = { Effect: 'Deny', Principal: '*', Action: 's3:ListBucketVersions', Resource: resource }
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [denial] })
  await plainClient(server).send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy }))

  const restoring = ['restore', ...RUN, '--class', place.class, '--target', join(scratch, 'denied')]
  const offered = await snapstream(server, bucket, ...restoring)
  expect(offered.json).toMatchObject({
    error: { code: 'UNKNOWN_RUN', hint: expect.stringMatching(/"snapstream list"/) },
  })
  const refused = await snapstream(server, bucket, ...restoring, '--include-deleted')
  expect(refused.json).toMatchObject({
    error: {
      code: 'ACCESS_DENIED',
      message: expect.stringContaining(`s3:ListBucketVersions on ${resource} is denied`),
      hint: expect.stringContaining('Use the restorer role'),
    },
  })
})

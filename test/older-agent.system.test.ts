/**
 * Hosts and operators have the agent of yesterday for a while: what it does with differential runs, which it does not know.
 * It is the bundle of version 0.2.0, as it shipped, against a real server.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { s3Store } from '../agent/bucket/store.io'
import { Prefix, manifestKey } from '../agent/contract'
import type { VolumeBackup } from '../agent/run/manifest'
import { createBucket, testServers } from './servers/index'
import { agentOfVersion, type Agent } from './support/agent'
import { silentLog } from './support/log'
import { nightsOf, runOf } from './support/nights'
import { compareTrees } from './support/tree/compare'
import { walkTree } from './support/tree/walk'
import { makeTrustedDirectory } from './support/trusted-directory'

jest.setTimeout(300_000)

const server = testServers().seaweedfs
const signal = new AbortController().signal

let agent: Agent
let place: string
let target: string
let bucket: string
let full: VolumeBackup
let treeOfFull: ReturnType<typeof walkTree>
let night: VolumeBackup
/** What it says of the differential run, whoever asks. */
let unsupported: string

const store = () => {
  const { region, endpoint: endpointUrl } = server
  return s3Store({ bucket, region, endpointUrl, credentials: async () => server, log: silentLog })
}

beforeAll(async () => {
  agent = agentOfVersion('0.2.0')
  place = makeTrustedDirectory()
  const root = join(place, 'root')
  mkdirSync(join(root, 'app'), { recursive: true })
  for (const name of ['kept', 'changed', 'gone']) writeFileSync(join(root, 'app', name), `${name} before`)
  writeFileSync(join(root, 'ballast'), Buffer.alloc(100_000, 'ballast'))
  mkdirSync(join(place, 'indexes'), { mode: 0o700 })
  const nights = nightsOf(root, join(place, 'indexes'))
  full = await nights.full()
  treeOfFull = walkTree(root)
  writeFileSync(join(root, 'app/changed'), 'changed since')
  rmSync(join(root, 'app/gone'))
  night = await nights.differential()
  bucket = await createBucket(server)
  for (const [key, { body }] of nights.store.objects) await store().put(key, body, signal)
  const key = manifestKey({ class: 'daily', host: 'db-1', run: runOf(night) })
  unsupported = `${key} has format 3, this agent reads up to 2`
})
afterAll(() => {
  agent[Symbol.dispose]()
  rmSync(place, { recursive: true })
})
beforeEach(() => {
  target = mkdtempSync(join(place, 'target-'))
})

/** The runs are of days that are gone, and were put there today: hence the last option. */
function older(command: string, ...options: readonly string[]) {
  const there = ['--bucket', bucket, '--host', 'db-1', '--class', 'daily', '--trust-times']
  return agent.run([command, ...options, ...there], {
    environment: {
      ...{ AWS_ENDPOINT_URL_S3: server.endpoint, AWS_REGION: server.region },
      ...{ AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
    },
  })
}

const ofNight = () => ['--run', runOf(night)]

test.each<[string, () => readonly string[]]>([
  ['restore', () => ['--target', target]],
  ['restore', () => ['--target', target, ...ofNight()]],
  ['restore', () => ['--target', target, ...ofNight(), '--path', '/srv/app/changed']],
  ['restore', () => ['--target', target, ...ofNight(), '--best-effort']],
  ['restore', () => ['--target', target, ...ofNight(), '--dry-run']],
  ['verify', () => ofNight()],
  ['verify', () => [...ofNight(), '--depth', 'stream']],
  ['restore-plan', () => []],
  ['restore-plan', () => ofNight()],
])('%s of a differential run fails, and says that a later version made it: %#', async (command, options) => {
  const { status, stdout, stderr, json } = await older(command, ...options())
  expect({ status, json }).toEqual({
    status: 1,
    json: {
      error: {
        code: 'FORMAT_UNSUPPORTED',
        message: unsupported,
        hint: 'Install the version of Snapstream that made the backup, or a later one.',
      },
    },
  })
  expect(stdout.trimEnd().split('\n')).toHaveLength(1) // no plan, and no report, before it
  expect(stderr).toContain(`${unsupported}\nHINT: Install the version of Snapstream that made the backup`)
  expect(readdirSync(target)).toEqual([])
})

test('a file of a differential run is not printed', async () => {
  const printed = await older('restore', ...ofNight(), '--path', '/srv/app/changed', '--stdout')
  expect(printed).toMatchObject({ status: 1, stdout: '' })
  expect(printed.stderr).toContain(unsupported)
})

test('no verification of a differential run is recorded', async () => {
  await older('verify', ...ofNight())
  for (const prefix of [Prefix.verifications, Prefix.verdicts]) {
    for await (const { key } of store().list(prefix, signal)) expect(key).not.toContain(runOf(night))
  }
})

test('list shows the run as unreadable, with the reason, verified by nobody; its status is that of any list', async () => {
  const { status, stdout, json } = await older('list')
  expect(status).toBe(0)
  expect(stdout).toContain(`${runOf(night)}: ${unsupported}\n`)
  const { runs } = json as { runs: object[] }
  expect(runs).toMatchObject([
    { run: runOf(night), status: 'unreadable', problem: unsupported, storedBytes: 0, verified: { depth: 'none' } },
    { run: runOf(full), status: 'complete', verified: { depth: 'checksum', ok: true } },
  ])
})

test.each([
  ['changed', 1],
  ['nowhere', 0],
])('find says that it did not search the run, and is incomplete: %s', async (name, paths) => {
  const { status, stdout, json } = await older('find', `/srv/app/${name}`)
  expect(status).toBe(3)
  expect(stdout).toMatch(new RegExp(`NOT SEARCHED ${runOf(night)} : ${unsupported}`))
  expect(json).toMatchObject({ notSearchedCount: 1, notSearched: [{ run: runOf(night), reason: unsupported }] })
  // What it did search it has found: of the full run alone.
  const { found } = json as { found: { versions: object[] }[] }
  expect(found).toHaveLength(paths)
  for (const { versions } of found) expect(versions).toMatchObject([{ lastRun: runOf(full), runs: 1 }])
})

test('the full run that is the base verifies, and comes back as it was', async () => {
  expect(await older('verify', '--run', runOf(full), '--depth', 'stream')).toMatchObject({
    status: 0,
    json: { ok: true },
  })
  expect(await older('restore', '--run', runOf(full), '--target', target)).toMatchObject({ status: 0 })
  expect(compareTrees(treeOfFull, walkTree(join(target, 'srv')))).toEqual([])
  expect(readFileSync(join(target, 'srv/app/gone'), 'utf8')).toBe('gone before')
})

test('a drill of the host restores nothing, and is recorded as failed', async () => {
  const { status, json } = await older('drill', '--scratch', target)
  expect({ status, json }).toMatchObject({
    status: 1,
    json: { run: runOf(night), ok: false, entries: 0, problems: [expect.stringContaining(unsupported)] },
  })
  expect(readdirSync(target)).toEqual(['.snapstream-drill.lock']) // which stays after any drill
})

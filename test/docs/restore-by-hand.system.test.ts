/** The commands of docs/restore-by-hand.md, run as they stand there against a real S3 server. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { manifestKey } from '../../agent/contract'
import { s3Store } from '../../agent/bucket/store.io'
import { formatManifest, type VolumeBackup } from '../../agent/run/manifest'
import { tarCreate } from '../../agent/tar/commands'
import { createBucket, testServers } from '../servers/index'
import { archiveOf, place, type ArchiveOptions } from '../support/archives'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { nightsOf, runOf, type Nights } from '../support/nights'
import { makeTrustedDirectory } from '../support/trusted-directory'
import { compareTrees } from '../support/tree/compare'
import { walkTree } from '../support/tree/walk'
import { scratchTree } from '../support/tree/scratch'

jest.setTimeout(300_000)

const { path: scratch, root: source } = scratchTree((root) => {
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n'.repeat(10_000))
})

function documentedCommands(): string {
  const text = readFileSync('docs/restore-by-hand.md', 'utf8')
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!)
  expect(blocks.length).toBeGreaterThanOrEqual(8)
  return blocks.join('\n')
}

const server = testServers().seaweedfs
const signal = new AbortController().signal

/** A bucket with a run of one volume, in which somebody has put something since. */
async function bucketWith(options: ArchiveOptions, change: (objects: Map<string, Buffer>) => void) {
  const bucket = await createBucket(server)
  const { endpoint, region } = server
  const store = s3Store({ bucket, region, endpointUrl: endpoint, credentials: async () => server, log: silentLog })
  const [program, ...args] = tarCreate(source())
  const stored = archiveOf(execFileSync(program, args, { maxBuffer: 64 << 20 }), options)
  const objects = new Map(stored.objects)
  change(objects)
  for (const [key, body] of objects) await store.put(key, body, signal)
  const volumes = [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive: stored.archive })]
  await store.put(manifestKey(place), formatManifest(manifestOf({ ...place, volumes })), signal)
  return bucket
}

function runCommands(bucket: string, target: string, file = 'etc/hosts') {
  return spawnSync('bash', ['--norc', '-eu', '-c', documentedCommands()], {
    encoding: 'utf8',
    env: {
      PATH: `${resolve('.cache/venv/bin')}:${process.env['PATH'] ?? ''}`,
      LC_ALL: 'C.UTF-8',
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_DEFAULT_REGION: server.region,
      BUCKET: bucket,
      HOST: place.host,
      TARGET: target,
      VOLUME: 'vg0-srv',
      FILE: file,
    },
  })
}

/** An archive of an intruder's, without the blocks that end it: what is joined behind it goes on. */
function poison(): Buffer {
  const root = join(scratch(), 'poison')
  mkdirSync(join(root, 'etc'), { recursive: true })
  writeFileSync(join(root, 'etc/evil'), '* * * * * root id')
  const archive = execFileSync('tar', ['--create', '--blocking-factor=1', '--directory', root, './etc/evil'])
  return archive.subarray(0, archive.length - 1024)
}

const ADDED = `data/daily/${place.host}/${place.run}`

test.each<ArchiveOptions & { readonly added: readonly string[] }>([
  { compression: 'zstd', frameBytes: 256 * 1024, framesPerSegment: 5, added: ['vg0-srv.tar', 'vg0-srv.tar.zst.000'] },
  { compression: 'none', added: ['vg0-srv.tar.000', 'vg0-srv.tar.zst'] },
])('every command works as it stands, and what was added to the run later is left alone: %j', async (options) => {
  const bucket = await bucketWith(options, (objects) => {
    for (const name of options.added) {
      objects.set(`${ADDED}/${name}`, name.includes('.zst') ? zstdCompressSync(poison()) : poison())
    }
  })
  const target = join(scratch(), `target-${options.compression ?? ''}`)
  const result = runCommands(bucket, target)
  expect([result.status, result.stderr]).toEqual([0, ''])
  expect(result.stdout).toContain(`run: ${place.run}\n`)
  expect(result.stdout).toContain('the archive of vg0-srv is what was written')
  expect(compareTrees(walkTree(source()), walkTree(join(target, 'vg0-srv')))).toEqual([])
  for (const way of ['simple', 'quick']) {
    expect(readFileSync(join(target, way, 'etc/hosts'), 'utf8')).toBe(readFileSync(join(source(), 'etc/hosts'), 'utf8'))
  }
})

test('an archive that is not what was written is not extracted', async () => {
  const bucket = await bucketWith({ compression: 'none' }, (objects) => {
    const [key, body] = [...objects].find(([each]) => each.startsWith('data/'))!
    objects.set(key, Buffer.concat([poison(), body]))
  })
  const target = join(scratch(), 'target-changed')
  const result = runCommands(bucket, target)
  expect(result.status).toBe(1)
  expect(result.stderr).toContain('the archive of vg0-srv is NOT what was written')
  expect(existsSync(join(target, 'vg0-srv'))).toBe(false)
})

describe.each(['zstd', 'none'] as const)('a differential run, compression %s', (compression) => {
  const root = () => join(scratch(), `night-${compression}`)
  let nights: Nights
  let night: VolumeBackup
  let indexes: string

  beforeAll(async () => {
    indexes = makeTrustedDirectory()
    for (const name of ['was a directory', 'gone', 'now a link']) {
      mkdirSync(join(root(), name), { recursive: true })
      writeFileSync(join(root(), name, 'file'), name)
    }
    for (const name of ['kept', 'changed']) writeFileSync(join(root(), name), `${name} before`)
    writeFileSync(join(root(), 'ballast'), Buffer.alloc(100_000, 'ballast'))
    nights = nightsOf(root(), indexes, compression)
    await nights.full()
    writeFileSync(join(root(), 'changed'), 'changed since')
    for (const name of ['was a directory', 'gone', 'now a link']) rmSync(join(root(), name), { recursive: true })
    writeFileSync(join(root(), 'was a directory'), 'is a file')
    symlinkSync('elsewhere', join(root(), 'now a link'))
    night = await nights.differential()
  })
  afterAll(() => rmSync(indexes, { recursive: true }))

  async function stored(change: (objects: Map<string, Buffer>) => void = () => undefined): Promise<string> {
    const bucket = await createBucket(server)
    const { endpoint, region } = server
    const store = s3Store({ bucket, region, endpointUrl: endpoint, credentials: async () => server, log: silentLog })
    const objects = new Map([...nights.store.objects].map(([key, { body }]) => [key, body]))
    change(objects)
    for (const [key, body] of objects) await store.put(key, body, signal)
    return bucket
  }

  test.each(['kept', 'changed'])('comes back whole, and so does one file of it: %s', async (file) => {
    const target = join(scratch(), `target-night-${compression}-${file}`)
    const result = runCommands(await stored(), target, file)
    expect([result.status, result.stderr]).toEqual([0, ''])
    expect(result.stdout).toContain(`run: ${runOf(night)}\n`)
    expect(compareTrees(walkTree(root()), walkTree(join(target, 'vg0-srv')))).toEqual([])
    for (const way of ['simple', 'quick']) {
      expect(readFileSync(join(target, way, file), 'utf8')).toBe(readFileSync(join(root(), file), 'utf8'))
    }
  })

  test('a list of what is gone is not followed that is not what was written', async () => {
    const bucket = await stored((objects) => objects.set(night.removed!.key, zstdCompressSync('./kept\0')))
    const result = runCommands(bucket, join(scratch(), `target-list-${compression}`), 'kept')
    expect([result.status, result.stderr]).toEqual([1, expect.stringContaining('NOT what was written')])
  })

  test('a list that leads out of the volume removes nothing there, whoever wrote it', async () => {
    const target = join(scratch(), `target-escape-${compression}`)
    const outside = join(scratch(), `outside-${compression}`)
    mkdirSync(outside)
    writeFileSync(join(outside, 'file'), 'to stay')
    const body = zstdCompressSync(`./../../outside-${compression}/file\0./gone/file\0${outside}/file\0`)
    const { key } = night.removed!
    const sha256 = createHash('sha256').update(body).digest('hex')
    const bucket = await stored((objects) => {
      objects.set(key, body)
      const manifest = manifestKey({ ...place, run: runOf(night) })
      objects.set(manifest, Buffer.from(objects.get(manifest)!.toString().replace(night.removed!.sha256!, sha256)))
    })
    runCommands(bucket, target, 'kept')
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('to stay')
    expect(existsSync(join(target, 'vg0-srv/kept'))).toBe(true)
  })
})

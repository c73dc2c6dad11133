/** The commands of docs/restore-by-hand.md, run as they stand there against a real S3 server. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { manifestKey } from '../../agent/contract'
import { s3Store } from '../../agent/io/store'
import { formatManifest } from '../../agent/plan/manifest'
import { tarCreate } from '../../agent/plan/tar'
import { createBucket, testServers } from '../servers'
import { archiveOf, place, type ArchiveOptions } from '../support/archives'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
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

test.each<ArchiveOptions>([
  { compression: 'zstd', frameBytes: 256 * 1024, framesPerSegment: 5 },
  { compression: 'none' },
])('every command of docs/restore-by-hand.md works as it stands: %j', async (options) => {
  const server = testServers().seaweedfs
  const signal = new AbortController().signal
  const bucket = await createBucket(server)
  const { endpoint, region } = server
  const store = s3Store({ bucket, region, endpointUrl: endpoint, credentials: async () => server, log: silentLog })
  const [program, ...args] = tarCreate(source())
  const stored = archiveOf(execFileSync(program, args, { maxBuffer: 64 << 20 }), options)
  for (const [key, body] of stored.objects) await store.put(key, body, signal)
  const volumes = [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive: stored.archive })]
  await store.put(manifestKey(place), formatManifest(manifestOf({ ...place, volumes })), signal)

  const target = join(scratch(), `target-${options.compression ?? ''}`)
  const result = spawnSync('bash', ['--norc', '-eu', '-c', documentedCommands()], {
    encoding: 'utf8',
    env: {
      PATH: `${resolve('.cache/venv/bin')}:${process.env['PATH'] ?? ''}`,
      LC_ALL: 'C.UTF-8',
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_DEFAULT_REGION: region,
      BUCKET: bucket,
      HOST: place.host,
      TARGET: target,
      VOLUME: 'vg0-srv',
      FILE: 'etc/hosts',
    },
  })
  expect([result.status, result.stderr]).toEqual([0, ''])
  expect(result.stdout).toContain(`run: ${place.run}\n`)
  expect(result.stdout).toContain('the archive of vg0-srv is what was written')
  expect(compareTrees(walkTree(source()), walkTree(join(target, 'vg0-srv')))).toEqual([])
  for (const way of ['simple', 'quick']) {
    expect(readFileSync(join(target, way, 'etc/hosts'), 'utf8')).toBe(readFileSync(join(source(), 'etc/hosts'), 'utf8'))
  }
})

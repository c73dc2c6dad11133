/** A week of nights on every kind of volume: each comes back whole, by the agent and by hand, and is what was there. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { formatArgv } from '../../agent/host/argv'
import { tarExtract } from '../../agent/tar/commands'
import type { VolumeBackup } from '../../agent/run/manifest'
import { plainClient, testServers } from '../servers/index'
import { compareTrees } from '../support/tree/compare'
import { bundleTrees, type GuestTrees } from '../support/tree/guest-trees'
import { installAgent, type AgentResult, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'
import { BEFORE, DAYS } from './nights'

jest.setTimeout(600_000)

const VOLUMES = ['ext4-thick', 'xfs-thin'] as const
const mountPointOf = (volume: string) => `/srv/${volume}`
const MOUNT_POINTS = VOLUMES.map(mountPointOf)
const nameOf = (volume: string) => `vg0-${volume.replaceAll('-', '--')}`

let guest: Guest
let agent: Installation
let trees: GuestTrees
let shared: string

beforeAll(async () => {
  trees = await bundleTrees()
  shared = await mkdtemp(join(tmpdir(), 'snapstream-nights-'))
  guest = await bootGuest({ disksMiB: [3072, 2048] })
  await guest.run(['sh', '-euc', MAKE, 'sh', ...guest.disks])
  agent = await installAgent(guest, testServers().seaweedfs)
  for (const root of MOUNT_POINTS) {
    await trees.build(guest, 'hostile', root)
    await guest.run(['bash', '-euc', BEFORE], { environment: { ROOT: root } })
  }
})
afterAll(async () => {
  await guest.stop()
  await trees[Symbol.asyncDispose]()
  await rm(shared, { recursive: true })
})
afterEach(async () => expect(await agent.leftovers()).toEqual([]))

const volumesOf = ({ json }: AgentResult) => json.volumes as readonly VolumeBackup[]
const levelsOf = (night: AgentResult) => volumesOf(night).map(({ level }) => level)
const all = (level: string) => VOLUMES.map(() => level)

async function backUp(...options: string[]): Promise<AgentResult> {
  await guest.run(['sync'])
  const volumes = MOUNT_POINTS.flatMap((mountPoint) => ['--volumes', mountPoint])
  const result = await agent.run('backup', ...volumes, '--level', 'auto', '--verify', 'source', ...options)
  expect({ status: result.status, stderr: result.stderr }).toEqual({ status: 0, stderr: '' })
  return result
}

let nights = 0

/**
 * Restores a night, one of its volumes by hand too, another one each night, and compares all with what is on the volumes
 * still.
 */
async function comesBack(night: AgentResult): Promise<void> {
  await guest.run(['rm', '-rf', '/mnt/agent/srv', '/mnt/agent/hand'])
  const restored = await agent.run('restore', '--run', night.json.run, '--target', '/mnt/agent')
  expect({ status: restored.status, stderr: restored.stderr }).toEqual({ status: 0, stderr: '' })
  const byHand = VOLUMES[nights++ % VOLUMES.length]!
  await restoreByHand(
    volumesOf(night).find(({ volume }) => volume === nameOf(byHand))!,
    '/mnt/agent/hand',
  )
  for (const volume of VOLUMES) {
    const before = await trees.walk(guest, mountPointOf(volume))
    const places = [`/mnt/agent${mountPointOf(volume)}`, ...(volume === byHand ? ['/mnt/agent/hand'] : [])]
    for (const place of places) {
      expect([place, compareTrees(before, await trees.walk(guest, place))]).toEqual([place, []])
    }
  }
}

/** Extracts the base, removes what the list names, extracts the differential over it: plain zstd, rm and tar. */
async function restoreByHand({ volume, archive, base, removed }: VolumeBackup, target: string): Promise<void> {
  let fetched = 0
  const fetch = async (keys: readonly string[]): Promise<string> => {
    // The guest keeps what it has read of a file.
    const file = join(shared, `${volume}-${++fetched}-${archive.segments[0]!.sha256}`)
    await writeFile(file, Buffer.concat(await Promise.all(keys.map((key) => agent.read(key)))))
    return file
  }
  const extract = async ({ segments }: VolumeBackup['archive']): Promise<void> => {
    const file = await fetch(segments.map(({ key }) => key))
    await guest.run(['bash', '-o', 'pipefail', '-ec', `zstd -dc ${file} | ${formatArgv(tarExtract(target))}`])
  }
  await guest.run(['mkdir', '-p', target])
  if (base) await extract(base.archive)
  if (removed) {
    const list = await fetch([removed.key])
    await guest.run(['bash', '-o', 'pipefail', '-ec', REMOVE, 'sh', target, list])
  }
  await extract(archive)
}
const REMOVE = 'cd "$1"; zstd -dc "$2" | xargs -0 -r rm -rf --'

let first: AgentResult

test('the first night is a full one', async () => {
  first = await backUp()
  expect(levelsOf(first)).toEqual(all('full'))
})

test.each(DAYS)('the night after $name', async ({ changes }) => {
  for (const root of MOUNT_POINTS) await guest.run(['bash', '-euc', changes], { environment: { ROOT: root } })
  const night = await backUp()
  expect(levelsOf(night)).toEqual(all('differential'))
  for (const { base, archive } of volumesOf(night)) {
    expect(base?.run).toBe(first.json.run)
    expect(archive.storedBytes).toBeLessThan(base!.archive.storedBytes)
  }
  await comesBack(night)
})

test('the night after a file was restored in place from an earlier night', async () => {
  const path = '/srv/xfs-thin/work/six'
  await agent.run('restore', '--run', first.json.run, '--path', path, '--in-place', '--on-conflict', 'overwrite')
  const night = await backUp()
  expect(levelsOf(night)).toEqual(all('differential'))
  await comesBack(night)
})

test('an index that was cut in half makes the night a full one, and the summary says why', async () => {
  const directory = '/var/lib/snapstream/index'
  const files = (await guest.run(['find', directory, '-type', 'f'])).trim().split('\n')
  expect(files.length).toBeGreaterThanOrEqual(VOLUMES.length)
  for (const file of files)
    await guest.run(['sh', '-ec', 'truncate --size=$(($(stat -c %s "$1") / 2)) "$1"', 'sh', file])
  const night = await backUp()
  expect(levelsOf(night)).toEqual(all('full'))
  expect(night.summary).toMatch(/index/)
  first = night
})

test('a base that an administrator has deleted makes the night a full one', async () => {
  const client = plainClient(testServers().seaweedfs)
  const [backup] = volumesOf(first)
  await client.send(new DeleteObjectCommand({ Bucket: agent.bucket, Key: backup!.archive.segments[0]!.key }))
  const night = await backUp()
  expect(levelsOf(night)).toEqual(['full', 'differential'])
  expect(await agent.run('verify', '--run', night.json.run, '--depth', 'stream')).toMatchObject({ status: 0 })
})

const MAKE = `
exec >/dev/null
vgcreate vg0 "$1"
lvcreate --type thin-pool --size 900M --name pool vg0
lvcreate --virtualsize 400M --thinpool pool --name xfs-thin vg0
lvcreate --size 320M --name ext4-thick vg0
for volume in ${VOLUMES.join(' ')}; do
  mkfs.\${volume%-*} -q \$([ \${volume%-*} = xfs ] || echo -b 4096) /dev/vg0/$volume
  mount --mkdir /dev/vg0/$volume /srv/$volume
done
mkfs.ext4 -q "$2"
mount --mkdir "$2" /mnt/agent
`

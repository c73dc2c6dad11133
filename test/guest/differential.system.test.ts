/** A week of nights on every kind of volume of LVM: each comes back whole, by the agent and by hand, and is what was there. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { plainClient, testServers } from '../servers/index'
import { bundleTrees, type GuestTrees } from '../support/tree/guest-trees'
import { installAgent, type AgentResult, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'
import { BEFORE, DAYS } from './nights'
import { levelsOf, nightsOf, volumesOf, type Nights } from './week'

jest.setTimeout(600_000)

const ON_LVM = ['/srv/ext4-thick', '/srv/ext4-thin', '/srv/xfs-thick', '/srv/xfs-thin']
/** With everything besides that a filesystem may hold. */
const HOSTILE = '/srv/xfs-thin'
/** Not on LVM, and too small to need it. */
const PLAIN = '/srv/plain'

let guest: Guest
let agent: Installation
let trees: GuestTrees
let shared: string
let nights: Nights

beforeAll(async () => {
  trees = await bundleTrees()
  shared = await mkdtemp(join(tmpdir(), 'snapstream-nights-'))
  guest = await bootGuest({ disksMiB: [3584, 2048, 64] })
  await guest.run(['sh', '-euc', MAKE, 'sh', ...guest.disks])
  agent = await installAgent(guest, testServers().seaweedfs)
  await trees.build(guest, 'hostile', HOSTILE)
  for (const root of ON_LVM) await guest.run(['bash', '-euc', BEFORE], { environment: { ROOT: root } })
  nights = nightsOf({ guest, agent, trees, shared, mountPoints: ON_LVM, scratch: '/mnt/scratch' })
})
afterAll(async () => {
  await guest.stop()
  await trees[Symbol.asyncDispose]()
  await rm(shared, { recursive: true })
})
afterEach(async () => expect(await agent.leftovers()).toEqual([]))

const onLvm = (level: string, ...but: readonly string[]) => ({
  ...Object.fromEntries(ON_LVM.map((mountPoint) => [mountPoint, level])),
  ...Object.fromEntries(but.map((mountPoint) => [mountPoint, 'full'])),
})
const nameOf = (mountPoint: string) => `vg0-${mountPoint.replace('/srv/', '').replaceAll('-', '--')}`

let first: AgentResult

test('the first night is a full one, and says why', async () => {
  first = await nights.backUp()
  expect(levelsOf(first)).toEqual(onLvm('full'))
  for (const mountPoint of ON_LVM) {
    expect(first.summary).toContain(`FULL ${mountPoint}: there is no index of a full archive yet`)
  }
  const foreseen = await agent.run('backup', '--level', 'auto', '--dry-run')
  expect(foreseen.summary).toContain(`what has changed since ${first.json.run}`)
})

test('what is read in place is archived whole, and the summary says why', async () => {
  const { status, summary } = await agent.run('backup', '--level', 'auto', '--volumes', PLAIN)
  expect([status, summary]).toEqual([0, expect.stringContaining(`FULL ${PLAIN}: it is read in place`)])
})

test.each(DAYS)('the night after $name', async ({ changes }) => {
  for (const root of ON_LVM) await guest.run(['bash', '-euc', changes], { environment: { ROOT: root } })
  const night = await nights.backUp()
  expect(levelsOf(night)).toEqual(onLvm('differential'))
  expect(night.summary).toContain(`stored what has changed since ${first.json.run}: `)
  for (const { base, archive } of volumesOf(night)) {
    expect(base?.run).toBe(first.json.run)
    expect(archive.storedBytes).toBeLessThan(base!.archive.storedBytes)
  }
  await nights.comesBack(night)
})

test('the night after a file was restored in place from an earlier night', async () => {
  const path = '/srv/xfs-thin/work/six'
  await agent.run('restore', '--run', first.json.run, '--path', path, '--in-place', '--on-conflict', 'overwrite')
  const night = await nights.backUp()
  expect(levelsOf(night)).toEqual(onLvm('differential'))
  await nights.comesBack(night)
})

test('an index that was cut in half, or is gone, makes a full archive of its volume and of no other, and the summary says why', async () => {
  const [cut, gone] = ['/srv/ext4-thick', '/srv/xfs-thick'] as const
  const indexOf = (mountPoint: string) => `/var/lib/snapstream/index/daily/${nameOf(mountPoint)}.index`
  await guest.run(['sh', '-ec', 'truncate --size=$(($(stat -c %s "$1") / 2)) "$1"', 'sh', indexOf(cut)])
  await guest.run(['rm', indexOf(gone)])
  const night = await nights.backUp()
  expect(levelsOf(night)).toEqual(onLvm('differential', cut, gone))
  expect(night.summary).toMatch(new RegExp(`FULL ${cut}: .*index`))
  expect(night.summary).toContain(`FULL ${gone}: there is no index of a full archive yet`)
  await nights.comesBack(night)
})

test('a base that an administrator has deleted makes a full archive of its volume', async () => {
  const client = plainClient(testServers().seaweedfs)
  const lost = volumesOf(first).find(({ mountPoint }) => mountPoint === '/srv/xfs-thin')!
  await client.send(new DeleteObjectCommand({ Bucket: agent.bucket, Key: lost.archive.segments[0]!.key }))
  const night = await nights.backUp()
  expect(levelsOf(night)).toEqual(onLvm('differential', lost.mountPoint))
  expect(await agent.run('verify', '--run', night.json.run, '--depth', 'stream')).toMatchObject({ status: 0 })
})

const MAKE = `
exec >/dev/null
vgcreate vg0 "$1"
lvcreate --type thin-pool --size 900M --name pool vg0
lvcreate --virtualsize 400M --thinpool pool --name xfs-thin vg0
lvcreate --virtualsize 128M --thinpool pool --name ext4-thin vg0
lvcreate --size 320M --name ext4-thick vg0
lvcreate --size 320M --name xfs-thick vg0
for volume in ${ON_LVM.map((mountPoint) => mountPoint.replace('/srv/', '')).join(' ')}; do
  mkfs.\${volume%-*} -q \$([ \${volume%-*} = xfs ] || echo -b 4096) /dev/vg0/$volume
  mount --mkdir /dev/vg0/$volume /srv/$volume
done
mkfs.ext4 -q "$2"
mount --mkdir "$2" /mnt/scratch
mkfs.ext4 -q "$3"
mount --mkdir "$3" ${PLAIN}
echo kept >${PLAIN}/file
`

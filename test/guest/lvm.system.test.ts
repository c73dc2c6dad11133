import {
  readStorage,
  checkSnapshot,
  mountSnapshot,
  recordUpload,
  removeLeftovers,
  takeSnapshots,
} from '../../agent/source/lvm/snapshots.io'
import { selectVolumes } from '../../agent/source/lvm/select'
import { planSnapshots, type SnapshotPlan } from '../../agent/source/lvm/plan'
import { memoryStore } from '../support/memory-store'
import { bootGuest, type Guest } from './guest'
import { guestDeps } from './guest-host'
import { DISKS_MIB, makeVolumes, MOUNT_POINTS, mountVolumes } from './volumes'

jest.setTimeout(120_000)

const RUN = '20261123T081034Z-abc123'
let guest: Guest
let deps: ReturnType<typeof guestDeps>

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: DISKS_MIB })
  await makeVolumes(guest)
  deps = guestDeps(guest)
})
afterAll(() => guest.stop())
afterEach(async () => {
  expect(await guest.run(['cat', '/mnt/foreign/moment'])).toBe('before\n')
})

async function plan(size: Parameters<typeof planSnapshots>[2]['size'] = { kind: 'auto' }): Promise<SnapshotPlan[]> {
  const storage = await readStorage(deps)
  return planSnapshots(storage, selectVolumes(storage).volumes, { run: RUN, size })
}

/** Snapshots, mounts and directories of ours. */
function leftOnHost(): Promise<string> {
  const lvs = 'lvs --noheadings --options lv_name @snapstream'
  return guest.run(['sh', '-c', `${lvs}; grep /run/snapstream /proc/mounts; find /run/snapstream 2>/dev/null; true`])
}

async function mountAll(plans: readonly SnapshotPlan[]): Promise<AsyncDisposable> {
  const mounts = new AsyncDisposableStack()
  for (const one of plans) mounts.use(await mountSnapshot(deps, one))
  return mounts
}

async function write(text: string): Promise<void> {
  await guest.run(['sh', '-euc', `for m in ${MOUNT_POINTS.join(' ')}; do echo ${text} >$m/moment; done`])
}

test('shows every volume as it was when the snapshots were taken, and leaves nothing', async () => {
  const plans = await plan()
  expect(plans.map(({ origin, kind }) => [origin.mountPoint, origin.filesystem, kind])).toEqual([
    ['/srv', 'ext4', 'thick'],
    ['/srv/home', 'xfs', 'thick'],
    ['/srv/home/mail', 'ext4', 'thin'],
    ['/srv/plain/db', 'xfs', 'thin'],
  ])
  await write('then') // not synced: lvcreate has to see to that
  {
    await using _snapshots = await takeSnapshots(deps, plans)
    await write('later')
    await using _mounts = await mountAll(plans)
    for (const one of plans) {
      expect(await guest.run(['cat', `${one.mountPoint}/moment`])).toBe('then\n')
      expect(await guest.exec(['touch', `${one.mountPoint}/x`])).toMatchObject({
        stderr: expect.stringContaining('Read-only file system'),
      })
      await checkSnapshot(deps, one)
    }
  }
  expect(await leftOnHost()).toBe('')
})

test('mounts a snapshot of files that were deleted but open, and of a journal in use', async () => {
  const busy = MOUNT_POINTS.map(
    (m) => `exec 3>${m}/deleted; echo x >&3; rm ${m}/deleted; (while :; do echo $m >${m}/churn; sleep 0.1; done) &`,
  )
  const writer = guest.start(['bash', '-c', `${busy.join('\n')}\nwait`])
  try {
    const plans = await plan()
    await using _snapshots = await takeSnapshots(deps, plans)
    await using _mounts = await mountAll(plans)
    for (const one of plans) await checkSnapshot(deps, one)
    expect(await guest.run(['ls', ...plans.map(({ mountPoint }) => mountPoint)])).not.toContain('deleted')
  } finally {
    writer.kill('SIGKILL')
    await writer.ended
  }
})

test('removes its own snapshots, and nobody else’s, where one of them cannot be taken', async () => {
  const plans = await plan()
  const taken = plans[2]!
  await guest.run(['lvcreate', '--virtualsize', '8M', '--thinpool', 'pool', '--name', taken.name, 'vg1'])
  await expect(takeSnapshots(deps, plans)).rejects.toThrow('already exists')
  expect(await leftOnHost()).toBe('')
  await guest.run(['lvremove', '--yes', `vg1/${taken.name}`])
})

test('waits for a reader that is just being killed before it unmounts', async () => {
  const [first] = await plan()
  {
    await using _snapshot = await takeSnapshots(deps, [first!])
    await using _mount = await mountSnapshot(deps, first!)
    guest.start(['sh', '-c', `cd ${first!.mountPoint}; sleep 1`])
  }
  expect(await leftOnHost()).toBe('')
})

test('says that a volume cannot be mounted, and why', async () => {
  const [first] = await plan()
  const broken = {
    ...first!,
    mount: ['mount', '--types', 'xfs', '--source', first!.device, '--target', '/mnt'],
  } as const
  {
    await using _snapshot = await takeSnapshots(deps, [broken])
    await expect(mountSnapshot(deps, broken)).rejects.toMatchObject({
      code: 'MOUNT_FAILED',
      message: expect.stringMatching(/cannot be mounted: mount --types/) as string,
    })
  }
  expect(await leftOnHost()).toBe('')
})

test('cleans up after a power cut, and knows by the snapshots which uploads to abort', async () => {
  const store = memoryStore()
  const upload = await store.createUpload('data/daily/arn:aws:ec2:x/run/vg0-srv.tar.zst', undefined, deps.signal)
  const plans = await plan()
  await takeSnapshots(deps, plans)
  await mountAll(plans)
  await recordUpload(deps, plans[0]!, upload)
  await guest.powerCut()
  await guest.powerOn()
  await mountVolumes(guest)
  await guest.run(['mount', '--mkdir', '-o', 'ro', '/dev/vg0/foreign', '/mnt/foreign'])

  const found = await removeLeftovers({ ...deps, store }, { dryRun: true })
  expect(found.snapshots).toHaveLength(plans.length)
  expect(found.uploads).toEqual([upload])
  expect(store.uploads.size).toBe(1)
  expect(await guest.exec(['test', '-e', plans[2]!.device])).toMatchObject({ status: 1 }) // not active beside its origin

  await removeLeftovers({ ...deps, store }, { dryRun: false })
  expect(await leftOnHost()).toBe('')
  expect(store.uploads.size).toBe(0)
  expect(await guest.run(['cat', '/srv/moment'])).toMatch(/later|before/)
})

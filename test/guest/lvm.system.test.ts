import { lvm } from '../../agent/source/lvm/snapshots.io'
import type { LvmPlan } from '../../agent/source/lvm/plan'
import { parseSourceChoice } from '../../agent/source/choice'
import { removeLeftovers } from '../../agent/source/leftovers.io'
import { planSnapshots } from '../../agent/source/plan'
import { selectVolumes } from '../../agent/source/select'
import { checkSnapshot, mountSnapshot, recordUpload, surveyHost, takeSnapshots } from '../../agent/source/sources.io'
import type { SnapshotPlan } from '../../agent/source/source'
import { testSourceContract } from '../source/source-contract'
import { memoryStore } from '../support/memory-store'
import { bootGuest, type Guest } from './guest'
import { guestDeps, readMoment } from './guest-host'
import { DISKS_MIB, makeVolumes, MOUNT_POINTS, mountVolumes } from './volumes'
import { snapshotRequestOf } from '../support/snapshot-request'

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

async function plan(): Promise<LvmPlan[]> {
  const survey = await surveyHost(deps, parseSourceChoice(['lvm']))
  const request = snapshotRequestOf({ run: RUN })
  return planSnapshots(survey, selectVolumes(survey).volumes, request) as LvmPlan[]
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

describe('as a source of snapshots, LVM', () => {
  testSourceContract(lvm, { moment: 'taken', apart: true, hasLayout: true }, () => ({
    deps,
    mountPoints: MOUNT_POINTS,
    foreign: '/srv/plain',
    write,
    async obstruct(plan) {
      const { origin, name } = plan as LvmPlan
      await guest.run(['lvcreate', '--virtualsize', '8M', '--thinpool', 'pool', '--name', name, origin.group])
      return async () => {
        await guest.run(['lvremove', '--yes', `${origin.group}/${name}`])
      }
    },
    async destroy(plan) {
      const { origin, name, mountPoint } = plan as LvmPlan
      await guest.run(['umount', '--lazy', mountPoint])
      await guest.run(['lvremove', '--yes', `${origin.group}/${name}`])
    },
    readMoment: (tar, names) => readMoment(guest, tar, names),
    left: leftOnHost,
  }))
})

test('nobody can write to a snapshot while it is mounted', async () => {
  const plans = await plan()
  await using _snapshots = await takeSnapshots(deps, plans)
  await using _mounts = await mountAll(plans)
  for (const { mountPoint } of plans) {
    await expect(guest.run(['touch', `${mountPoint}/x`])).rejects.toThrow(/Read-only file system/)
  }
})

test('takes thick and thin snapshots, of ext4 and xfs', async () => {
  expect(
    (await plan()).map(({ origin, source }) => [origin.mountPoint, origin.filesystem, source.snapshot.type]),
  ).toEqual([
    ['/srv', 'ext4', 'thick'],
    ['/srv/home', 'xfs', 'thick'],
    ['/srv/home/mail', 'ext4', 'thin'],
    ['/srv/plain/db', 'xfs', 'thin'],
  ])
})

test('mounts a snapshot of files that were deleted but open, and of a journal in use', async () => {
  const busy = MOUNT_POINTS.map(
    (m) => `exec 3>${m}/deleted; echo x >&3; rm ${m}/deleted; (while :; do echo $m >${m}/churn; sleep 0.1; done) &`,
  )
  const writer = guest.start(['bash', '-c', `${busy.join('\n')}\nwait`])
  try {
    const begun = MOUNT_POINTS.map((m) => `[ -e ${m}/churn ]`).join(' && ')
    await guest.run(['sh', '-c', `until ${begun}; do sleep 0.1; done`])
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
  expect(await guest.run(['cat', '/srv/moment'])).toMatch(/then|later|before/)
})

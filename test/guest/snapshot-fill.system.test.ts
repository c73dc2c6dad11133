import { setTimeout as sleep } from 'node:timers/promises'
import type { LvmPlan } from '../../agent/source/lvm/plan'
import { parseLvs, LVS } from '../../agent/source/lvm/reports'
import { planSnapshots } from '../../agent/source/plan'
import { parseSourceChoice } from '../../agent/source/choice'
import { selectVolumes } from '../../agent/source/select'
import { checkSnapshot, mountSnapshot, surveyHost, takeSnapshots, watchSnapshots } from '../../agent/source/sources.io'
import { refusalOf } from '../support/refusal'
import { bootGuest, type Guest } from './guest'
import { guestDeps } from './guest-host'
import { DISKS_MIB, makeVolumes } from './volumes'
import { snapshotRequestOf } from '../support/snapshot-request'

jest.setTimeout(180_000)

const MIB = 1024 * 1024

let guest: Guest
let deps: ReturnType<typeof guestDeps>

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: DISKS_MIB })
  await makeVolumes(guest)
})
beforeEach(() => {
  deps = guestDeps(guest)
})
afterAll(() => guest.stop())

/** Snapshots of the thick volumes, /srv and /srv/home. */
async function planThick(sizeMiB: number): Promise<[LvmPlan, LvmPlan]> {
  const survey = await surveyHost(deps)
  const { volumes } = selectVolumes(survey, { volumes: ['/srv', '/srv/home'] })
  const size = { kind: 'bytes', sizeBytes: sizeMiB * MIB } as const
  return planSnapshots(survey, volumes, snapshotRequestOf({ size })) as [LvmPlan, LvmPlan]
}

/** Overwrites that much of a volume, down to the disk. */
async function change(mountPoint: string, sizeMiB: number): Promise<void> {
  const where = [`of=${mountPoint}/${sizeMiB}M`, 'oflag=direct', 'conv=fsync', 'status=none']
  await guest.run(['dd', 'if=/dev/urandom', 'bs=1M', `count=${sizeMiB}`, ...where])
}

async function until(happened: () => boolean): Promise<void> {
  for (let tries = 0; !happened(); tries++) {
    if (tries === 600) throw new Error('it did not happen within 60 s')
    await sleep(100)
  }
}

test('a snapshot that overflows is that volume’s failure alone', async () => {
  const [srv, home] = await planThick(8)
  await using _snapshots = await takeSnapshots(deps, [srv, home])
  await using _srv = await mountSnapshot(deps, srv)
  await using _home = await mountSnapshot(deps, home)
  const overflowed: string[] = []
  await using _watch = watchSnapshots(deps, [srv, home], ({ origin }, { code, hint }) =>
    overflowed.push(`${origin.mountPoint} ${code} ${hint}`),
  )
  await change('/srv', 40)
  await until(() => overflowed.length > 0)
  expect(overflowed).toEqual([expect.stringMatching(/^\/srv SNAPSHOT_INVALID Give it more room with --snapshot-size/)])
  expect(await refusalOf(checkSnapshot(deps, srv))).toMatchObject({
    code: 'SNAPSHOT_INVALID',
    message: expect.stringContaining('the snapshot of /srv is no longer valid: the snapshot overflowed') as string,
  })
  await checkSnapshot(deps, home)
  await guest.run(['rm', '/srv/40M'])
})

test('a snapshot that fills slowly enough is extended in time', async () => {
  const [srv] = await planThick(40)
  await using _snapshots = await takeSnapshots(deps, [srv])
  await using _mount = await mountSnapshot(deps, srv)
  const overflow = jest.fn()
  await using _watch = watchSnapshots(deps, [srv], overflow)
  const extended = () => deps.logged.filter((line) => line.includes('extended the snapshot of /srv')).length
  await change('/srv', 29)
  await until(() => extended() === 1)
  await change('/srv', 16) // would not have fitted
  await checkSnapshot(deps, srv)
  expect(overflow).not.toHaveBeenCalled()
  const logicalVolumes = parseLvs(await deps.host.run(LVS, deps.signal))
  expect(logicalVolumes.find(({ name }) => name === srv.name)?.sizeBytes).toBeGreaterThan(40 * MIB)
})

test('a full volume group is refused before anything is touched', async () => {
  await guest.run(['lvcreate', '--extents', '100%FREE', '--name', 'filler', 'vg0'])
  const before = await guest.run(['lvs'])
  expect(await refusalOf(planThick(8))).toMatchObject({
    code: 'SNAPSHOT_SPACE',
    message: 'volume group vg0 has 0 B for snapshots, they need at least 16 MiB: /srv 8 MiB, /srv/home 8 MiB',
  })
  expect(await guest.run(['lvs'])).toBe(before)
  await guest.run(['lvremove', '--yes', 'vg0/filler'])
})

test('a thin pool nearly full is refused, until space is given back to it', async () => {
  const plan = async () => {
    const survey = await surveyHost(deps, parseSourceChoice(['lvm']))
    return planSnapshots(survey, selectVolumes(survey).volumes, snapshotRequestOf({ run: 'run' }))
  }
  await change('/srv/plain/db', 80)
  expect(await refusalOf(plan())).toMatchObject({
    code: 'SNAPSHOT_SPACE',
    message: expect.stringMatching(
      /^thin pool vg1\/pool has no room for snapshots: its data is 9\d\.\d+% full/,
    ) as string,
    hint: expect.stringContaining('--exclude-volumes /srv/home/mail,/srv/plain/db') as string,
  })
  await guest.run(['sh', '-euc', 'rm /srv/plain/db/80M; sync; fstrim /srv/plain/db'])
  expect(await plan()).toHaveLength(4)
})

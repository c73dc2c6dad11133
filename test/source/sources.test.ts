import { lvremove } from '../../agent/source/lvm/plan'
import type { SourceKind } from '../../agent/source/record'
import {
  checkSnapshot,
  mountSnapshot,
  planWaves,
  readLayouts,
  recordUpload,
  sourceOf,
  SOURCES,
  surveyHost,
  takeSnapshots,
  watchSnapshots,
} from '../../agent/source/sources.io'
import { lvm } from '../../agent/source/lvm/snapshots.io'
import { fakeHost, notInstalled, type Answers } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { lvRow, lvsReport, vgsReport } from '../support/lvm-report'
import { planAll, storage } from '../support/storage'

const [first, second] = planAll(
  storage({ logicalVolumes: [{}, {}], mounts: [{ of: 0 }, { of: 1, target: '/home' }] }),
) as [ReturnType<typeof planAll>[number], ReturnType<typeof planAll>[number]]
const plans = [first, second]
const NO_MOUNTS = JSON.stringify({ filesystems: [] })
const unknown = { ...first, origin: { ...first.origin, kind: 'zfs' as SourceKind } }

function depsWith(answers: Answers) {
  return { ...localDeps(), host: fakeHost(answers) }
}

test('what no source knows is no host’s fault, and nothing is run for it', async () => {
  const deps = depsWith({})
  expect(() => sourceOf({ kind: 'zfs' as SourceKind })).toThrow(new RangeError("there is no source 'zfs'"))
  expect(() => watchSnapshots(deps, [unknown], () => undefined)).toThrow(RangeError)
  const upload = { key: 'data/x', uploadId: '1' }
  for (const attempt of [
    takeSnapshots(deps, [unknown]),
    mountSnapshot(deps, unknown),
    checkSnapshot(deps, unknown),
    recordUpload(deps, unknown, upload),
    readLayouts(deps, [unknown.origin]),
  ]) {
    await expect(attempt).rejects.toThrow(RangeError)
  }
  expect(deps.host.ran).toEqual([])
})

test('a snapshot that has done its service is removed before the others, and only once', async () => {
  const deps = depsWith({ lvcreate: '', lvremove: '' })
  const removed = () => deps.host.ran.filter((line) => line.startsWith('lvremove'))
  const removalOf = ({ name }: { readonly name: string }) => lvremove('vg', name).join(' ')
  {
    await using taken = await takeSnapshots(deps, plans)
    await taken.release(first)
    await taken.release(first)
    expect(removed()).toEqual([removalOf(first)])
  }
  expect(removed()).toEqual([removalOf(first), removalOf(second)])
})

test('the watch tells of a snapshot that overflowed, and not of one that it was told to forget', async () => {
  const full = (name: string, origin: string) => lvRow(name, { origin, data_percent: '100.00', lv_tags: 'snapstream' })
  const deps = depsWith({
    lvs: lvsReport(lvRow('lv0'), lvRow('lv1'), full(first.name, 'lv0'), full(second.name, 'lv1')),
    vgs: vgsReport(0),
    findmnt: NO_MOUNTS,
  })
  const faults: string[] = []
  const told = Promise.withResolvers<undefined>()
  {
    await using watch = watchSnapshots(deps, plans, ({ origin }, { code }) => {
      faults.push(`${origin.mountPoint} ${code}`)
      told.resolve(undefined)
    })
    watch.forget(first) // which would come first
    await told.promise
  }
  expect(faults).toEqual([`${second.origin.mountPoint} SNAPSHOT_INVALID`])
})

test('a host of no volumes has no layout, and no source is asked for one', async () => {
  const deps = depsWith({})
  expect(await readLayouts(deps, [])).toEqual({ layouts: {}, devices: [] })
  expect(deps.host.ran).toEqual([])
})

test('each source looks at the host, and finds its own', async () => {
  const deps = depsWith({
    lvs: lvsReport(lvRow('lv0')),
    vgs: vgsReport(),
    findmnt: NO_MOUNTS,
    lsblk: JSON.stringify({ blockdevices: [] }),
    df: '',
  })
  const { surveys, filesystems } = await surveyHost(deps)
  expect(surveys.map(({ kind }) => kind)).toEqual(SOURCES.map(({ kind }) => kind))
  expect(filesystems.mounts).toEqual([])
})

test('a host without the tools of LVM, as most are, has no logical volume and no leftover on one', async () => {
  const deps = depsWith({
    ...{ lvs: notInstalled('lvs'), findmnt: NO_MOUNTS, df: '' },
    lsblk: JSON.stringify({ blockdevices: [] }),
  })
  const { surveys } = await surveyHost(deps)
  expect(surveys.map(({ kind }) => kind)).toEqual(SOURCES.map(({ kind }) => kind))
  expect(await lvm.findLeftovers(deps)).toEqual([])
})

test('all snapshots that LVM holds are read in one wave', () => {
  expect(planWaves(plans)).toEqual([plans])
  expect(planWaves([])).toEqual([])
})

import { planLvm } from '../../../agent/source/lvm/rebuild'
import type { LvmLayout } from '../../../agent/source/lvm/record'
import { refusal } from '../../support/refusal'

const MIB = 1024 * 1024

type Row = Readonly<Record<string, string>>

const volumeRow = (name: string, sizeMiB: number, changes: Row = {}): Row => ({
  ...{ vg_name: 'vg', lv_name: name, lv_dm_path: `/dev/mapper/vg-${name}`, lv_size: String(sizeMiB * MIB) },
  ...{ lv_layout: 'linear', lv_tags: '', origin: '', pool_lv: '', ...changes },
})
const poolRow = (name: string, metadataMiB: number): Row => ({
  ...{ vg_name: 'vg', lv_name: name, lv_metadata_size: String(metadataMiB * MIB) },
  ...{ chunk_size: '65536', zero: 'zero', discards: 'passdown' },
})

/** Group `vg` on /dev/sdb and /dev/sdc. */
function layoutOf(volumes: readonly Row[], pools: readonly Row[] = [], disks = ['/dev/sdb', '/dev/sdc']): LvmLayout {
  const report = (kind: string, rows: readonly Row[]) => ({ report: [{ [kind]: rows }] })
  return {
    lvs: report('lv', volumes),
    vgs: report('vg', [{ vg_name: 'vg', vg_extent_size: String(4 * MIB) }]),
    pvs: report(
      'pv',
      disks.map((disk) => ({ pv_name: disk, vg_name: 'vg', pv_size: String(1024 * MIB) })),
    ),
    thinPools: report('lv', pools),
    groupConfigurations: {},
  }
}

const commandsOf = (layout: LvmLayout, disks: Parameters<typeof planLvm>[1] = []) =>
  planLvm(layout, disks).steps.map(({ argv }) => argv.join(' '))

test('disks come before their group, pools before what is in them', () => {
  const volumes = [
    volumeRow('thin', 100, { lv_layout: 'thin,sparse', pool_lv: 'pool', lv_tags: 'mine,snapstream.skip' }),
    volumeRow('home', 8),
    volumeRow('pool', 40, { lv_layout: 'thin,pool' }),
  ]
  expect(commandsOf(layoutOf(volumes, [poolRow('pool', 4)]))).toEqual([
    'pvcreate /dev/sdb',
    'pvcreate /dev/sdc',
    'vgcreate --physicalextentsize 4194304b vg /dev/sdb /dev/sdc',
    'lvcreate --type thin-pool --size 41943040b --poolmetadatasize 4194304b --chunksize 65536b --zero y ' +
      '--discards passdown --yes --name pool vg',
    'lvcreate --type thin --thinpool pool --virtualsize 104857600b --yes --name thin --addtag mine ' +
      '--addtag snapstream.skip vg',
    'lvcreate --wipesignatures y --size 8388608b --yes --name home vg',
  ])
})

test('filesystems are made on volumes, by either of their names, and on no pool', () => {
  const volumes = [volumeRow('home', 8), volumeRow('pool', 40, { lv_layout: 'thin,pool' })]
  expect(planLvm(layoutOf(volumes), []).devices).toEqual([
    { device: '/dev/mapper/vg-home', former: '/dev/mapper/vg-home', aliases: ['/dev/vg/home'] },
  ])
})

test('what becomes otherwise than it was is said', () => {
  const volumes = [
    volumeRow('home', 8),
    volumeRow('fast', 8, { lv_layout: 'raid,raid1' }),
    volumeRow('cache', 8, { lv_layout: 'cache,pool' }),
  ]
  const layout = layoutOf(volumes)
  expect(planLvm(layout, []).notes).toEqual([
    'vg/fast was raid,raid1; here it becomes linear.',
    'vg/cache, a cache pool, is not made.',
  ])
  expect(commandsOf(layout).filter((command) => command.includes('cache'))).toEqual([])
})

test('a list of the devices that LVM may take is said to have the old ones', () => {
  const layout = { ...layoutOf([volumeRow('home', 8)]), hasDevicesFile: true }
  expect(planLvm(layout, []).notes).toEqual([expect.stringContaining('"vgimportdevices --all"')])
})

describe('disks', () => {
  const layout = layoutOf([volumeRow('home', 8)])

  test('that are replaced by one make one', () => {
    const plan = planLvm(layout, [['/dev/sdb', '/dev/nvme1n1'], ['/dev/sdc', '/dev/nvme1n1']]) // prettier-ignore
    expect([plan.disks, plan.formerDisks]).toEqual([['/dev/nvme1n1'], ['/dev/sdb', '/dev/sdc']])
    expect(plan.steps.map(({ argv }) => argv.join(' ')).slice(0, 2)).toEqual([
      'pvcreate /dev/nvme1n1',
      'vgcreate --physicalextentsize 4194304b vg /dev/nvme1n1',
    ])
  })

  test('that are not named keep their names', () => {
    expect(planLvm(layout, [['/dev/sdc', '/dev/sdx']]).disks).toEqual(['/dev/sdb', '/dev/sdx'])
  })

  test.each<[string, Parameters<typeof planLvm>[1], string]>([
    ['the host did not have', [['/dev/sdz', '/dev/sda']], 'the host had no physical volume /dev/sdz'],
    [
      'are given twice',
      [
        ['/dev/sdb', '/dev/sda'],
        ['/dev/sdb', '/dev/sdx'],
      ],
      '--disk /dev/sdb=… is given twice',
    ],
  ])('that %s are refused, with those that there were', (_, given, message) => {
    expect(refusal(() => planLvm(layout, given))).toMatchObject({
      ...{ code: 'USAGE', message },
      hint: expect.stringContaining('/dev/sdb, /dev/sdc.') as string,
    })
  })
})

describe('the room on new disks', () => {
  // 40 MiB, two metadata of 4 and 8 MiB, and a spare of 8: 60 MiB, or 15 extents.
  const volumes = [
    volumeRow('pool', 20, { lv_layout: 'thin,pool' }),
    volumeRow('pool2', 20, { lv_layout: 'thin,pool' }),
    volumeRow('thin', 5000, { lv_layout: 'thin,sparse', pool_lv: 'pool' }),
  ]
  const layout = layoutOf(volumes, [poolRow('pool', 4), poolRow('pool2', 8)])
  const notesOn = (...sizesMiB: number[]) =>
    planLvm(layout, []).notesOnSizes(
      new Map(sizesMiB.map((size, index) => [['/dev/sdb', '/dev/sdc'][index]!, size * MIB])),
    )

  test.each<[string, number[]]>([
    ['is enough to the last extent', [41, 21]],
    ['is not known of a disk that is not here', [1]],
  ])('%s', (_, sizesMiB) => {
    expect(notesOn(...sizesMiB)).toEqual([])
  })

  test('is too little where what LVM keeps at the start of each disk is missing', () => {
    expect(notesOn(40, 21)).toEqual([
      'TOO SMALL: /dev/sdb and /dev/sdc of this machine have 56 MiB for vg, which needs 60 MiB.',
    ])
  })
})

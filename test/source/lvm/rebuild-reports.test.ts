import { readRebuildReports } from '../../../agent/source/lvm/rebuild-reports'
import type { LvmLayout } from '../../../agent/source/lvm/record'
import { refusal } from '../../support/refusal'
import { captured } from '../../support/storage'

type Row = Readonly<Record<string, unknown>>

const volume: Row = {
  ...{ vg_name: 'vg', lv_name: 'home', lv_dm_path: '/dev/mapper/vg-home', lv_size: '4194304' },
  ...{ lv_layout: 'linear', lv_tags: '', origin: '', pool_lv: '' },
}
const pool: Row = {
  ...{ vg_name: 'vg', lv_name: 'pool', lv_metadata_size: '8388608', chunk_size: '131072' },
  ...{ zero: 'zero', discards: 'passdown' },
}
const group: Row = { vg_name: 'vg', vg_extent_size: '4194304' }
const disk: Row = { pv_name: '/dev/sdb', vg_name: 'vg', pv_size: '8388608' }

/** A manifest's reports of one volume, with what is changed of the rows. */
function layoutOf(changes: Partial<Record<'lvs' | 'vgs' | 'pvs' | 'thinPools', readonly Row[]>> = {}): LvmLayout {
  const report = (kind: string, rows: readonly Row[]) => ({ report: [{ [kind]: rows }] })
  const { lvs = [volume], vgs = [group], pvs = [disk], thinPools } = changes
  return {
    ...{ lvs: report('lv', lvs), vgs: report('vg', vgs), pvs: report('pv', pvs), groupConfigurations: {} },
    ...(thinPools && { thinPools: report('lv', thinPools) }),
  }
}

test('what LVM printed on a host is understood, with the groups and disks of its volumes', () => {
  const report = (command: 'lvs' | 'vgs' | 'pvs'): unknown => JSON.parse(captured(command))
  const { logicalVolumes, volumeGroups, physicalVolumes, pools } = readRebuildReports({
    ...{ lvs: report('lvs'), vgs: report('vgs'), pvs: report('pvs'), groupConfigurations: {} },
  })
  expect(logicalVolumes.map(({ lv_dm_path: device }) => device)).toContain('/dev/mapper/vg1-db--1')
  expect(volumeGroups.map(({ vg_name: name }) => name)).toEqual(['vg0', 'vg1'])
  expect(physicalVolumes.map(({ pv_name: name }) => name)).toEqual(['/dev/ubdb', '/dev/ubdc', '/dev/ubdd'])
  expect(pools).toEqual([]) // such runs were made before they were recorded
})

test('numbers are numbers, and lists are lists', () => {
  const row = {
    ...volume,
    lv_layout: 'thin,sparse',
    lv_tags: 'snapstream.skip,mine',
    pool_lv: 'pool',
    origin: '[hidden]',
  }
  expect(readRebuildReports(layoutOf({ lvs: [row], thinPools: [pool] }))).toMatchObject({
    logicalVolumes: [
      { lv_size: 4_194_304, lv_layout: ['thin', 'sparse'], lv_tags: ['snapstream.skip', 'mine'], pool_lv: 'pool' },
    ],
    pools: [{ lv_metadata_size: 8_388_608, chunk_size: 131_072 }],
    volumeGroups: [{ vg_extent_size: 4_194_304 }],
    physicalVolumes: [{ pv_size: 8_388_608 }],
  })
})

test('snapshots are not made again, nor groups that have nothing else', () => {
  const snapshot = { ...volume, vg_name: 'other', lv_name: 'old', origin: 'home' }
  const reports = readRebuildReports(
    layoutOf({
      lvs: [volume, snapshot],
      vgs: [group, { ...group, vg_name: 'other' }],
      pvs: [disk, { ...disk, pv_name: '/dev/sdc', vg_name: 'other' }, { ...disk, pv_name: '/dev/sdd', vg_name: '' }],
    }),
  )
  expect(reports.logicalVolumes.map(({ lv_name: name }) => name)).toEqual(['home'])
  expect(reports.volumeGroups).toHaveLength(1)
  expect(reports.physicalVolumes.map(({ pv_name: name }) => name)).toEqual(['/dev/sdb'])
})

test('a disk that was missing when the run was made is called as LVM calls it', () => {
  expect(readRebuildReports(layoutOf({ pvs: [{ ...disk, pv_name: '[unknown]' }] })).physicalVolumes).toMatchObject([
    { pv_name: '[unknown]' },
  ])
})

test.each([
  ['snapstream', []],
  ['snapstream.run=x', []],
  ['snapstream.skip', ['snapstream.skip']],
  ['mine,a/b=c:d&e#f!g', ['mine', 'a/b=c:d&e#f!g']],
  ['--config,-x', []],
  ['a b,$(id)', []],
])('of the tags %j, a volume keeps what it may have: %j', (written, kept) => {
  const [row] = readRebuildReports(layoutOf({ lvs: [{ ...volume, lv_tags: written }] })).logicalVolumes
  expect(row?.lv_tags).toEqual(kept)
})

test.each<['lvs' | 'vgs' | 'pvs' | 'thinPools', Row]>([
  ['lvs', { ...volume, lv_name: '--config' }],
  ['lvs', { ...volume, lv_name: '..' }],
  ['lvs', { ...volume, lv_name: 'a b' }],
  ['lvs', { ...volume, lv_dm_path: '/dev/mapper/../../etc/shadow' }],
  ['lvs', { ...volume, lv_dm_path: '/etc/shadow' }],
  ['lvs', { ...volume, lv_dm_path: '/dev//sdb' }],
  ['lvs', { ...volume, lv_size: '4m' }],
  ['lvs', { ...volume, lv_size: '99999999999999999999' }],
  ['lvs', { ...volume, lv_size: 4_194_304 }],
  ['vgs', { ...group, vg_name: '-f' }],
  ['vgs', { ...group, vg_extent_size: '' }],
  ['pvs', { ...disk, pv_name: '--config=x' }],
  ['pvs', { ...disk, pv_name: '/dev/sdb;id' }],
  ['thinPools', { ...pool, discards: 'all' }],
  ['thinPools', { ...pool, chunk_size: '128k' }],
])('a report of %s with %j is not guessed at', (report, row) => {
  expect(refusal(() => readRebuildReports(layoutOf({ [report]: [row] })))).toMatchObject({
    code: 'OUTPUT_UNREADABLE',
    message: `the report of ${report === 'thinPools' ? 'lvs' : report} in the manifest is not understood`,
    hint: expect.stringContaining('vgcfgbackup') as string,
  })
})

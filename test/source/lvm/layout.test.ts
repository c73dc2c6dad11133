import { existsSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { readLayout } from '../../../agent/source/lvm/layout.io'
import { fakeHost, type Answers } from '../../support/fake-host'
import { localDeps } from '../../support/host-deps'
import { lvRow, lvsReport, vgsReport } from '../../support/lvm-report'
import { refusalOf } from '../../support/refusal'
import { planAll, storage } from '../../support/storage'

const host = storage({ logicalVolumes: [{}, {}], mounts: [{ of: 0 }, { of: 1, target: '/home' }] })
const volumes = planAll(host).map(({ origin }) => origin)
const pvs = JSON.stringify({ report: [{ pv: [{ pv_name: '/dev/sdb' }] }] })

function depsWith(answers: Answers) {
  const files: string[] = []
  const vgcfgbackup = ([, , file = '', group]: readonly string[]) => {
    files.push(file)
    writeFileSync(file, `${group} {\n}\n`)
    return ''
  }
  const all = { lvs: lvsReport(lvRow('lv0'), lvRow('lv1')), vgs: vgsReport(), pvs, vgcfgbackup, ...answers }
  return { ...localDeps(), host: fakeHost(all), files }
}

test('a device that is suspended would hang whoever reads it, and one that is inactive is not there: neither is asked', async () => {
  const deps = depsWith({
    lvs: lvsReport(
      lvRow('lv0'),
      lvRow('frozen', { lv_suspended: 'suspended' }),
      lvRow('asleep', { lv_kernel_major: '-1', lv_kernel_minor: '-1' }),
    ),
  })
  const { devices, layouts } = await readLayout(deps, volumes)
  expect(devices).toEqual(['/dev/mapper/vg-lv0'])
  // A rebuild makes all of them again.
  expect(JSON.stringify(layouts.lvm?.lvs)).toMatch(/frozen.*asleep/)
})

test('the configuration of each group is kept, asked for once, and leaves no file behind', async () => {
  const deps = depsWith({})
  const { layouts } = await readLayout(deps, volumes)
  expect(layouts.lvm).toMatchObject({
    groupConfigurations: { vg: 'vg {\n}\n' },
    vgs: JSON.parse(vgsReport()) as unknown,
    pvs: JSON.parse(pvs) as unknown,
  })
  expect(deps.files.map((file) => basename(file))).toEqual(['vg'])
  expect(deps.files.map((file) => existsSync(dirname(file)))).toEqual([false])
})

test('a report that cannot be understood is refused: nothing could be rebuilt from it', async () => {
  expect(await refusalOf(readLayout(depsWith({ pvs: 'WARNING: no JSON' }), volumes))).toMatchObject({
    code: 'OUTPUT_UNREADABLE',
  })
})

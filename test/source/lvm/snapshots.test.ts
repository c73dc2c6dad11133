/** What LVM is asked to do; that it does it, test/guest/lvm.system.test.ts shows. */
import { formatUploadTag } from '../../../agent/source/lvm/leftovers'
import { lvremove } from '../../../agent/source/lvm/plan'
import { lvm } from '../../../agent/source/lvm/snapshots.io'
import { fakeHost, type Answers } from '../../support/fake-host'
import { localDeps } from '../../support/host-deps'
import { lvRow, lvsReport, vgsReport } from '../../support/lvm-report'
import { planAll, storage } from '../../support/storage'

const plans = planAll(storage({ logicalVolumes: [{}, {}], mounts: [{ of: 0 }, { of: 1, target: '/home' }] }))
const [first, second] = plans as [(typeof plans)[number], (typeof plans)[number]]
const creation = ({ create }: { readonly create: readonly string[] }) => create.join(' ')
const removal = ({ name }: { readonly name: string }) => lvremove('vg', name).join(' ')
const upload = { key: 'data/daily/db-1/run/vg-lv0.tar.zst', uploadId: '1' }

function depsWith(answers: Answers) {
  return { ...localDeps(), host: fakeHost(answers) }
}

test('snapshots are taken back to back, and nothing comes between them', async () => {
  const deps = depsWith({ lvcreate: '', lvremove: '' })
  {
    await using _taken = await lvm.take(deps, plans)
    expect(deps.host.ran).toEqual([creation(first), creation(second)])
  }
  expect(deps.host.ran.slice(2)).toEqual([removal(second), removal(first)])
})

test('where the second cannot be taken, the first does not stay', async () => {
  const deps = depsWith({
    [creation(first)]: '',
    [creation(second)]: { status: 5, stderr: 'insufficient free space' },
    lvremove: '',
    lvs: lvsReport(),
  })
  await expect(lvm.take(deps, plans)).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
  expect(deps.host.ran).toContain(removal(first))
  expect(deps.host.ran).not.toContain(removal(second))
})

test.each([
  ['12.00', undefined],
  ['100.00', 'SNAPSHOT_INVALID'],
])('a snapshot that is %s %% full when the last byte was read: %s', async (percent, code) => {
  const deps = depsWith({
    lvs: lvsReport(
      lvRow('lv0'),
      lvRow(first.name, { origin: 'lv0', data_percent: percent, lv_kernel_minor: '2', lv_tags: 'snapstream' }),
    ),
    vgs: vgsReport(),
    findmnt: JSON.stringify({
      filesystems: [
        {
          ...{ target: first.mountPoint, source: first.device, fstype: 'ext4', options: 'ro', fsroot: '/' },
          ...{ 'maj:min': '254:2', uuid: null, label: null },
        },
      ],
    }),
  })
  const found = await lvm.check(deps, first).catch((error: unknown) => error)
  expect((found as { code?: string } | undefined)?.code).toBe(code)
})

test('a snapshot remembers its upload for whoever finds it after the run was killed', async () => {
  const deps = depsWith({ lvchange: '' })
  await lvm.recordUpload(deps, first, upload)
  const tag = formatUploadTag(upload)
  expect(deps.host.ran).toEqual([expect.stringContaining(tag)])

  const tags = `snapstream,${tag}`
  const rows = [
    lvRow('lv0'),
    lvRow(first.name, { origin: 'lv0', lv_tags: tags }),
    lvRow('of-others', { origin: 'lv0' }),
  ]
  const later = depsWith({ lvs: lvsReport(...rows), vgs: vgsReport(), lvremove: '' })
  const found = await lvm.findLeftovers(later)
  expect(found).toMatchObject([{ name: `vg/${first.name}`, uploads: [upload] }])
  await lvm.removeLeftover(later, found[0]!)
  expect(later.host.ran.at(-1)).toBe(removal(first))
})

import { lvm } from '../../../agent/source/lvm/snapshots.io'
import { removeSnapshot } from '../../../agent/source/lvm/teardown.io'
import { lvremove } from '../../../agent/source/lvm/plan'
import { fakeHost, type Answers } from '../../support/fake-host'
import { localDeps } from '../../support/host-deps'
import { lvRow, lvsReport } from '../../support/lvm-report'
import { refusalOf } from '../../support/refusal'
import { planAll, storage } from '../../support/storage'

const host = storage({ logicalVolumes: [{}], mounts: [{ of: 0 }] })
const [plan] = planAll(host)
const { name } = plan!
const snapshot = { group: 'vg', snapshot: name }
const removal = lvremove('vg', name).join(' ')
/** At once, so that nobody waits for what will not come. */
const hanging = { status: null, hangs: true } as const

function depsWith(answers: Answers) {
  return { ...localDeps(), host: fakeHost(answers) }
}

test('what this run made is removed by its name, whatever a report makes of its tags', async () => {
  const deps = depsWith({
    lvcreate: '',
    lvremove: '',
    lvs: lvsReport(lvRow(name, { lv_tags: 'snapstream;snapstream.run=x' })),
  })
  {
    await using _taken = await lvm.take(deps, [plan!])
  }
  expect(deps.host.ran).toContain(removal)
})

test('a snapshot of somebody else’s that has the name already is not touched', async () => {
  const deps = depsWith({ lvcreate: { status: 5, stderr: 'already exists' }, lvs: lvsReport(lvRow(name)) })
  expect(await refusalOf(lvm.take(deps, [plan!]))).toMatchObject({ code: 'COMMAND_FAILED' })
  expect(deps.host.ran).not.toContain(removal)
})

test('what a command that failed half-way has made is removed', async () => {
  const deps = depsWith({
    lvcreate: { status: 5, stderr: 'failed to activate' },
    lvremove: '',
    lvs: lvsReport(lvRow(name, { lv_tags: 'snapstream,snapstream.run=x' })),
  })
  expect(await refusalOf(lvm.take(deps, [plan!]))).toMatchObject({ code: 'COMMAND_FAILED' })
  expect(deps.host.ran).toContain(removal)
})

test.each([
  ['is there with other tags', lvsReport(lvRow(name, { lv_tags: 'snapstream;snapstream.run=x' }))],
  ['has a row that is not understood', lvsReport(lvRow(name, { lv_size: '4.00m' }))],
])('a snapshot that cannot be removed and %s is not believed to be gone', async (_, lvs) => {
  expect(await refusalOf(removeSnapshot(depsWith({ lvremove: hanging, lvs }), snapshot))).toMatchObject({
    code: 'CLEANUP_FAILED',
    message: `the snapshot vg/${name} cannot be removed: the command does not end`,
  })
})

test('a snapshot that somebody else has removed meanwhile is gone', async () => {
  const deps = depsWith({ lvremove: { status: 5, stderr: 'Failed to find it' }, lvs: lvsReport() })
  await expect(removeSnapshot(deps, snapshot)).resolves.toBeUndefined()
})

import { planDevices } from '../../agent/source/rebuild'
import type { HostLayouts } from '../../agent/source/record'
import { refusal } from '../support/refusal'
import { captured } from '../support/storage'

const report = (command: 'lvs' | 'vgs' | 'pvs'): unknown => JSON.parse(captured(command))
const lvm: NonNullable<HostLayouts['lvm']> = {
  ...{ lvs: report('lvs'), vgs: report('vgs'), pvs: report('pvs') },
  groupConfigurations: {},
}

test('what was on LVM is made again by LVM, on the disks that are there', () => {
  const layout = planDevices({ lvm }, [['/dev/ubdb', '/dev/nvme1n1']])
  expect(layout.disks).toContain('/dev/nvme1n1')
  expect(layout.formerDisks).toContain('/dev/ubdb')
})

test('a manifest that says nothing of disks leaves the way by hand', () => {
  expect(refusal(() => planDevices({}, []))).toMatchObject({
    code: 'OUTPUT_UNREADABLE',
    hint: expect.stringContaining('"snapstream restore"') as string,
  })
})

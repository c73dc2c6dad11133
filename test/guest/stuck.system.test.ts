/** A host whose LVM is set up in its own way, and one with a device that does not answer any more. */
import { testServers } from '../servers'
import { installAgent, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'
import { DISKS_MIB, makeVolumes } from './volumes'

jest.setTimeout(400_000)

let guest: Guest
let agent: Installation

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: DISKS_MIB })
  await makeVolumes(guest)
  agent = await installAgent(guest, testServers().seaweedfs)
})
afterAll(() => guest.stop())

test('what lvm.conf makes of reports keeps no snapshot, and hides no tag', async () => {
  const settings =
    'report { list_item_separator=";" binary_values_as_numeric=1 compact_output=1 mark_hidden_devices=0 }'
  await guest.run(['sh', '-euc', 'cp /etc/lvm/lvmlocal.conf /root; echo "$1" >>/etc/lvm/lvmlocal.conf', 'sh', settings])
  await guest.run(['lvchange', '--addtag', 'another', 'vg0/scratch'])
  try {
    const { status, summary, stderr } = await agent.run('backup')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(summary).toMatch(/not backed up: \/scratch .*tagged snapstream.skip/)
    expect(await agent.leftovers()).toEqual([])
  } finally {
    await guest.run(['cp', '/root/lvmlocal.conf', '/etc/lvm/lvmlocal.conf'])
  }
})

test('a suspended volume is missing from a run that is good for the others', async () => {
  await guest.run(['dmsetup', 'suspend', 'vg1-mail'])
  const { status, json } = await agent.run('backup')
  await guest.run(['dmsetup', 'resume', 'vg1-mail'])
  expect(status).toBe(3)
  expect(json.failures).toMatchObject([{ mountPoint: '/srv/home/mail', code: 'VOLUME_UNSUPPORTED' }])
  expect(json.volumes).toHaveLength(3)
  expect(await agent.leftovers()).toEqual([])
})

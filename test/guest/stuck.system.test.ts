/** A host whose LVM is set up in its own way, and one with a device that does not answer any more. */
import { setTimeout as wait } from 'node:timers/promises'
import { Prefix } from '../../agent/contract'
import { testServers } from '../servers/index'
import { installAgent, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'
import type { GuestCommand } from './guest-link'
import { DISKS_MIB, makeVolumes } from './volumes'

jest.setTimeout(500_000)

let guest: Guest
let agent: Installation

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: DISKS_MIB })
  await makeVolumes(guest)
  // Does not compress, and is more than is read ahead of a limited bandwidth.
  await guest.run(['dd', 'if=/dev/urandom', 'of=/srv/home/random', 'bs=1M', 'count=160', 'status=none'])
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

/** Starts a backup and, once all the others are stored, lets the snapshot of /srv/home hang, which tar is reading. */
async function startAndHang(others: readonly string[], ...options: readonly string[]) {
  const stored = await agent.keys()
  const volumes = ['--volumes', ['/srv/home', ...others].join()]
  const running = agent.start('backup', ...volumes, '--bandwidth-limit', '2M', '--compression', 'none', ...options)
  const isUnderWay = async () => {
    const catalogs = (await agent.keys()).filter(
      (key) => key.startsWith(`${Prefix.catalogs}/`) && !stored.includes(key),
    )
    return catalogs.length === others.length && (await agent.unfinishedUploads()).some((key) => /vg0-home/.test(key))
  }
  for (let tries = 0; !(await isUnderWay()); tries++) {
    if (tries > 300) throw new Error('the archive is not under way')
    await wait(200)
  }
  // What has been read already would come from memory.
  await guest.run(['sh', '-c', 'echo 3 >/proc/sys/vm/drop_caches'])
  const device = await snapshotOfHome()
  await guest.run(['dmsetup', 'suspend', '--nolockfs', '--noflush', device])
  return { running, device }
}

/** As dmsetup calls it. */
async function snapshotOfHome(): Promise<string> {
  const ofHome = ['-S', 'origin = home && lv_name =~ "^snapstream_"']
  return (await guest.run(['lvs', '--noheadings', '-o', 'lv_dm_path', ...ofHome])).trim().replace('/dev/mapper/', '')
}

async function endOf({ ended }: GuestCommand) {
  const { status, stdout } = await ended
  return { status, json: JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown> }
}

test('the deadline ends a run of which one volume hangs, and what is stuck is told and removed later', async () => {
  const { running, device } = await startAndHang(['/srv'], '--deadline', '75s')
  const snapshot = device.replace('-', '/')
  try {
    const { status, json } = await endOf(running)
    expect(status).toBe(3)
    expect(json).toMatchObject({
      status: 'incomplete',
      volumes: [{ mountPoint: '/srv' }],
      failures: [{ mountPoint: '/srv/home', code: 'INTERRUPTED' }],
    })
    expect(json['leftBehind']).toContainEqual(expect.stringContaining(`the snapshot ${snapshot} cannot be removed`))

    const next = await agent.run('backup', '--volumes', '/srv,/srv/home/mail,/srv/plain/db')
    expect(next.status).toBe(4)
    expect(next.json).toMatchObject({ status: 'complete', volumes: [{}, {}, {}], failures: [] })
    expect(next.summary).toContain(`LEFT BEHIND the snapshot ${snapshot} cannot be removed`)
  } finally {
    await guest.run(['dmsetup', 'resume', device])
  }
  expect(await agent.run('cleanup')).toMatchObject({ status: 0 })
  expect(await agent.leftovers()).toEqual([])
})

test('a signal ends a run that hangs, and the next backup removes what is left', async () => {
  const { running, device } = await startAndHang([])
  try {
    running.kill('SIGTERM')
    const { status, json } = await endOf(running)
    expect(status).toBe(130)
    expect(json).toMatchObject({ error: { code: 'INTERRUPTED' } })
    expect(JSON.stringify(json)).toContain(`the snapshot ${device.replace('-', '/')} cannot be removed`)
  } finally {
    await guest.run(['dmsetup', 'resume', device])
  }
  expect(await agent.run('backup')).toMatchObject({ status: 0 })
  expect(await agent.leftovers()).toEqual([])
})

test('a suspended volume is missing from a run that is good for the others', async () => {
  await guest.run(['dmsetup', 'suspend', 'vg1-mail'])
  const { status, json } = await agent.run('backup')
  await guest.run(['dmsetup', 'resume', 'vg1-mail'])
  expect(status).toBe(3)
  expect(json.failures).toMatchObject([{ mountPoint: '/srv/home/mail', code: 'VOLUME_UNSUPPORTED' }])
  expect(json.volumes).toHaveLength(4)
  expect(await agent.leftovers()).toEqual([])
})

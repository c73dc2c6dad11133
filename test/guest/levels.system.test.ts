/** Nights of a real host with `--level`: what is archived of each volume, by what is on its disk. */
import { setTimeout as wait } from 'node:timers/promises'
import { manifestKey, type RunKey } from '../../agent/contract'
import type { Manifest } from '../../agent/run/manifest'
import { parseManifest } from '../../agent/run/parse-manifest'
import { testServers } from '../servers/index'
import { installAgent, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'
import { DISKS_MIB, makeVolumes, MOUNT_POINTS, PLAIN } from './volumes'

jest.setTimeout(180_000)

let guest: Guest
let agent: Installation

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: DISKS_MIB })
  await makeVolumes(guest)
  for (const mountPoint of MOUNT_POINTS) {
    await guest.run(['dd', 'if=/dev/urandom', `of=${mountPoint}/large`, 'bs=1M', 'count=4', 'status=none'])
  }
  agent = await installAgent(guest, testServers().seaweedfs)
  await wait(3000) // what was changed just before a snapshot is in doubt, and counts as changed
})
afterAll(() => guest.stop())
afterEach(async () => expect(await agent.leftovers()).toEqual([]))

const manifestOf = async (json: RunKey): Promise<Manifest> => {
  const place: RunKey = { class: json.class, host: json.host, run: json.run }
  return parseManifest((await agent.read(manifestKey(place))).toString(), place)
}
const auto = (...options: readonly string[]) => agent.run('backup', '--level', 'auto', ...options)

test('the first night is full, the next one has what has changed, and says what it saved', async () => {
  const first = await auto()
  expect(first).toMatchObject({ status: 0, stderr: '' })
  for (const mountPoint of MOUNT_POINTS) {
    expect(first.summary).toContain(`FULL ${mountPoint}: there is no index of a full archive yet`)
  }
  expect(first.summary).toContain(`FULL ${PLAIN}: it is read in place`)

  const foreseen = await auto('--dry-run')
  expect(foreseen.summary).toContain(`what has changed since ${first.json.run}`)

  await guest.run(['sh', '-c', 'echo tonight > /srv/home/tonight'])
  const second = await auto()
  expect(second).toMatchObject({ status: 0, stderr: '' })
  expect(second.summary).toContain(`stored what has changed since ${first.json.run}: `)
  const { format, volumes } = await manifestOf(second.json)
  expect(format).toBe(3)
  for (const { mountPoint, level, base, archive, fullBecause } of volumes) {
    if (mountPoint === PLAIN) expect(level).toBe('full')
    else {
      expect([mountPoint, level, fullBecause]).toEqual([mountPoint, 'differential', undefined])
      expect(base!.run).toBe(first.json.run)
      expect(archive.storedBytes).toBeLessThan(base!.archive.storedBytes / 10)
    }
  }
})

test('an index that is gone makes a full archive of its volume, and of no other', async () => {
  await guest.run(['rm', '/var/lib/snapstream/index/daily/vg0-home.index'])
  const { status, summary, json } = await auto()
  expect(status).toBe(0)
  expect(summary).toContain('FULL /srv/home: there is no index of a full archive yet')
  const { volumes } = await manifestOf(json)
  const full = volumes.filter(({ level }) => level === 'full').map(({ mountPoint }) => mountPoint)
  expect(full.sort()).toEqual(['/srv/home', PLAIN].sort())
})

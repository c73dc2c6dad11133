/** Freezing on a host with a real systemd, which is what ends it where we cannot. */
import { setTimeout as sleep } from 'node:timers/promises'
import { findPendingThaws, freeze, thawPending } from '../../agent/host/freeze.io'
import { refusalOf } from '../support/refusal'
import { bootGuest, type Guest } from './guest'
import { guestDeps } from './guest-host'

jest.setTimeout(180_000)

let guest: Guest
let deps: ReturnType<typeof guestDeps>

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: [64, 320], systemd: true })
  await guest.run(['sh', '-euc', MAKE, 'sh', ...guest.disks])
  deps = guestDeps(guest)
})
afterAll(() => guest.stop())
afterEach(async () => {
  for (const mountPoint of ['/srv', '/srv/db'])
    await guest.run(['touch', `${mountPoint}/moment`], { timeoutSeconds: 5 })
  const timers = await guest.run(['systemctl', 'list-units', '--all', '--plain', '--no-legend', 'snapstream-*'])
  expect(timers).toBe('')
})

const MAKE = `
mkfs.ext4 -q "$1"
mkfs.xfs -q "$2"
mount --mkdir "$1" /srv
mount --mkdir "$2" /srv/db
`

/** Whether a writer gets through at once. */
async function isFrozen(mountPoint: string): Promise<boolean> {
  const writer = guest.start(['touch', `${mountPoint}/moment`])
  const wrote = writer.ended.then(() => false)
  return Promise.race([wrote, sleep(1500, true, { ref: false })])
}

test('ext4 and xfs are held still, one in another, until they are thawed', async () => {
  const frozen = await freeze(deps, ['/srv', '/srv/db'], 60)
  expect([await isFrozen('/srv'), await isFrozen('/srv/db')]).toEqual([true, true])
  expect(await findPendingThaws(deps)).toEqual([
    expect.objectContaining({ mountPoint: expect.stringContaining('/srv') as string }),
    expect.objectContaining({ mountPoint: expect.stringContaining('/srv') as string }),
  ])
  expect(await frozen.thaw()).toBe(true)
  expect([await isFrozen('/srv'), await isFrozen('/srv/db')]).toEqual([false, false])
})

test('a freeze ends at its deadline although whoever began it is gone, and a writer that cannot be killed waits for it', async () => {
  const begun = performance.now()
  await freeze(deps, ['/srv', '/srv/db'], 6) // nobody thaws, as nobody does where the agent was killed
  const writer = guest.start(['touch', '/srv/moment'])
  await sleep(500)
  writer.kill('SIGKILL')
  expect(await Promise.race([writer.ended, sleep(1500, 'still there', { ref: false })])).toBe('still there')
  await writer.ended
  expect(performance.now() - begun).toBeGreaterThan(5000)
  expect(await isFrozen('/srv/db')).toBe(false)
  // Their timers would thaw once more, in case the freezing had taken that long.
  const pending = await findPendingThaws(deps)
  expect(pending).toHaveLength(2)
  for (const one of pending) await thawPending(deps, one)
})

test('a reading that took longer than the freeze is told, and the second thaw is over with it', async () => {
  const frozen = await freeze(deps, ['/srv'], 2)
  await sleep(3500)
  expect(await isFrozen('/srv')).toBe(false)
  expect(await frozen.thaw()).toBe(false)
})

test('what a killed run left frozen is thawed by the next one, before its deadline', async () => {
  await freeze(deps, ['/srv'], 120)
  const pending = await findPendingThaws(deps)
  expect(pending).toEqual([expect.objectContaining({ mountPoint: '/srv' })])
  for (const one of pending) await thawPending(deps, one)
  expect(await isFrozen('/srv')).toBe(false)
})

test('what somebody else has frozen is theirs', async () => {
  await guest.run(['fsfreeze', '--freeze', '/srv'])
  expect(await refusalOf(freeze(deps, ['/srv', '/srv/db'], 30))).toMatchObject({
    code: 'FREEZE_UNAVAILABLE',
    message: expect.stringContaining('Device or resource busy') as string,
  })
  expect([await isFrozen('/srv'), await isFrozen('/srv/db')]).toEqual([true, false])
  await guest.run(['fsfreeze', '--unfreeze', '/srv'])
})

test('the root is never frozen', async () => {
  expect(await refusalOf(freeze(deps, ['/'], 5))).toMatchObject({ code: 'FREEZE_UNAVAILABLE' })
})

/** What cannot be taken back is said twice. */
import { forget } from '../../../fleet/command/forget.io'
import { aFleet, aHistory, anInstance, arnOf, DAY, nights, NOW } from '../../support/fleet'
import { described, fleetDeps, fleetRequestOf } from '../../support/fleet-commands'
import { memoryStore } from '../../support/memory-store'
import { memoryVault, type MemoryVault } from '../../support/memory-vault'
import { observed } from '../../support/observation'
import { refusalOf } from '../../support/refusal'

const GONE = arnOf('i-0aaaaaaaaaaaaaaa1')
const tagged = anInstance('i-0bbbbbbbbbbbbbbb2', { name: 'shop' })
const listed = { host: 'mail.example.net', expectedBy: ['list' as const], classes: ['daily'] }
const fleet = aFleet([tagged, listed], [aHistory(GONE, nights(3, NOW - 50 * DAY))])

let vault: MemoryVault
beforeEach(() => {
  vault = memoryVault()
})

const act = (...argv: string[]) =>
  described(
    'forget',
    forget(
      fleetDeps(memoryStore(), {
        observe: async () => observed(fleet),
        openVault: async () => ({ vault, region: 'eu-west-1' }),
      }),
      fleetRequestOf('forget', argv),
    ),
  )

test('said once, nothing is done, and what it would mean is told', async () => {
  expect(await refusalOf(act('i-0aaaaaaaaaaaaaaa1'))).toEqual({
    code: 'USAGE',
    message:
      'forgetting i-0aaaaaaaaaaaaaaa1 lets the last of its 48 GiB of backups expire, and takes it off every list',
    hint: 'If that is meant, say it twice: snapstream-fleet forget i-0aaaaaaaaaaaaaaa1 --confirm i-0aaaaaaaaaaaaaaa1',
  })
  expect(vault.written).toEqual([])
})

test('a host that was given by a name of two words is to be named by what a shell leaves whole', async () => {
  const named = aFleet([{ ...anInstance('i-0ccccccccccccccc3', { name: 'old shop' }), expectedBy: ['managed'] }], [])
  const deps = fleetDeps(memoryStore(), { observe: async () => observed(named) })
  const { hint } = await refusalOf(forget(deps, fleetRequestOf('forget', ['old shop'])))
  expect(hint).toContain('forget i-0ccccccccccccccc3 --confirm i-0ccccccccccccccc3')
})

test('said twice of different hosts, neither is meant', async () => {
  await refusalOf(act('i-0aaaaaaaaaaaaaaa1', '--confirm', 'shop'))
  expect(vault.written).toEqual([])
})

test('said twice, the decision is recorded, and no backup is touched', async () => {
  const { status, summary, json } = await act('i-0aaaaaaaaaaaaaaa1', '--confirm', GONE)
  expect([status, json]).toMatchObject([0, { host: GONE }])
  expect(summary).toContain("is forgotten from the auditor's next pass on")
  expect(vault.written).toEqual([expect.stringMatching(/^fleet\/forgotten\//)])
})

test.each([
  ['shop', 'it bears the tag of a schedule'],
  ['mail.example.net', 'the configuration of the deployment names it'],
])('%s is to have backups still: forgetting it would not hold', async (name, why) => {
  expect((await refusalOf(act(name, '--confirm', name))).message).toContain(why)
  expect(vault.written).toEqual([])
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentError } from '../../../agent/errors'
import { formatMoney } from '../../../fleet/command/cost'
import { cost } from '../../../fleet/command/cost.io'
import type { CommandDeps } from '../../../fleet/command/context'
import { aFleet } from '../../support/fleet'
import { described, fleetDeps, fleetRequestOf } from '../../support/fleet-commands'
import { memoryStore } from '../../support/memory-store'
import { memoryVault } from '../../support/memory-vault'
import { mixedFleet, observed } from '../../support/observation'
import { refusalOf } from '../../support/refusal'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prices-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const look = (argv: string[] = [], more: Partial<CommandDeps> = {}) =>
  described(
    'cost',
    cost(
      fleetDeps(memoryStore(), { observe: async () => observed(mixedFleet), ...more }),
      fleetRequestOf('cost', argv),
    ),
  )

test('the sum, what it is made of, who costs most and what else it could cost, in 80 columns', async () => {
  const { status, summary, json } = await look()
  expect(status).toBe(0)
  const lines = summary.split('\n')
  expect(lines[0]).toBe('$16.22 a month for 705 GiB of 5 hosts')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(lines).toContain('  daily  STANDARD         45  705 GiB   $16.22')
  expect(lines).toContain('       $3.68  shop-db-1 i-0aaaaaaaaaaaaaaa1')
  expect(lines).toContain('  daily  as it is now    $16.22      $0.00')
  expect(lines).toContain('  daily  DEEP_ARCHIVE    $3.60*      $0.16')
  expect(lines.at(-1)).toBe('  * S3 charges for more days than archives are kept for: that is in the sum.')
  expect(json).toMatchObject({ currency: 'USD', hosts: { length: 5 } })
})

test('a fleet without backups costs nothing', async () => {
  expect((await look([], { observe: async () => observed(aFleet([], [])) })).summary).toBe(
    'No host has a backup here: there is nothing to pay for.',
  )
})

test('prices of a file stand in the place of those that are known', async () => {
  const file = join(directory, 'prices.json')
  const prices = {
    region: 'eu-west-1',
    date: 'our contract',
    currency: 'EUR',
    storage: { STANDARD: { perGibMonth: 0.1 } },
  }
  writeFileSync(file, JSON.stringify(prices))
  const { summary } = await look(['--prices', file])
  expect(summary).toMatch(/^EUR 70\.54 a month for 705 GiB of 5 hosts\n {2}prices of eu-west-1, our contract;/)
})

test.each([
  [
    '{"region": "x", "date": "y", "storage": {"STANDARD": {"perGibMonth": -1}}}',
    /has no prices: storage\.STANDARD\.perGibMonth/,
  ],
  ['{', /cannot be read/],
])('a file of prices that is none: %s', async (text, message) => {
  const file = join(directory, 'bad.json')
  writeFileSync(file, text)
  expect(await refusalOf(look(['--prices', file]))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(message),
    hint: expect.stringContaining('docs/fleet.md'),
  })
})

test('who may not read the lifecycle rules is told what is taken for them', async () => {
  const vault = {
    ...memoryVault(),
    readRules: async () => {
      throw new AgentError('ACCESS_DENIED', 'no', { hint: 'Ask.' })
    },
  }
  const { summary } = await look([], { openVault: async () => ({ vault, region: 'eu-west-1' }) })
  expect(summary).toContain('the lifecycle rules of the bucket may not be read')
})

test.each([
  [0, '$0.00'],
  [0.004, '<$0.01'],
  [12.345, '$12.35'],
  [1_234_567.5, '$1,234,567.50'],
])('%d is %s', (amount, text) => {
  expect(formatMoney(amount, 'USD')).toBe(text)
})

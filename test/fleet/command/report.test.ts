import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import '../../support/report-page'
import { report } from '../../../fleet/command/report.io'
import { described, fleetDeps, fleetRequestOf } from '../../support/fleet-commands'
import { memoryStore } from '../../support/memory-store'
import { mixedFleet, observed } from '../../support/observation'
import { refusalOf } from '../../support/refusal'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'report-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const make = (...argv: string[]) =>
  described(
    'report',
    report(fleetDeps(memoryStore(), { observe: async () => observed(mixedFleet) }), fleetRequestOf('report', argv)),
  )

test('a page with all hosts and what they cost, and a table', async () => {
  const [html, csv] = [join(directory, 'fleet.html'), join(directory, 'fleet.csv')]
  const { status, summary, json } = await make('--html', html, '--csv', csv)
  expect(status).toBe(3) // as status would say
  const page = readFileSync(html, 'utf8')
  expect(page).toMatch(/^<!doctype html>/i)
  expect(page).toContain('shop-db-1')
  expect(page).toContain('prices of us-east-1')
  expect(readFileSync(csv, 'utf8').split('\n').length).toBeGreaterThan(6)
  expect(summary).toContain(`${html}: 6 hosts, `)
  expect(json).toMatchObject({ hosts: 6, files: [{ file: html, bytes: Buffer.byteLength(page) }, { file: csv }] })
  expect(readdirSync(directory).sort()).toEqual(['fleet.csv', 'fleet.html'])
})

test('links that somebody has put in its way are not written through', async () => {
  const [html, victim] = [join(directory, 'linked.html'), join(directory, 'victim')]
  writeFileSync(victim, 'mine')
  for (const link of [html, `${html}.part`]) symlinkSync(victim, link)
  await make('--html', html)
  expect(readFileSync(victim, 'utf8')).toBe('mine')
  expect(readFileSync(html, 'utf8')).toContain('shop-db-1')
})

test('without a file there is nothing to do', async () => {
  expect(await refusalOf(make())).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('--html FILE') })
})

test('a place that cannot be written to', async () => {
  const file = join(directory, 'no', 'fleet.html')
  expect(await refusalOf(make('--html', file))).toMatchObject({
    code: 'TARGET_UNFIT',
    message: expect.stringContaining(`${file} cannot be written: ENOENT`),
  })
})

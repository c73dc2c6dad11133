/** Hosts that want the page of the fleet to do harm: whatever they have written is nothing but text. */
import type { Browser } from 'playwright-core'
import { renderReport } from '../../../../fleet/report/render.io'
import type { ReportInput } from '../../../../fleet/report/collect'
import { expectQuiet, openBrowser, openPage } from '../../../support/browser'
import { AT, classView, fleetView, hostView } from '../../../support/fleet-view'
import { FLEET_CONFIG, madeUpFleet } from '../../../support/made-up-fleet'
import '../../../support/report-page'

const now = new Date(AT * 1000)
let browser: Browser

beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

describe('what hosts have written is nothing but text', () => {
  const attacks = [
    '<img src=x onerror=alert(1)>',
    '</script><script>alert(1)</script>',
    '<svg onload=alert(1)>',
    '"><a href="javascript:alert(1)">x</a>',
    "' onfocus='alert(1)' autofocus='",
    '{{constructor.constructor("alert(1)")()}}',
    '<style>*{background:url(http://attacker.example/x)}</style>',
    '<meta http-equiv=refresh content="0;url=http://attacker.example/">',
    '\u202Egnp.exe\u2066\u0000\u001b[31m',
  ]

  test.each(attacks)('%j', async (attack) => {
    await using opened = await openPage(browser, renderReport(hostileFleet(attack)), { now })
    const { page } = opened
    await page.locator('.more').first().click()
    await page.locator('#calendar-table td').last().hover()
    await page.getByLabel('Search', { exact: true }).fill(attack)
    await page.getByRole('button', { name: 'Clear' }).click()
    const text = (await page.locator('main').textContent())!
    expect(text).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u0000\u001b]/)
    if (!attack.includes('\u202E')) expect(text.split(attack).length).toBeGreaterThan(10)
    expect(await page.locator('main :is(img, style, script, iframe, meta, svg[onload], a)').count()).toBe(0)
    expect(await page.title()).toContain('1 host in trouble')
    expectQuiet(opened)
  })

  test('and were it more, the policy of the page would not run it', async () => {
    await using opened = await openPage(
      browser,
      renderReport(madeUpFleet(3)).replace(
        '<div id="page">',
        '<script>alert(1)</script><img src="http://attacker.example/x" onerror="alert(2)"><div id="page">',
      ),
      { now },
    )
    expect(opened.complaints.filter((line) => line.startsWith('dialog'))).toEqual([])
    expect(opened.complaints.join('\n')).toMatch(/Content Security Policy/)
    expect(opened.requests.filter((address) => address.startsWith('http'))).toEqual([])
  })
})

/** One host in whose every text is an attack. */
function hostileFleet(attack: string): ReportInput {
  const failure = { volume: attack, mountPoint: attack, code: attack, message: attack, hint: attack }
  const volume = { volume: attack, mountPoint: attack, filesystem: attack, source: attack }
  const sizes = { entries: 1, rawBytes: 5e9, storedBytes: 2e9, warnings: 0 }
  const drill = {
    class: attack,
    run: attack,
    at: AT,
    ok: false,
    restoreSeconds: 1,
    restoredBytes: 1,
    entries: 1,
    problem: attack,
  }
  const host = hostView({
    ...{ host: attack, name: attack, account: attack, region: attack, reason: attack, advice: attack },
    ...{ state: 'suspicious', drill, leftOut: [{ mountPoint: attack, reason: attack }] },
    classes: [classView({ class: 'daily', reason: attack, lastGoodRun: attack, suspicions: [attack] })],
  })
  const newest = {
    ...{ run: attack, hostname: attack, os: attack, agentVersion: attack },
    ...{ volumes: [{ ...volume, ...sizes }], failures: [failure], notBackedUp: [] },
  }
  const run = {
    run: attack,
    writtenAt: AT,
    state: 'complete',
    verified: 'checksum',
    volumes: 1,
    objects: 1,
    entries: 1,
  } as const
  const runs = [{ ...run, rawBytes: 5e9, storedBytes: 2e9, catalogBytes: 1, seconds: 1 }]
  const histories = new Map([[attack, { host: attack, classes: [{ class: 'daily', runs, newest }] }]])
  const accounts = [{ account: attack, region: attack, problem: attack }]
  const cost = {
    ...{ currency: attack, perMonth: 1, hosts: new Map([[attack, 1]]), notes: [attack] },
    classes: [{ class: attack, storageClass: attack, storedBytes: 1, perMonth: 1, note: attack }],
    whatIf: [{ class: attack, storageClass: attack, perMonth: 1, readBack: 1, note: attack }],
  }
  return { view: fleetView([host], { accounts }), histories, config: FLEET_CONFIG, cost, at: AT }
}

import { createHash } from 'node:crypto'
import { readPageAssets } from '../../../fleet/report/page.io'
import { renderReport } from '../../../fleet/report/render.io'
import type { FleetView } from '../../../fleet/model/records'
import { fleetConfigSchema } from '../../../fleet/model/config'
import { AT, fleetView, hostView } from '../../support/fleet-view'
import '../../support/report-page'

const config = fleetConfigSchema.parse({ classes: [], schedules: [] })
const render = (view: FleetView) => renderReport({ view, histories: new Map(), config, cost: undefined, at: AT })

test('allows its own script and style, and nothing else from anywhere', () => {
  const page = render(fleetView([hostView()]))
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  for (const [kind, tag] of [
    ['script-src', 'script'],
    ['style-src', 'style'],
  ] as const) {
    const text = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page)![1]!
    const hash = createHash('sha256').update(text).digest('base64')
    expect(policy).toContain(`${kind} 'sha256-${hash}'`)
  }
  expect(page).not.toMatch(/(?:src|href)=["']?(?:https?:)?\/\//)
})

test('nothing that a host says ends the element that it is in', () => {
  const hostile = '</script><script>alert(1)</script><!--<script>&lt;\u202E\u2028'
  const page = render(fleetView([hostView({ name: hostile, reason: hostile, advice: hostile })]))
  const data = page.slice(page.indexOf('id="data">') + 'id="data">'.length)
  const json = data.slice(0, data.indexOf('</script>'))
  expect(json).not.toMatch(/[<>&\u202E\u2028]/)
  expect(JSON.stringify(JSON.parse(json))).toContain('</script><script>alert(1)</script>')
  expect(page.match(/<script/g)).toHaveLength(2)
})

test('the title says how many hosts are in trouble, so that a tab does', () => {
  expect(render(fleetView([hostView()]))).toContain('<title>No host needs anybody')
  expect(render(fleetView([hostView({ state: 'stale' }), hostView()]))).toContain('<title>1 host in trouble')
})

test('the icon is green only where no host is in trouble and no account unread', () => {
  const icon = (view: FleetView) => /fill='%23(\w+)'/.exec(render(view))![1]
  const green = icon(fleetView([hostView()]))
  const account = { account: '123456789012', region: 'eu-west-1', problem: 'access denied' }
  expect(icon(fleetView([hostView({ state: 'never' })]))).not.toBe(green)
  expect(icon(fleetView([hostView()], { accounts: [account] }))).not.toBe(green)
})

test('without a script there are still the states and their numbers', () => {
  const page = render(fleetView([hostView({ state: 'stale' }), hostView()]))
  const without = /<noscript>([^]*)<\/noscript>/.exec(page)![1]
  expect(without).toContain('<th scope="row">stale</th><td>1</td>')
})

test('the page comes with a bundle, and says so where there is none', () => {
  const page = process.env['SNAPSTREAM_REPORT_PAGE']
  delete process.env['SNAPSTREAM_REPORT_PAGE']
  expect(() => readPageAssets()).toThrow('comes with the bundle')
  process.env['SNAPSTREAM_REPORT_PAGE'] = page!
})

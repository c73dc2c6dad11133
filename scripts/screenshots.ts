/** Takes the pictures of the fleet's page that docs/ shows, of a fleet that never was: `npm run screenshots`. */
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { renderReport } from '../fleet/report/render.io'
import { openBrowser, openPage } from '../test/support/browser'
import { AT } from '../test/support/fleet-view'
import { madeUpFleet } from '../test/support/made-up-fleet'
import '../test/support/report-page'

interface Picture {
  readonly name: string
  readonly options: BrowserContextOptions
  readonly prepare?: (page: Page) => Promise<unknown>
}

const PICTURES: readonly Picture[] = [
  { name: 'fleet-glance', options: { viewport: { width: 1200, height: 760 } } },
  {
    name: 'fleet-calendar',
    options: { viewport: { width: 1200, height: 700 }, colorScheme: 'dark' },
    prepare: async (page) => {
      await scrollTo(page, '#calendar')
      await page.locator('#calendar-table tbody tr').nth(3).locator('td').nth(31).hover()
    },
  },
  {
    name: 'fleet-phone',
    options: { viewport: { width: 360, height: 720 }, deviceScaleFactor: 1.5 },
    prepare: (page) => scrollTo(page, '#hosts'),
  },
]

async function scrollTo(page: Page, selector: string): Promise<void> {
  await page.evaluate(`document.querySelector('${selector}').scrollIntoView()`)
}

async function main(): Promise<void> {
  const html = renderReport(madeUpFleet(48))
  const browser = await openBrowser()
  for (const { name, options, prepare } of PICTURES) {
    await using opened = await openPage(browser, html, { ...options, now: new Date(AT * 1000) })
    await prepare?.(opened.page)
    const file = resolve(__dirname, `../docs/${name}.png`)
    await opened.page.screenshot({ path: file })
    // Debian's package pngquant: a third of the size, and nobody sees a difference.
    execFileSync('pngquant', ['--force', '--skip-if-larger', '--strip', '--speed', '1', '--output', file, '64', file])
    console.log(file)
  }
  await browser.close()
}

void main()

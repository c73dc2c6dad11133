/** The page as people have it: in Chromium, by mouse, by keyboard, on paper, on a phone. */
import type { Browser, Page } from 'playwright-core'
import { renderReport } from '../../../../fleet/report/render.io'
import { expectQuiet, openBrowser, openPage, type OpenedPage } from '../../../support/browser'
import { AT, fleetView } from '../../../support/fleet-view'
import { FLEET_CONFIG, madeUpFleet } from '../../../support/made-up-fleet'
import '../../../support/report-page'

const now = new Date(AT * 1000)
const small = renderReport(madeUpFleet(48))
let browser: Browser

beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

/** Names in a table, from top to bottom. */
function names(page: Page, table = 'hosts-table'): Promise<string[]> {
  return page.locator(`#${table} > tbody > tr:not(.opened) > th bdi:not(.id)`).allTextContents()
}

describe('a fleet of 48', () => {
  let opened: OpenedPage
  let page: Page
  beforeEach(async () => {
    opened = await openPage(browser, small, { viewport: { width: 1280, height: 900 }, now })
    page = opened.page
  })
  afterEach(async () => {
    expectQuiet(opened)
    await opened[Symbol.asyncDispose]()
  })

  test('has its sections, each with a heading that the navigation leads to', async () => {
    expect(await page.locator('main h2').allTextContents()).toEqual([
      ...['At a glance', 'What to do next', 'Hosts by trouble', 'Calendar of runs', 'Sizes and ratio'],
      ...['Filesystems nobody backs up', 'Last proven restores', 'Cost', 'Accounts'],
    ])
    for (const link of await page.locator('nav a').all()) {
      const target = page.locator((await link.getAttribute('href'))!)
      expect(await target.count()).toBe(1)
      await link.click()
      expect(await target.evaluate((node) => node.getBoundingClientRect().top < innerHeight)).toBe(true)
    }
  })

  test('says how many are protected, and names what could not be read in red', async () => {
    expect(await page.locator('.verdict').textContent()).toContain('38 of 48 hosts protected')
    expect(await page.locator('#next').textContent()).toContain('Let the auditor read account 222233334444')
    expect(await page.locator('#accounts').textContent()).toContain('1 of 4 could not be read')
    expect(await page.locator('#accounts tbody tr').first().textContent()).toContain('unknown')
  })

  test('shows the worst first', async () => {
    const states = await page.locator('#hosts-table .chip').allTextContents()
    expect(states.slice(0, 6)).toEqual(['Never', 'Failing', 'Failing', 'Stale', 'Stale', 'Suspicious'])
    expect(states.at(-1)).toBe('Protected')
  })

  test('finds hosts by words, everywhere on the page at once', async () => {
    await page.getByLabel('Search', { exact: true }).fill('db-0')
    expect(await names(page)).toHaveLength(5)
    expect(new Set(await names(page, 'calendar-table'))).toEqual(new Set(await names(page)))
    expect(await page.locator('.shown').textContent()).toBe('5 of 48 hosts')
    await page.getByLabel('Search', { exact: true }).fill('no such host')
    expect(await page.locator('#hosts').textContent()).toContain('No host is like that.')
    await page.getByRole('button', { name: 'Clear' }).click()
    expect(await names(page)).toHaveLength(48)
  })

  test('filters by state, account and class', async () => {
    await page.locator('#state').selectOption('stale')
    expect(await page.locator('#hosts-table .chip').allTextContents()).toEqual(['Stale', 'Stale'])
    await page.locator('#state').selectOption('trouble')
    expect(await names(page)).toHaveLength(8)
    await page.locator('#account').selectOption('777788889999')
    expect((await names(page)).length).toBeLessThan(8)
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.locator('#class').selectOption('monthly')
    expect((await names(page)).every((name) => name.startsWith('db-'))).toBe(true)
  })

  test('filters by a press on a state, and takes it back by another', async () => {
    const button = page.getByRole('button', { name: /Failing/ })
    await button.click()
    expect(await button.getAttribute('aria-pressed')).toBe('true')
    expect(await names(page)).toHaveLength(2)
    await button.click()
    expect(await names(page)).toHaveLength(48)
  })

  test('leads from what to do to the hosts that need it', async () => {
    await page.locator('#next li', { hasText: 'Suspicious' }).getByRole('button').click()
    expect(await names(page)).toEqual(['build-02'])
  })

  test('sorts by any column, both ways, and says so', async () => {
    const head = page.locator('#hosts-table th', { hasText: 'Stored' })
    await head.getByRole('button').click()
    expect(await head.getAttribute('aria-sort')).toBe('descending')
    const sizes = async () => page.locator('#hosts-table > tbody > tr > td:nth-child(6)').allTextContents()
    const descending = await sizes()
    expect(descending[0]).toMatch(/TiB/)
    await head.getByRole('button').click()
    expect(await head.getAttribute('aria-sort')).toBe('ascending')
    expect((await sizes())[0]).toBe('0 B')
    expect(await page.locator('#hosts-table [aria-sort]').count()).toBe(1)
    await page.locator('#hosts-table th', { hasText: 'Host' }).getByRole('button').click()
    expect((await names(page)).slice(0, 3)).toEqual(['app-01', 'app-02', 'app-03'])
  })

  test('opens and closes the details of a host', async () => {
    const toggle = page.getByRole('button', { name: 'Details of files-01' })
    await toggle.click()
    expect(await toggle.getAttribute('aria-expanded')).toBe('true')
    const details = await page.locator('.opened').textContent()
    expect(details).toContain('the snapshot of /home ran full before it was read')
    expect(details).toContain('Leave more free space in volume group vg0')
    await toggle.click()
    expect(await page.locator('.opened').count()).toBe(0)
  })

  test('is used without a mouse: skip link, sort, details, calendar', async () => {
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Skip to the fleet')
    await page.keyboard.press('Enter')
    expect(await page.locator(':focus').getAttribute('id')).toBe('main')
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').getAttribute('class')).toContain('state')
    await page.getByRole('button', { name: 'Details of files-01' }).focus()
    await page.keyboard.press('Enter')
    expect(await page.locator('.opened').count()).toBe(1)

    const cell = page.locator('#calendar-table td[tabindex="0"]')
    expect(await cell.count()).toBe(1)
    await cell.focus()
    await page.keyboard.press('End')
    await page.keyboard.press('ArrowDown')
    expect(await page.locator(':focus').getAttribute('aria-label')).toMatch(/^files-01, Sat 28 November\. .*incomplete/)
    expect(await page.locator('.tip').textContent()).toMatch(/^files-01, Sat 28 November/)
    await page.keyboard.press('ArrowLeft')
    expect(await page.locator(':focus').getAttribute('aria-label')).toContain('Fri 27 November')
    expect(await cell.count()).toBe(1)
    await page.keyboard.press('Escape')
    expect(await page.locator('.tip').isVisible()).toBe(false)
    await page.keyboard.press('Control+Home')
    expect(await page.locator(':focus').getAttribute('aria-label')).toMatch(/Sun 25 October/)
  })

  test('shows what a night was like to a pointer', async () => {
    await page.locator('#calendar-table tbody tr').nth(3).locator('td').last().hover()
    expect(await page.locator('.tip').textContent()).toContain(
      'No run, and no verified backup as young as it had to be.',
    )
  })

  test('leads through slices of longer tables, and keeps the focus at their end', async () => {
    const pager = page.locator('#calendar .pager')
    expect(await pager.textContent()).toContain('1–40 of 48')
    await pager.getByRole('button', { name: 'Next' }).press('Enter')
    expect(await pager.textContent()).toContain('41–48 of 48')
    expect(await names(page, 'calendar-table')).toHaveLength(8)
    expect(await page.locator(':focus').textContent()).toBe('Next')
    await page.keyboard.press('Enter')
    expect(await pager.textContent()).toContain('41–48 of 48')
    await pager.getByRole('button', { name: 'Previous' }).click()
    expect(await pager.textContent()).toContain('1–40 of 48')
  })

  test('every control has a name, and every table a caption and heads', async () => {
    const nameless = await page
      .locator('button, input, select, a, [role=grid], [role=region], [role=search]')
      .evaluateAll((nodes) =>
        nodes
          .filter((node) => {
            const labels = (node as HTMLInputElement).labels
            return ![node.getAttribute('aria-label'), node.textContent, labels?.[0]?.textContent].some((text) =>
              text?.trim(),
            )
          })
          .map((node) => node.outerHTML),
      )
    expect(nameless).toEqual([])
    const tables = await page
      .locator('main table')
      .evaluateAll((nodes) =>
        nodes.filter(
          (node) => !node.querySelector('th[scope=col]') || !(node.querySelector('caption') ?? node.closest('details')),
        ),
      )
    expect(tables).toEqual([])
  })

  test('on paper it is black on white, has all hosts, and nothing to press', async () => {
    await page.getByText('Dark', { exact: true }).click()
    const onScreen = await page.locator('#calendar-table tbody tr').count()
    await page.emulateMedia({ media: 'print' })
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')))
    const heads = await page
      .locator('#hosts-table thead th')
      .evaluateAll((nodes) => nodes.map((node) => getComputedStyle(node, '::before').content))
    expect(heads.slice(0, 3)).toEqual(['"State"', '"Host"', '"Account"'])
    expect(await page.locator('#calendar-table tbody tr').count()).toBe(48)
    expect(
      await page
        .locator('nav, .theme, .filters, .toggle')
        .evaluateAll((nodes) => nodes.every((node) => getComputedStyle(node).display === 'none')),
    ).toBe(true)
    expect(await page.locator('.verdict').evaluate((node) => getComputedStyle(node).color)).toBe('rgb(23, 28, 35)')
    await page.evaluate(() => dispatchEvent(new Event('afterprint')))
    expect(await page.locator('#calendar-table tbody tr').count()).toBe(onScreen)
    const pdf = await page.pdf({ format: 'A4' })
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
  })

  test('its colours change by a switch, and stay so', async () => {
    const colour = () => page.locator('body').evaluate((node) => getComputedStyle(node).backgroundColor)
    const light = await colour()
    await page.getByText('Dark', { exact: true }).click()
    const dark = await colour()
    expect(dark).not.toBe(light)
    await page.reload()
    expect(await colour()).toBe(dark)
    await page.getByText('Auto', { exact: true }).click()
    expect(await colour()).toBe(light)
  })
})

test('is dark where the system is', async () => {
  await using opened = await openPage(browser, small, { colorScheme: 'dark', now })
  expect(await opened.page.locator('body').evaluate((node) => getComputedStyle(node).backgroundColor)).toBe(
    'rgb(14, 17, 22)',
  )
  expectQuiet(opened)
})

test.each(['light', 'dark'] as const)('words have enough contrast in %s', async (colorScheme) => {
  await using opened = await openPage(browser, small, { colorScheme, now })
  await opened.page.locator('.more').first().click()
  expect(await opened.page.evaluate(findPaleText)).toEqual([])
})

test.each([320, 768])('fits a screen %d pixels wide', async (width) => {
  await using opened = await openPage(browser, small, { viewport: { width, height: 640 }, hasTouch: true, now })
  const { page } = opened
  await page.locator('.more').first().click()
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
  const host = await page.locator('#hosts-table tbody th').first().boundingBox()
  expect(host!.x + host!.width).toBeLessThanOrEqual(width)
  await page.locator('#calendar-table td').last().tap()
  const tip = await page.locator('.tip').boundingBox()
  expect(tip!.x).toBeGreaterThanOrEqual(0)
  expect(tip!.x + tip!.width).toBeLessThanOrEqual(width)
  expectQuiet(opened)
})

test('a page that nobody has renewed says that it is old', async () => {
  await using opened = await openPage(browser, small, { now: new Date((AT + 9 * 3600) * 1000) })
  expect(await opened.page.locator('.alarm').first().textContent()).toContain('This page is 9 hours old.')
})

test('a file that is not whole does not look like a fleet without trouble', async () => {
  await using opened = await openPage(browser, small.slice(0, small.length / 2), { now })
  expect(await opened.page.locator('body').textContent()).toContain('the file is not whole')
  expect(await opened.page.title()).toContain('8 hosts in trouble')
})

test('without a host it says that there is none', async () => {
  const view = fleetView([])
  const html = renderReport({ view, histories: new Map(), config: FLEET_CONFIG, cost: undefined, at: AT })
  await using opened = await openPage(browser, html, { now })
  expect(await opened.page.locator('.verdict').textContent()).toContain('No host is expected')
  expectQuiet(opened)
})

test('says of how many hosts nobody knows which filesystems they leave out', async () => {
  await using opened = await openPage(browser, small, { now })
  const leftOut = opened.page.locator('#left-out')
  expect(await leftOut.locator('tbody').textContent()).toContain('is on an instance store disk')
  expect(await leftOut.textContent()).toContain('Of 1 host nothing is known')
  await opened.page.locator('#state').selectOption('protected')
  expect(await leftOut.getByText('nothing is known').isVisible()).toBe(false)
})

test('shows what terminated hosts cost, and what another storage class would', async () => {
  await using opened = await openPage(browser, small, { now })
  const cost = opened.page.locator('#cost')
  expect(await cost.textContent()).toContain('of it for terminated hosts (1)')
  await cost.locator('summary').click()
  expect(await cost.getByRole('region', { name: 'Cost in other storage classes' }).textContent()).toContain(
    'DEEP_ARCHIVE',
  )
})

test('without prices it shows none', async () => {
  const html = renderReport({ ...madeUpFleet(10), cost: undefined })
  await using opened = await openPage(browser, html, { now })
  expect(await opened.page.locator('#cost').textContent()).toContain('No prices were given')
  expectQuiet(opened)
})

describe('5,000 hosts with 35 nights each', () => {
  const large = renderReport(madeUpFleet(5000))

  test('are less than 6 MiB', () => expect(large.length / 1024 ** 2).toBeLessThan(6))

  test('open, are sorted and searched within 2 s of a processor', async () => {
    await using opened = await openPage(browser, '<title>empty</title>', {
      viewport: { width: 1280, height: 900 },
      now,
    })
    const { page } = opened
    const session = await page.context().newCDPSession(page)
    // Of the page's thread alone: other programs on the machine take none of it.
    await session.send('Performance.enable', { timeDomain: 'threadTicks' })
    await page.setContent(large)
    expect(await page.locator('.verdict').textContent()).toContain('5,000 hosts')
    expect(await names(page)).toHaveLength(50)
    await page.locator('#hosts-table th', { hasText: 'Stored' }).getByRole('button').click()
    await page.getByLabel('Search', { exact: true }).fill('db-499')
    expect(await names(page)).toHaveLength(1)
    const { metrics } = await session.send('Performance.getMetrics')
    expect(metrics.find(({ name }) => name === 'TaskDuration')!.value).toBeLessThan(2)
  })
})

/** Runs in the page: text of less contrast to what is behind it than WCAG's level AA asks for (1.4.3). */
function findPaleText(): string[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!
  const rgb = (colour: string): number[] => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const light = (colour: number[]) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
  }
  const behind = (node: Element | null): number[] => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor)
      if (colour[3] === 255) return colour
    }
    return [255, 255, 255]
  }
  const pale = new Set<string>()
  for (const node of document.querySelectorAll('body *')) {
    const text = [...node.childNodes].find((child) => child.nodeType === 3 && child.textContent!.trim())
    if (
      !text ||
      node.closest('.unseen, script, noscript, option, .skip, [aria-disabled=true]') ||
      !(node as HTMLElement).offsetParent
    )
      continue
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x)
    const ratio = (a! + 0.05) / (b! + 0.05)
    if (ratio < 4.5)
      pale.add(`${node.className || node.tagName} "${text.textContent!.slice(0, 20)}" ${ratio.toFixed(2)}`)
  }
  return [...pale]
}

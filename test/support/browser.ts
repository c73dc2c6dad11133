/** A page in Debian's Chromium, which notes whatever it requests and complains of. */
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Tests run as root, often in a container: there Chromium has no sandbox. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
}

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page
  /** Addresses, without the page's own, and without what its policy has stopped. */
  readonly requests: readonly string[]
  /** What the console said, and errors that nobody caught. */
  readonly complaints: readonly string[]
}

export async function openPage(
  browser: Browser,
  html: string,
  options: BrowserContextOptions & { readonly now?: Date } = {},
): Promise<OpenedPage> {
  const { now, ...contextOptions } = options
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-page-'))
  const file = join(directory, 'index.html')
  writeFileSync(file, html)
  const context = await browser.newContext({ reducedMotion: 'reduce', ...contextOptions })
  const page = await context.newPage()
  if (now) await page.clock.setFixedTime(now)
  const requests: string[] = []
  const complaints: string[] = []
  page.on('requestfinished', (request) => requests.push(request.url()))
  page.on('requestfailed', (request) => {
    if (request.failure()?.errorText !== 'csp') requests.push(request.url())
  })
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(`file://${file}`)
  return {
    page,
    requests,
    complaints,
    async [Symbol.asyncDispose]() {
      await context.close()
      rmSync(directory, { recursive: true })
    },
  }
}

export function expectQuiet({ requests, complaints }: OpenedPage): void {
  expect(requests.filter((address) => !/^(data|file):/.test(address))).toEqual([])
  expect(complaints).toEqual([])
}

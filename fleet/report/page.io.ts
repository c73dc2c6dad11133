/** Script and style of the page: `scripts/report-page.mjs` makes them of `page/`, and a bundle takes them along as text. */
const bundled = (): string | undefined => process.env['SNAPSTREAM_REPORT_PAGE']

export interface PageAssets {
  readonly script: string
  readonly style: string
  /** As a Content-Security-Policy names them: `sha256-…`. */
  readonly scriptHash: string
  readonly styleHash: string
}

/** @throws Error where the program was not bundled */
export function readPageAssets(): PageAssets {
  const text = bundled()
  if (text === undefined) throw new Error('The page of the report comes with the bundle, and this is none.')
  return JSON.parse(text) as PageAssets
}

/** By name: the text. `scripts/build.mjs` puts it into the bundle, as text that is parsed only when somebody wants to read. */
const bundled = process.env['SNAPSTREAM_PAGES']

/** The text of a page, as Markdown. */
export function readPage(page: string): string {
  const pages = JSON.parse(bundled ?? '{}') as Partial<Record<string, string>>
  return pages[page] ?? `docs/${page}.md has it.\n`
}

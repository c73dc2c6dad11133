/** What a hint names has to be there, on a host too, which has no docs/. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onPage, PAGES, type Page } from '../../agent/pages'

const files = readdirSync('agent', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const code = files.map((file) => ({
  file,
  text: readFileSync(join('agent', file), 'utf8').replaceAll(/\/\*[^]*?\*\/|(?<!:)\/\/.*$/gm, ''),
}))

test('no hint sends anybody to docs/', () => {
  const sending = code.filter(({ file, text }) => file !== 'options/pages.io.ts' && text.includes('docs/'))
  expect(sending.map(({ file }) => file)).toEqual([])
})

const named = code.flatMap(({ text }) => [...text.matchAll(/onPage\('(\S+)'(?:, '(.*?)')?\)/g)])
const headings = [...new Set(named.flatMap(([, page, heading]) => (heading ? [`${page}: ${heading}`] : [])))]

test.each(headings)('%s is there', (text) => {
  const [page, heading] = text.split(': ')
  expect(readFileSync(`docs/${page}.md`, 'utf8')).toContain(`\n## ${heading}\n`)
})

test('hints name every page as the command that shows it', () => {
  expect(onPage('runbook', 'A file is lost')).toBe('"A file is lost" in "snapstream help runbook"')
  const pages = new Set(named.map(([, page]) => page as Page))
  expect([...pages].toSorted()).toEqual(Object.keys(PAGES).toSorted())
})

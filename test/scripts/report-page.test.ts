/** A Lambda function has the page although nothing lies beside its bundle. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(__dirname, '../..')
const BUILD = `
  import { buildSync } from ${JSON.stringify(join(root, 'node_modules/esbuild/lib/main.js'))}
  import { reportPageDefine } from ${JSON.stringify(join(root, 'scripts/report-page.mjs'))}
  const contents = "import { renderReport } from './fleet/report/render.io'; import { madeUpFleet } from './test/support/made-up-fleet'; process.stdout.write(renderReport(madeUpFleet(3)))"
  buildSync({ stdin: { contents, resolveDir: ${JSON.stringify(root)}, loader: 'ts' }, bundle: true, platform: 'node', outfile: process.argv[2], define: reportPageDefine() })
`

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'report-bundle-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

test('a bundle renders the page with no file beside it', () => {
  const [build, bundle] = [join(directory, 'build.mjs'), join(directory, 'bundle.cjs')]
  writeFileSync(build, BUILD)
  execFileSync(process.execPath, [build, bundle])
  rmSync(build)
  // It may read itself, and nothing else.
  const page = execFileSync(process.execPath, ['--permission', `--allow-fs-read=${bundle}`, bundle], {
    encoding: 'utf8',
    cwd: directory,
  })
  expect(page).toMatch(/^<!doctype html>[^]*script-src 'sha256-[^]*<\/html>\n$/)
})

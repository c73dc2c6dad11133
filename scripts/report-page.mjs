// Script and style of the fleet's page (fleet/report/page/), as whoever bundles the renderer defines them: a Lambda function and
// dist/fleet.cjs have no files beside them to read. Their hashes are what the page's Content-Security-Policy names.
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

/** @param {string} entry */
function bundle(entry) {
  const { outputFiles } = buildSync({
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    // Of 2024: light-dark() is the newest of what the page needs.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    legalComments: 'none',
    logLevel: 'warning',
  })
  return outputFiles[0].text.trimEnd()
}

/** @param {string} text */
function hashOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

/** `PageAssets` of fleet/report/page.io.ts, as JSON. */
export function reportPage() {
  const script = bundle('fleet/report/page/main.io.ts')
  const style = bundle('fleet/report/page/style.css')
  if (/<\/(script|style)|<!--/i.test(script + style)) throw new Error('script or style would end its own element')
  return JSON.stringify({ script, style, scriptHash: hashOf(script), styleHash: hashOf(style) })
}

/** For esbuild's `define`. */
export function reportPageDefine() {
  return { 'process.env.SNAPSTREAM_REPORT_PAGE': JSON.stringify(reportPage()) }
}

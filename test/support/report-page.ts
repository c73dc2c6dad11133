/** To be imported by tests that render the report: the bundle has its page on board, and tests are none. */
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'

// Jest cannot import modules of the other kind.
const program = `import(${JSON.stringify(resolve(__dirname, '../../scripts/report-page.mjs'))}).then((m) => process.stdout.write(m.reportPage()))`
process.env['SNAPSTREAM_REPORT_PAGE'] ??= execFileSync(process.execPath, ['--eval', program], { encoding: 'utf8' })

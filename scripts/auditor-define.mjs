// Prints what the bundle of the auditor has in the place of variables, as JSON: the CDK makes that bundle, and its app cannot import modules of this kind.
import { readFileSync } from 'node:fs'
import { reportPageDefine } from './report-page.mjs'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const define = { 'process.env.SNAPSTREAM_VERSION': JSON.stringify(version), ...reportPageDefine() }
process.stdout.write(JSON.stringify(define))

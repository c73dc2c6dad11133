// Bundles the agent into one file, dist/agent.cjs or the one that is named: what ships is what the tests run.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { asComment, collectLicences, listPackages } from './licences.mjs'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

// Plain old syntax: it has to run, and say so, on the Node that is too old for everything after it.
const refuseOldNode = `
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error('snapstream: Node ' + process.versions.node + ' is too old, version 24 or later is needed');
  console.error('HINT: Run the agent with the Node runtime that its installation brings, or install Node 24.');
  process.exit(1);
}`

/** Those of agent/pages.ts: a test asks for each. */
const PAGES = ['runbook', 'restore-by-hand', 'servers', 'ebs']
const pages = Object.fromEntries(
  PAGES.map((name) => [name, readFileSync(new URL(`../docs/${name}.md`, import.meta.url), 'utf8')]),
)

const root = fileURLToPath(new URL('..', import.meta.url))
const outfile = resolve(root, process.argv[2] ?? 'dist/agent.cjs')
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['agent/main.ts'],
  outfile,
  metafile: true,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  legalComments: 'none',
  banner: { js: `#!/usr/bin/env node${refuseOldNode}` },
  define: {
    'process.env.SNAPSTREAM_VERSION': JSON.stringify(version),
    'process.env.SNAPSTREAM_PAGES': JSON.stringify(JSON.stringify(pages)),
  },
  logLevel: 'warning',
})
const inputs = Object.keys(metafile.inputs)
const licences = collectLicences(root, inputs)
appendFileSync(outfile, asComment(licences))
// What a release says of what is in it.
writeFileSync(join(dirname(outfile), 'third-party-licences.txt'), `${licences}\n`)
writeFileSync(
  join(dirname(outfile), 'bundled-packages.json'),
  `${JSON.stringify(listPackages(root, inputs), null, 2)}\n`,
)

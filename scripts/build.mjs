// Bundles the agent into one file, dist/agent.cjs or the one that is named: what ships is what the tests run.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

// Plain old syntax: it has to run, and say so, on the Node that is too old for everything after it.
const refuseOldNode = `
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error('snapstream: Node ' + process.versions.node + ' is too old, version 24 or later is needed');
  console.error('HINT: Run the agent with the Node runtime that its installation brings, or install Node 24.');
  process.exit(1);
}`

await build({
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  entryPoints: ['agent/main.ts'],
  outfile: process.argv[2] ?? 'dist/agent.cjs',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  legalComments: 'linked',
  banner: { js: `#!/usr/bin/env node${refuseOldNode}` },
  define: { 'process.env.SNAPSTREAM_VERSION': JSON.stringify(version) },
  logLevel: 'warning',
})

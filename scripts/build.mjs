// Bundles the programs, each into one file: what ships is what the tests run.
//
//   node scripts/build.mjs                  dist/agent.cjs and dist/fleet.cjs
//   node scripts/build.mjs OUTFILE          the agent
//   node scripts/build.mjs OUTFILE fleet    the operators' program
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { reportPageDefine } from './report-page.mjs'
import { asComment, collectLicences, listPackages } from './licences.mjs'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const root = fileURLToPath(new URL('..', import.meta.url))

/** Those of agent/pages.ts: a test asks for each. */
const AGENT_PAGES = ['runbook', 'restore-by-hand', 'servers', 'ebs']
/** By name: where it begins, the pages of docs/ that it brings, and what it says to a Node that is too old. */
const PROGRAMS = {
  agent: {
    entry: 'agent/main.ts',
    program: 'snapstream',
    pages: AGENT_PAGES,
    hint: 'Run the agent with the Node runtime that its installation brings, or install Node 24.',
  },
  fleet: {
    entry: 'fleet/main.ts',
    define: reportPageDefine,
    program: 'snapstream-fleet',
    pages: ['fleet', ...AGENT_PAGES],
    hint: 'In the repository "npx snapstream-fleet" runs it with the Node that the project brings; elsewhere install Node 24.',
  },
}

// Plain old syntax: it has to run, and say so, on the Node that is too old for everything after it.
const refuseOldNode = ({ program, hint }) => `
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error('${program}: Node ' + process.versions.node + ' is too old, version 24 or later is needed');
  console.error('HINT: ${hint}');
  process.exit(1);
}`

/** @returns paths of what is in the bundle, relative to the root */
async function bundle(name, outfile) {
  const pages = PROGRAMS[name].pages.map((page) => [page, readFileSync(join(root, 'docs', `${page}.md`), 'utf8')])
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [PROGRAMS[name].entry],
    outfile,
    metafile: true,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    legalComments: 'none',
    banner: { js: `#!/usr/bin/env node${refuseOldNode(PROGRAMS[name])}` },
    define: {
      'process.env.SNAPSTREAM_VERSION': JSON.stringify(version),
      ...PROGRAMS[name].define?.(),
      'process.env.SNAPSTREAM_PAGES': JSON.stringify(JSON.stringify(Object.fromEntries(pages))),
    },
    logLevel: 'warning',
  })
  const inputs = Object.keys(metafile.inputs)
  appendFileSync(outfile, asComment(collectLicences(root, inputs)))
  return inputs
}

const [given, name = 'agent'] = process.argv.slice(2)
const outfile = resolve(root, given ?? 'dist/agent.cjs')
const inputs = await bundle(name, outfile)
if (given === undefined) {
  const program = resolve(root, 'dist/fleet.cjs')
  await bundle('fleet', program)
  chmodSync(program, 0o755) // npx runs it as it is
}
if (name === 'agent') {
  // What a release says of what is in it: hosts get the agent alone.
  const licences = collectLicences(root, inputs)
  writeFileSync(join(dirname(outfile), 'third-party-licences.txt'), `${licences}\n`)
  writeFileSync(
    join(dirname(outfile), 'bundled-packages.json'),
    `${JSON.stringify(listPackages(root, inputs), null, 2)}\n`,
  )
}

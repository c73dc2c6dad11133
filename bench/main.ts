/**
 * `npm run bench -- upload|restore|find [--json] [--pairs N] [--only TEXT]`: measures the agent against other ways to do the
 * same, in pairs, on data that it makes in memory and removes. `npm run bench -- differential [--json] [--pairs N] [--files N]`:
 * measures nights with little change. `npm run bench -- fleet [--json] [--hosts N]`: measures passes over a simulated fleet.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, type Plugin } from 'esbuild'
import { formatArgv } from '../agent/host/argv'
import { FIND_CASES, RESTORE_CASES, UPLOAD_CASES, type BenchCase } from './cases'
import { FLEET_SIZE, formatPasses, measureFleet } from './fleet'
import { measure } from './measure'
import { measureDifferential } from './differential'
import { compare, formatFigures, formatRows, type Pair, type Row } from './ratios'
import { makeBigSource, makeSources } from './sources'

const AWS = resolve('.cache/venv/bin/aws')
const SOURCE = resolve('bench/source.py')
/** One connection to S3 gives this much, after this long (see docs/decisions/0002-independent-frames.md). */
const CAP = { latencyMs: 20, bytesPerSecond: 80_000_000 }

/** Replaces the scanner by one that sees nothing. */
const withoutScanner: Plugin = {
  name: 'without-scanner',
  setup: (bundle) => bundle.onResolve({ filter: /\/tar\/scanner$/ }, () => ({ path: resolve('bench/no-scanner.ts') })),
}

interface Options {
  readonly json?: boolean
  readonly pairs?: string
  readonly only?: string
  readonly hosts?: string
  readonly files?: string
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      pairs: { type: 'string' },
      only: { type: 'string' },
      hosts: { type: 'string' },
      files: { type: 'string' },
    },
  })
  if (positionals[0] === 'fleet') return benchFleet(values)
  if (positionals[0] === 'differential') return benchDifferential(values)
  const suite = SUITES[positionals[0] ?? '']
  if (!suite) throw new Error(`say what to measure: ${Object.keys(SUITES).join(', ')}, differential, fleet`)
  if (!existsSync(AWS)) throw new Error(`${AWS} is missing: run "npm run setup" first`)

  const root = makeRoot()
  const rows = await suite(root, values)
  if (!values.json) console.log(formatRows(rows))
  process.exit(0)
}

/** A directory that goes when this ends, however it does. */
function makeRoot(): string {
  const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'snapstream-bench-'))
  process.once('exit', () => rmSync(root, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  return root
}

async function benchFleet({ json, hosts = String(FLEET_SIZE.hosts) }: Options): Promise<void> {
  const root = makeRoot()
  const [server, pass] = await Promise.all([
    bundle(root, 'fleet-server', 'bench/fleet-server.ts'),
    bundle(root, 'fleet-pass', 'bench/fleet-pass.ts'),
  ])
  const endpointUrl = await startServer(process.execPath, server, hosts, String(FLEET_SIZE.runs))
  const passes = await measureFleet(endpointUrl, pass, Number(hosts))
  console.log(json ? JSON.stringify(passes) : formatPasses(passes))
  process.exit(0)
}

async function benchDifferential({ json, pairs, files }: Options): Promise<void> {
  const root = makeRoot()
  const [agent, night] = await Promise.all([
    bundle(root, 'agent', 'agent/main.ts'),
    bundle(root, 'agent-night', 'bench/agent-night.ts'),
  ])
  const result = await measureDifferential(
    root,
    { agent, night },
    { note, ...(pairs && { pairs: Number(pairs) }), ...(files && { manyFiles: Number(files) }) },
  )
  console.log(json ? JSON.stringify(result) : `${formatRows(result.rows)}\n\n${formatFigures(result.figures)}`)
  process.exit(0)
}

const note = (text: string) => process.stderr.write(`${text}\n`)

const SUITES: Readonly<Record<string, (root: string, options: Options) => Promise<Row[]>>> = {
  async upload(root, options) {
    const programs = await buildPrograms(root)
    note('making 2 GiB and 120,000 files')
    const sources = makeSources(root)
    const endpointUrl = await startServer(process.execPath, programs.sink)
    return measureCases(UPLOAD_CASES, { sources, endpointUrl, aws: AWS, programs }, options)
  },

  async restore(root, options) {
    const [agent, maker] = await Promise.all([
      bundle(root, 'agent-restore', 'bench/agent-restore.ts'),
      bundle(root, 'make-archive', 'bench/make-archive.ts'),
    ])
    note('making archives of 2 GiB')
    const [objects, target, source] = ['objects', 'target', 'big'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ]
    makeBigSource(source)
    for (const compression of ['none', 'zstd'] as const) {
      await measure(formatArgv([process.execPath, maker, source, compression, objects]))
    }
    rmSync(source, { recursive: true })
    const endpointUrls = {
      uncapped: await startServer('python3', SOURCE, objects),
      capped: await startServer('python3', SOURCE, objects, String(CAP.latencyMs), String(CAP.bytesPerSecond)),
    }
    return measureCases(RESTORE_CASES, { objects, endpointUrls, target, aws: AWS, agent }, options)
  },

  async find(root, options) {
    const [agent, maker] = await Promise.all([
      bundle(root, 'agent', 'agent/main.ts'),
      bundle(root, 'make-catalog', 'bench/make-catalog.ts'),
    ])
    note('making a catalog of a million entries')
    const objects = join(root, 'objects')
    await measure(formatArgv([process.execPath, maker, objects]))
    const endpointUrl = await startServer('python3', SOURCE, objects)
    return measureCases(FIND_CASES, { objects, endpointUrl, agent }, options)
  },
}

async function measureCases<Setting>(
  cases: readonly BenchCase<Setting>[],
  setting: Setting,
  options: Options,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const one of cases) {
    for (const [peer, command] of Object.entries(one.peers)) {
      if (!`${one.name} ${peer}`.includes(options.only ?? '')) continue
      const pairs: Pair[] = []
      for (let pair = 0; pair < Number(options.pairs ?? one.pairs); pair++) {
        pairs.push([await measure(one.subject(setting)), await measure(command(setting))])
        const [ours, theirs] = pairs.at(-1)!
        note(`${one.name}: ${ours.wallSeconds.toFixed(2)} s, ${peer}: ${theirs.wallSeconds.toFixed(2)} s`)
      }
      const row = compare(one.name, peer, pairs)
      rows.push(row)
      if (options.json) console.log(JSON.stringify(row))
    }
  }
  return rows
}

async function bundle(root: string, name: string, entry: string, plugins: Plugin[] = []): Promise<string> {
  const outfile = join(root, `${name}.cjs`)
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node24', plugins })
  return outfile
}

async function buildPrograms(root: string) {
  return {
    agent: await bundle(root, 'agent', 'bench/agent-archive.ts'),
    agentWithoutScanner: await bundle(root, 'agent-without-scanner', 'bench/agent-archive.ts', [withoutScanner]),
    libStorage: await bundle(root, 'lib-storage', 'bench/lib-storage.ts'),
    sink: await bundle(root, 'sink', 'bench/sink.ts'),
  }
}

/** @returns its URL */
async function startServer(program: string, ...args: string[]): Promise<string> {
  const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => server.kill())
  const [port] = (await once(server.stdout, 'data')) as [Buffer]
  return `http://127.0.0.1:${port.toString().trim()}`
}

void main()

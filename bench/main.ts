/**
 * `npm run bench -- upload [--json] [--pairs N] [--only TEXT]`: measures the agent against other ways to do the same, in
 * pairs, on data that it makes in memory and removes.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, type Plugin } from 'esbuild'
import { UPLOAD_CASES, type BenchCase, type Setting } from './cases'
import { measure } from './measure'
import { compare, formatRows, type Pair, type Row } from './ratios'
import { makeSources } from './sources'

const CASES: Readonly<Record<string, readonly BenchCase[]>> = { upload: UPLOAD_CASES }
const AWS = resolve('.cache/venv/bin/aws')

/** Replaces the scanner by one that sees nothing. */
const withoutScanner: Plugin = {
  name: 'without-scanner',
  setup: (bundle) => bundle.onResolve({ filter: /\/tar-scanner$/ }, () => ({ path: resolve('bench/no-scanner.ts') })),
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, pairs: { type: 'string' }, only: { type: 'string' } },
  })
  const cases = CASES[positionals[0] ?? '']
  if (!cases) throw new Error(`say what to measure: ${Object.keys(CASES).join(', ')}`)
  if (!existsSync(AWS)) throw new Error(`${AWS} is missing: run "npm run setup" first`)

  const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'snapstream-bench-'))
  const removeRoot = () => rmSync(root, { recursive: true, force: true })
  process.once('exit', removeRoot)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

  const note = (text: string) => process.stderr.write(`${text}\n`)
  const programs = await buildPrograms(root)
  note('making 2 GiB and 120,000 files')
  const sources = makeSources(root)
  const { sink, endpointUrl } = await startSink(programs.sink)
  process.once('exit', () => sink.kill())

  const rows: Row[] = []
  for (const one of cases) {
    for (const [peer, command] of Object.entries(one.peers)) {
      if (!`${one.name} ${peer}`.includes(values.only ?? '')) continue
      const setting: Setting = { sources, endpointUrl, aws: AWS, programs }
      const pairs: Pair[] = []
      for (let pair = 0; pair < Number(values.pairs ?? one.pairs); pair++) {
        pairs.push([await measure(one.subject(setting)), await measure(command(setting))])
        const [ours, theirs] = pairs.at(-1)!
        note(`${one.name}: ${ours.wallSeconds.toFixed(2)} s, ${peer}: ${theirs.wallSeconds.toFixed(2)} s`)
      }
      const row = compare(one.name, peer, pairs)
      rows.push(row)
      if (values.json) console.log(JSON.stringify(row))
    }
  }
  if (!values.json) console.log(formatRows(rows))
  process.exit(0)
}

async function buildPrograms(root: string) {
  const bundle = async (name: string, entry: string, plugins: Plugin[] = []): Promise<string> => {
    const outfile = join(root, `${name}.cjs`)
    await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node24', plugins })
    return outfile
  }
  return {
    agent: await bundle('agent', 'bench/agent-archive.ts'),
    agentWithoutScanner: await bundle('agent-without-scanner', 'bench/agent-archive.ts', [withoutScanner]),
    libStorage: await bundle('lib-storage', 'bench/lib-storage.ts'),
    sink: await bundle('sink', 'bench/sink.ts'),
  }
}

async function startSink(program: string): Promise<{ sink: ChildProcess; endpointUrl: string }> {
  const sink = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await once(sink.stdout, 'data')) as [Buffer]
  return { sink, endpointUrl: `http://127.0.0.1:${port.toString().trim()}` }
}

void main()

/** Nights in which little has changed: against other programs, a full run, and what a restore of a full run takes. */
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createBucket, startSeaweedfs, type RunningServer } from '../test/servers'
import { runName } from '../test/support/fleet'
import type { NightFigures } from './agent-night'
import { startCountingProxy } from './counting-proxy'
import { measure, type Measurement } from './measure'
import { asUserOf, peersOn } from './peers'
import { compare, formatRows, type Figure, type Pair, type Row } from './ratios'
import { changeFiles, makeManyFiles, makeSources } from './sources'

const PAIRS = 5
/** One file in so many changes: 2 %, and 0.1 %. */
const [EACH_OF_SMALL, EACH_OF_MANY] = [50, 1000]
const MANY_FILES = 3_000_000
/** What is changed just before a run is in doubt, and archived once more. */
const SETTLED_MS = 3000
/** As the launcher that is installed starts it. */
const NODE = [process.execPath, '--max-semi-space-size=4'] as const

export interface DifferentialPrograms {
  /** The agent as it ships. */
  readonly agent: string
  readonly night: string
}

export interface DifferentialOptions {
  readonly pairs?: number
  readonly manyFiles?: number
  readonly note: (text: string) => void
}

export interface DifferentialResult {
  readonly rows: readonly Row[]
  readonly figures: readonly Figure[]
}

/** @param root - an empty directory, for what is backed up and restored: 10 GiB */
export async function measureDifferential(
  root: string,
  programs: DifferentialPrograms,
  options: DifferentialOptions,
): Promise<DifferentialResult> {
  await using stack = new AsyncDisposableStack()
  const server = stack.adopt(await startSeaweedfs(), (running) => running.stop())
  // Indexes are taken from no directory that others may write to, nor from one within it.
  const indexes = stack.adopt(mkdtempSync(join(homedir(), '.snapstream-bench-')), (directory) =>
    rmSync(directory, { recursive: true }),
  )
  const bench: Bench = { root, programs, options, server, bucket: await createBucket(server), indexes }
  const few = await measureFewChanges(bench)
  options.note(formatRows(few.rows)) // should the rest fail
  rmSync(join(root, 'tree'), { recursive: true })
  rmSync(join(root, 'target'), { recursive: true })
  return { rows: few.rows, figures: [...few.figures, ...(await measureManyFiles(bench))] }
}

interface Bench {
  readonly root: string
  readonly programs: DifferentialPrograms
  readonly options: DifferentialOptions
  readonly server: RunningServer
  readonly bucket: string
  readonly indexes: string
}

interface Night extends Measurement {
  readonly run: string
  readonly figures: NightFigures
}

async function archive(bench: Bench, level: 'full' | 'differential', tree: string, indexes: string): Promise<Night> {
  const { programs, server, bucket } = bench
  await wait(1100) // runs are named by the second
  const run = runName(Date.now() / 1000)
  const words = [...NODE, programs.night, level, tree, join(bench.indexes, indexes), run]
  const measured = await measure(asUserOf(server, ...words, server.endpoint, bucket))
  return { ...measured, run, figures: JSON.parse(measured.output) as NightFigures }
}

function restore({ programs, server, bucket, root }: Bench, run: string, endpoint: string, ...options: string[]) {
  const target = join(root, 'target')
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target)
  const place = ['--bucket', bucket, '--class', 'bench', '--host', 'bench', '--run', run, '--target', target]
  const where = ['--endpoint-url', endpoint, '--region', server.region, '--json']
  return measure(asUserOf(server, ...NODE, programs.agent, 'restore', ...place, ...where, ...options))
}

async function measureFewChanges(bench: Bench): Promise<DifferentialResult> {
  const { root, server, bucket, options } = bench
  const { note } = options
  const tree = join(root, 'tree')
  mkdirSync(tree)
  note('making 2 GiB and 120,000 files')
  const { small } = makeSources(tree)
  const peers = Object.values(peersOn(root, server, bucket))
  await wait(SETTLED_MS)
  note('first runs')
  await archive(bench, 'full', tree, 'base')
  for (const peer of peers) {
    await measure(peer.init)
    await measure(peer.backUp(tree))
  }

  const others = [...peers.map(({ name }) => name), 'a full run of ours'] as const
  const pairs: Record<string, Pair[]> = Object.fromEntries(others.map((name) => [name, []]))
  const restores: Pair[] = []
  let sentRatio = 0
  let requests = 0
  for (let pair = 0; pair < (options.pairs ?? PAIRS); pair++) {
    const changed = changeFiles(small, EACH_OF_SMALL)
    await wait(SETTLED_MS)
    const night = await archive(bench, 'differential', tree, 'base')
    const full = await archive(bench, 'full', tree, 'full')
    const theirs: Record<string, Measurement> = { [others.at(-1)!]: full }
    for (const peer of peers) theirs[peer.name] = await measure(peer.backUp(tree))
    for (const [name, measured] of Object.entries(theirs)) pairs[name]!.push([night, measured])
    note(
      `a night: ${[['ours', night] as const, ...Object.entries(theirs)].map(([name, { wallSeconds }]) => `${name} ${wallSeconds.toFixed(2)} s`).join(', ')}`,
    )
    sentRatio = Math.max(sentRatio, night.figures.archiveBytes / (await compressedBytes(root, changed)))
    const [ofNight, ofFull] = [
      await restore(bench, night.run, server.endpoint),
      await restoreAndCompare(bench, full, tree),
    ]
    restores.push([ofNight, ofFull])
    note(`its restore: ${ofNight.wallSeconds.toFixed(2)} s, of a full run: ${ofFull.wallSeconds.toFixed(2)} s`)
    if (pair > 0) continue
    await restoreAndCompare(bench, night, tree)
    requests = await countRequests(bench, night.run, '/srv/small/directory-7/file-3777.txt')
  }
  const name = '2 % of 120,000 files changed, 2 GiB did not'
  return {
    rows: [
      ...others.map((peer) => compare(name, peer, pairs[peer]!)),
      compare('whole restore of that night', 'of a full run', restores),
    ],
    figures: [
      { what: 'archive stored, of the changed files through tar and zstd -3', value: sentRatio, max: 1.1, unit: 'x' },
      { what: 'requests for one file that lies in the base', value: requests, max: 10, unit: 'requests' },
    ],
  }
}

/** @throws Error where anything differs: what restores wrong is not measured */
async function restoreAndCompare(bench: Bench, { run }: Night, tree: string): Promise<Measurement> {
  const measured = await restore(bench, run, bench.server.endpoint)
  await measure(`diff --recursive --no-dereference ${tree} ${join(bench.root, 'target/srv')}`)
  return measured
}

async function countRequests(bench: Bench, run: string, path: string): Promise<number> {
  using proxy = await startCountingProxy(bench.server.endpoint)
  await restore(bench, run, proxy.url, '--path', path)
  return proxy.count()
}

async function compressedBytes(root: string, paths: readonly string[]): Promise<number> {
  const list = join(root, 'changed')
  writeFileSync(list, paths.map((path) => `${path}\0`).join(''))
  const { output } = await measure(`tar -cP --null --files-from ${list} | zstd -3 --quiet | wc -c`)
  return Number(output)
}

async function measureManyFiles(bench: Bench): Promise<Figure[]> {
  const { root, options } = bench
  const count = options.manyFiles ?? MANY_FILES
  options.note(`making ${count} files`)
  // In memory there may be too few inodes.
  const place = mkdtempSync(join(statfsSync(root).ffree > count * 1.1 ? root : tmpdir(), 'snapstream-bench-many-'))
  process.once('exit', () => rmSync(place, { recursive: true, force: true }))
  const tree = join(place, 'many')
  makeManyFiles(tree, count)
  await wait(SETTLED_MS)
  const full = await archive(bench, 'full', tree, 'many')
  options.note(`a full run of them: ${full.wallSeconds.toFixed(2)} s, ${full.peakMiB.toFixed(0)} MiB`)
  changeFiles(tree, EACH_OF_MANY)
  await wait(SETTLED_MS)
  const night = await archive(bench, 'differential', tree, 'many')
  const of = `of ${count.toLocaleString('en')} entries, 0.1 % of them changed`
  return [
    { what: `night ${of}: wall, of a full run`, value: night.wallSeconds / full.wallSeconds, max: 0.15, unit: 'x' },
    { what: `night ${of}: wall`, value: night.wallSeconds, unit: 's' },
    { what: `night ${of}: peak`, value: night.peakMiB, max: 220, unit: 'MiB' },
    { what: `full run of ${count.toLocaleString('en')} entries: peak`, value: full.peakMiB, max: 220, unit: 'MiB' },
  ]
}

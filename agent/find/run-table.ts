import { DEPTHS, type RunPlace } from '../contract'
import { isSizesOnly, type Manifest, type SampleRecord } from '../run/manifest'
import { parseRunTime } from '../run/run-id'
import type { FoundRun } from '../run/run-time'
import { describeSamples } from '../verify/sample'
import { formatBytes, columns, joinLines, formatAge } from '../lib/text'
import type { Verified, Verdicts } from '../run/verdict'

/** What `list` tells of a run. Sizes in bytes, times in ISO 8601 UTC. */
export interface ListedRun extends FoundRun {
  readonly startedAt: string
  /** `unreadable`: there is a manifest, but this agent cannot read it; `problem` says why. */
  readonly status: Manifest['status'] | 'unreadable'
  readonly problem?: string
  readonly mountPoints: readonly string[]
  readonly rawBytes: number
  readonly storedBytes: number
  readonly verified: Verified
  /** What the backup compared with the source of volumes of which it did not compare everything. */
  readonly sampled: readonly (SampleRecord & { readonly volume: string })[]
}

export function listedRun(place: FoundRun, manifest: Manifest, verdicts: Verdicts): ListedRun {
  const sum = (field: 'rawBytes' | 'storedBytes') =>
    manifest.volumes.reduce((bytes, { archive }) => bytes + archive[field], 0)
  return {
    ...place,
    startedAt: startOf(place),
    status: manifest.status,
    mountPoints: manifest.volumes.map(({ mountPoint }) => mountPoint),
    rawBytes: sum('rawBytes'),
    storedBytes: sum('storedBytes'),
    verified: judge(manifest, verdicts),
    sampled: manifest.volumes.flatMap(({ volume, sampled }) => (sampled ? [{ volume, ...sampled }] : [])),
  }
}

/** A run whose manifest cannot be read is listed all the same: its archives may well be good. */
export function unreadableRun(place: FoundRun, problem: string): ListedRun {
  return {
    ...place,
    startedAt: startOf(place),
    status: 'unreadable',
    problem,
    mountPoints: [],
    rawBytes: 0,
    storedBytes: 0,
    verified: { depth: 'none', ok: true },
    sampled: [],
  }
}

/** As its name says, which S3's clock has confirmed or not: not what else the manifest may say. */
function startOf({ run }: RunPlace): string {
  return parseRunTime(run)?.toISOString() ?? ''
}

/** A host's word can raise what was verified, and never lower it; an operator's stands above it. */
function judge(manifest: Manifest, { operator, host }: Verdicts): Verified {
  const atBackup: Verified = { depth: manifest.verified, ok: true, ...(isSizesOnly(manifest) && { sizesOnly: true }) }
  const hostPassed: Verified = host?.ok && isDeeper(host, atBackup) ? { ...host, by: 'host' } : atBackup
  if (host && !host.ok && !(operator && operator.at >= host.at)) {
    return { ...(operator ? { ...operator, by: 'operator' } : atBackup), hostSays: host }
  }
  if (!operator) return hostPassed
  const beyond = operator.ok && isDeeper(hostPassed, operator)
  return { ...operator, by: 'operator', ...(beyond && { hostSays: wordOf(hostPassed) }) }
}

function wordOf({ depth, ok, at, sizesOnly }: Verified): NonNullable<Verified['hostSays']> {
  return { depth, ok, ...(at !== undefined && { at }), ...(sizesOnly && { sizesOnly }) }
}

function isDeeper(a: Verified, b: Verified): boolean {
  return rankOf(a) > rankOf(b)
}

/** Sizes alone are more than nothing, and less than checksums. */
function rankOf({ depth, sizesOnly }: Verified): number {
  return sizesOnly ? 0.5 : DEPTHS.indexOf(depth)
}

/**
 * @param runs - newest first
 * @param total - how many there are in all
 */
export function formatRunList(host: string, runs: readonly ListedRun[], total: number, now: Date): string {
  if (runs.length === 0) {
    return `No runs of ${host}.\n  Check --host and --class. A run counts once its manifest is written, at its very end.`
  }
  const shown = runs.length < total ? `, the newest ${runs.length}; --limit shows more` : ''
  return joinLines([
    `${total} ${total === 1 ? 'run' : 'runs'} of ${host}${shown}`,
    ...columns([HEADINGS, ...runs.map((run) => runRow(run, now))]),
    ...runs.flatMap(({ run, misdating, problem }) =>
      [misdating?.what, problem].flatMap((what) => (what === undefined ? [] : [`  ${run}: ${what}`])),
    ),
  ])
}

const HEADINGS = ['RUN', 'AGE', 'CLASS', 'STATUS', 'RAW -> STORED', 'VERIFIED', 'VOLUMES']

function runRow(run: ListedRun, now: Date): string[] {
  const age = formatAge(run.startedAt, now)
  const marks = [...(run.deleted ? ['deleted'] : []), ...(run.misdating ? ['MISDATED'] : [])]
  const status = [run.status, ...marks].join(', ')
  if (run.status === 'unreadable') return [run.run, age, run.class, status, '', '', '']
  return [
    run.run,
    age,
    run.class,
    status,
    `${formatBytes(run.rawBytes)} -> ${formatBytes(run.storedBytes)}`,
    [formatVerified(run.verified, now), run.verified.ok ? describeSamples(run.sampled) : ''].filter(Boolean).join(', '),
    run.mountPoints.join(' '),
  ]
}

function formatVerified({ by, hostSays, ...verified }: Verified, now: Date): string {
  const own = `${formatCheck(verified, now)}${by === 'host' ? ' by host' : ''}`
  return hostSays ? `${own}, host says ${formatCheck(hostSays, now)}` : own
}

function formatCheck({ depth, ok, at, sizesOnly }: Verified, now: Date): string {
  if (depth === 'none' && !sizesOnly) return 'no'
  const when = at === undefined ? '' : ` ${formatAge(at, now)} ago`
  const what = sizesOnly ? 'sizes only' : depth
  return ok ? `${what}${when}` : `FAILED ${what}${when}`
}

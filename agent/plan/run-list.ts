/** The list of a host's runs: what is told of each, and how it is shown. */
import { z } from 'zod'
import { CLASS_PATTERN, Prefix, RUN_PATTERN, type RunPlace } from '../contract'
import { DEPTHS, isSizesOnly, type Manifest, type SampleRecord } from './manifest'
import { parseRunTime } from './run'
import type { Misdating } from './run-time'
import { describeSamples } from './sample'
import { parseStrictJson } from './strict-json'
import { formatBytes } from './size'
import { columns, fit } from './summary'

/** A run that the bucket has. */
export interface FoundRun extends RunPlace {
  /** Its manifest was deleted, and is found only where that is asked for. */
  readonly deleted?: true
  /** Why it is not taken for what its name says. */
  readonly misdating?: Misdating
}

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

/** How far a run was verified: the latest word of an operator, or without one that of the host. */
export interface Verified {
  readonly depth: Manifest['verified']
  readonly ok: boolean
  /** By S3's clock. Absent where it was part of the backup itself. */
  readonly at?: string
  /** The server keeps no checksums, so that no more than the objects' sizes was compared. */
  readonly sizesOnly?: true
  /** Whose word it is, where it is not the backup's own. */
  readonly by?: 'operator' | 'host'
  /** What the host says beyond it, which takes nothing from it: only the host's own word stands for that. */
  readonly hostSays?: Omit<Verified, 'by' | 'hostSays'>
}

const verdictSchema = z.object({
  depth: z.enum(['checksum', 'stream', 'source']),
  ok: z.boolean(),
  sizesOnly: z.literal(true).optional(),
  volumes: z.array(z.object({ volume: z.string(), withoutChecksum: z.int().min(0).optional() })).optional(),
})

/** What one verification came to. */
export interface Verdict extends Omit<Verified, 'by' | 'hostSays'> {
  /** By S3's clock. */
  readonly at: string
}

export interface Verdicts {
  readonly operator?: Verdict
  readonly host?: Verdict
}

/**
 * What a recorded verification came to, or undefined where it proves nothing of the run: it cannot be read, or has found
 * good what is not all of it.
 *
 * @param writtenAt - by S3's clock
 * @param runVolumes - those of the run, by their names
 */
export function parseVerdict(json: string, writtenAt: Date, runVolumes: readonly string[]): Verdict | undefined {
  try {
    const { depth, ok, volumes, ...record } = verdictSchema.parse(parseStrictJson(json))
    const isPartial = volumes && runVolumes.some((name) => !volumes.some(({ volume }) => volume === name))
    if (ok && isPartial) return undefined
    // Whether the one who recorded it has drawn the conclusion or not.
    const sizesOnly = record.sizesOnly ?? (depth === 'checksum' && volumes?.some((volume) => volume.withoutChecksum))
    return { depth, ok, at: writtenAt.toISOString(), ...(sizesOnly && { sizesOnly: true }) }
  } catch {
    return undefined
  }
}

/** The run whose manifest this key is, or undefined where it is no manifest's key. */
export function parseManifestKey(key: string): RunPlace | undefined {
  return MANIFEST_KEY.exec(key)?.groups as RunPlace | undefined
}

const inner = (pattern: string): string => pattern.replace(/^\^|\$$/g, '')
const MANIFEST_KEY = new RegExp(
  `^${Prefix.manifests}/(?<class>${inner(CLASS_PATTERN)})/(?<host>.+)/(?<run>${inner(RUN_PATTERN)})\\.json$`,
)

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
  return fit([
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

/** `50 s`, `12 min`, `7 h`, `45 d`: one unit, rounded down. */
export function formatAge(time: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(time)) / 1000))
  if (Number.isNaN(seconds)) return '?'
  if (seconds < 120) return `${seconds} s`
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86400)} d`
}

import { onPage } from '../pages'
import { formatBytes, columns, joinLines, formatAge } from '../lib/text'
import { LATE_SECONDS_MAX } from '../run/run-time'
import type { Told } from '../outcome'
import type { debrisOutput } from './output-schema'
import { Prefix, RUN_PATTERN, type RunKey, parseManifestKey } from '../contract'

/** Objects without a manifest. */
export type Debris = Told<typeof debrisOutput>

/** So many runs and uploads are listed: a host may write any number of names (design limit). */
const LISTED_MAX = 1000

/** An object as it was listed. */
interface Listed {
  readonly key: string
  readonly sizeBytes: number
  readonly lastModified: Date
}

interface Place {
  readonly class: string
  readonly run?: string
}

/**
 * Where among a host's data or catalogs a key is; undefined where it is another host's, of which the name may begin with
 * this one's and a slash.
 */
export function placeOf(key: string, host: string): Place | undefined {
  const [prefix, className, ...rest] = key.split('/')
  const below = rest.join('/')
  if ((prefix !== Prefix.data && prefix !== Prefix.catalogs) || className === undefined) return undefined
  if (!below.startsWith(`${host}/`)) return undefined
  const [first = '', second = ''] = below.slice(host.length + 1).split('/')
  if (isRun(first)) return { class: className, run: first }
  return isRun(second) && !host.includes('/') ? undefined : { class: className }
}

function isRun(name: string): boolean {
  return new RegExp(RUN_PATTERN).test(name)
}

export interface DebrisCollector {
  /** Takes an object of the host. Anything else is none of its business. */
  add(object: Listed): void
  /** Takes the key of a manifest, or one that a base has or had: to be called after all objects were listed, so that no run that ends meanwhile is missed. */
  exonerate(manifestKey: string): void
  /** Name of the oldest run that is left; undefined where none is. */
  oldestRun(): string | undefined
  /** @param now - of the server's clock, in milliseconds */
  list(now: number): Pick<Debris, 'runs' | 'totalRuns' | 'objects' | 'bytes'>
}

interface Sum extends Place {
  objects: number
  bytes: number
  newest: number
}

/** Sums objects up, run by run. */
export function collectDebris(host: string): DebrisCollector {
  const sums = new Map<string, Sum>()
  return {
    add({ key, sizeBytes, lastModified }) {
      const place = placeOf(key, host)
      if (!place) return
      const sum = sums.get(nameOf(place)) ?? { ...place, objects: 0, bytes: 0, newest: 0 }
      sum.objects++
      sum.bytes += sizeBytes
      sum.newest = Math.max(sum.newest, lastModified.getTime() || 0)
      sums.set(nameOf(place), sum)
    },
    exonerate(key) {
      const runKey: RunKey | undefined = parseManifestKey(key)
      if (runKey?.host === host) sums.delete(nameOf(runKey))
    },
    oldestRun: () => [...sums.values()].flatMap(({ run }) => run ?? []).sort()[0],
    list(now) {
      const all = [...sums.values()].sort((a, b) => b.newest - a.newest)
      return {
        runs: all.slice(0, LISTED_MAX).map(({ newest, ...sum }) => ({
          ...sum,
          newestAt: new Date(newest).toISOString(),
          mayBeRunning: isYoung(newest, now),
        })),
        totalRuns: all.length,
        objects: all.reduce((count, { objects }) => count + objects, 0),
        bytes: all.reduce((total, { bytes }) => total + bytes, 0),
      }
    },
  }
}

function nameOf({ class: className, run = '' }: Place): string {
  return `${className}/${run}`
}

/** A run begins before its newest object does, and lasts 48 hours at most. */
function isYoung(time: number, now: number): boolean {
  return now - time < LATE_SECONDS_MAX * 1000
}

/** @param now - of the server's clock, in milliseconds */
export function listUnfinished(
  uploads: readonly { readonly key: string; readonly initiated?: Date }[],
  now: number,
): Required<Pick<Debris, 'uploads' | 'totalUploads'>> {
  return {
    uploads: uploads.slice(0, LISTED_MAX).map(({ key, initiated }) => ({
      key,
      ...(initiated && { initiatedAt: initiated.toISOString() }),
      mayBeRunning: initiated === undefined || isYoung(initiated.getTime(), now),
    })),
    totalUploads: uploads.length,
  }
}

const RUNNING = 'may still be running'

/** The verdict first, then a line for each run and upload. */
export function formatDebris(
  { host, runs, totalRuns, objects, bytes, uploads, totalUploads }: Debris,
  now: Date,
): string {
  const note = uploads ? [] : ['  unfinished uploads are not known: these credentials may not list them']
  if (totalRuns === 0 && !totalUploads)
    return [`Nothing of ${host} is in the bucket without a manifest.`, ...note].join('\n')
  return joinLines([
    `${objects} objects of ${host} (${formatBytes(bytes)}) are in the bucket without a manifest, ${totalUploads ?? 0} uploads are unfinished`,
    ...note,
    ...columns([
      ...(runs.length > 0 ? [['RUN', 'CLASS', 'NEWEST', 'OBJECTS', 'SIZE', '']] : []),
      ...runs.map((run) => [
        run.run ?? '(in no run)',
        run.class,
        formatAge(run.newestAt, now),
        String(run.objects),
        formatBytes(run.bytes),
        run.mayBeRunning ? RUNNING : '',
      ]),
    ]),
    ...(uploads ?? []).map(({ key, initiatedAt, mayBeRunning }) => {
      const begun = initiatedAt === undefined ? '' : `, begun ${formatAge(initiatedAt, now)} ago`
      return `  upload ${key}${begun}${mayBeRunning ? `: ${RUNNING}` : ''}`
    }),
    `  none of it counts as a backup, and it expires once good runs are newer: see ${onPage('runbook', 'Objects without a manifest')}`,
  ])
}

/** What became of paths over time, as the catalogs of several runs tell it. */
import type { RunKey } from '../contract'
import { AgentError } from '../errors'
import { formatArgv } from '../host/argv'
import { bucketFlags, type BucketOptions, type FindRequest, type WithHost } from '../options/commands'
import { formatBytes, columns, joinLines } from '../lib/text'
import type { FindOutput } from './output-schema'
import type { CatalogEntry } from '../tar/entry'

export type FoundPath = FindOutput['found'][number]
/** A path as it was in one run, and in those after it until it changed. */
export type Version = FoundPath['versions'][number]

/** Collects what is found in one catalog. Nothing of it counts unless all of the catalog proves to be good. */
export interface CatalogVersions {
  /**
   * @param path - as on the host
   * @param readEntry - called only for what is kept
   * @throws AgentError ARCHIVE_DAMAGED where the catalog has the path twice, as a restore has it
   */
  add(path: string, readEntry: () => CatalogEntry): void
  /** To be called at the end of the catalog. */
  commit(): void
}

export interface Versions {
  /** Catalogs are to be searched from the oldest run to the newest. */
  ofCatalog(runKey: RunKey, volume: string): CatalogVersions
  /** In order of path. */
  list(): FoundPath[]
  /** Entries of further paths, beyond the limit. */
  more(): number
}

/** @param limit - paths to keep: a pattern may match a million of them */
export function collectVersions(limit: number): Versions {
  const kept = new Map<string, { readonly volume: string; readonly versions: Version[] }>()
  let more = 0
  return {
    ofCatalog(runKey, volume) {
      const found = new Map<string, { readonly version: Version; readonly path64: string | undefined }>()
      let fresh = 0
      let beyond = 0
      return {
        add(path, readEntry) {
          if (!kept.has(path) && !found.has(path)) {
            if (kept.size + fresh >= limit) {
              beyond++
              return
            }
            fresh++
          }
          const entry = readEntry()
          const other = found.get(path)
          // Names that are not text may be the same as text, and so may beginnings of long ones.
          if (other && !entry.undescribed && other.path64 === entry.path64) throw isTwice(path)
          found.set(path, { version: versionOf(runKey, entry), path64: entry.path64 })
        },
        commit() {
          more += beyond
          for (const [path, { version }] of found) {
            const known = kept.get(path)
            const last = known?.versions.at(-1)
            if (!known) kept.set(path, { volume, versions: [version] })
            else if (!last || !isSame(last, version)) known.versions.push(version)
            else known.versions.splice(-1, 1, { ...last, lastRun: runKey.run, runs: last.runs + 1 })
          }
        },
      }
    },
    list: () =>
      [...kept]
        .map(([path, { volume, versions }]) => ({ path, volume, versions: versions.toReversed() }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    more: () => more,
  }
}

function isTwice(path: string): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `the catalog has '${path}' twice`, {
    hint: 'Snapstream writes no such archive of a sound filesystem: find out who did. Use another run.',
  })
}

/** Milliseconds that a Date holds (ECMA-262, "Time Values and Time Range"). Filesystems have later times. */
const DATE_MAX = 8.64e15

function versionOf({ run, class: className }: RunKey, entry: CatalogEntry): Version {
  const { type, size, mode, uid, gid, link } = entry
  const milliseconds = Math.floor(Number(entry.mtime) * 1000)
  const mtime = new Date(Math.max(-DATE_MAX, Math.min(milliseconds, DATE_MAX))).toISOString()
  return {
    firstRun: run,
    lastRun: run,
    class: className,
    runs: 1,
    type,
    size,
    mode,
    uid,
    gid,
    mtime,
    ...(link !== undefined && { link }),
  }
}

/** What a file was moved to another class of runs is no change of the file. */
function isSame(a: Version, b: Version): boolean {
  return (['type', 'size', 'mode', 'uid', 'gid', 'mtime', 'link'] as const).every((field) => a[field] === b[field])
}

/** A run that could not be searched, or one volume of it, and why. */
export type NotSearched = FindOutput['notSearched'][number]

/** For people: each path, its versions, and how to get the newest one back; first of all, what was not searched. */
export function formatVersions(
  request: WithHost<Pick<FindRequest, 'pattern' | 'includeDeleted' | 'trustTimes'>> & BucketOptions,
  found: readonly FoundPath[],
  more: number,
  notSearched: readonly NotSearched[],
  notSearchedCount = notSearched.length,
): string {
  const { pattern, host } = request
  const unnamed = notSearchedCount - notSearched.length
  const gaps = [
    ...notSearched.map(({ run, volume, reason }) => `  NOT SEARCHED ${run} ${volume ?? ''}: ${reason}`),
    ...(unnamed > 0 ? [`  NOT SEARCHED ${unnamed} more`] : []),
  ]
  if (found.length === 0) {
    return joinLines([`Nothing in the backups of ${host} matches ${pattern}.`, ...gaps, `  ${hintFor(pattern)}`])
  }
  const beyond = more > 0 ? `, and ${more} more entries; --limit shows more` : ''
  const paths = `${found.length} ${found.length === 1 ? 'path matches' : 'paths match'}`
  const [{ path, versions: [newest] } = { path: '', versions: [] }] = found
  return joinLines([
    `In the backups of ${host} ${paths} ${pattern}${beyond}`,
    ...gaps,
    ...found.flatMap(({ path, versions }) => [
      `  ${path}`,
      ...columns(versions.map(versionRow)).map((row) => `  ${row}`),
    ]),
    `  restore: ${formatArgv([
      ...(['snapstream', 'restore', ...bucketFlags(request), '--host', host] as const),
      ...['--run', newest?.lastRun ?? '', '--path', nameable(path), '--target', 'DIR'],
      ...(request.includeDeleted ? ['--include-deleted'] : []),
      ...(request.trustTimes ? ['--trust-times'] : []),
    ])}`,
  ])
}

/** A name that is no text cannot be given to `--path`: the directory that it is in can. */
function nameable(path: string): string {
  const names = path.split('/')
  const bad = names.findIndex((name) => name.includes('\ufffd'))
  return bad < 0 ? path : names.slice(0, bad).join('/') || '/'
}

function hintFor(pattern: string): string {
  if (pattern.includes('[') && !/\[[^\]]+\]/.test(pattern))
    return 'A "[" begins a set of characters: write "[[]" for the bracket itself.'
  if (/[*?]/.test(pattern)) return 'Case matters, and "*" stays within a name, while "**" does not.'
  if (!pattern.includes('/')) return `A pattern without a slash has to match a whole name: try "*${pattern}*".`
  const name = pattern.replace(/^.*\/(?=.)/s, '')
  return `A pattern with slashes has to match whole names, as they were on the host: try "${name}" for any directory.`
}

function versionRow({ firstRun, lastRun, runs, type, size, mode, uid, gid, mtime, link }: Version): string[] {
  const what = type === 'file' ? formatBytes(size) : link === undefined ? type : `${type} to ${link}`
  return [
    `${mtime.slice(0, 19)}Z`,
    what,
    mode.toString(8).padStart(4, '0'),
    `${uid}:${gid}`,
    runs === 1 ? lastRun : `${lastRun} and back to ${firstRun} (${runs} runs)`,
  ]
}

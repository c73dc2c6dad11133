/** What is told of a restore: before it, after it, and while Glacier is retrieving. */
import type { ErrorCode } from '../errors'
import { retrievalDuration } from '../bucket/glacier'
import type { Manifest } from '../run/manifest'
import { type Absent, type Warned } from './select-volumes'
import { formatBytes, columns, counted, joinLines } from '../lib/text'
import { warningLines } from '../backup/summary'
import type { RetrievalTier } from '../contract'
import type { RetrievalOptions } from '../context'
import { pathOnHost } from '../tar/entry'

export interface VolumeReport {
  readonly mountPoint: string
  readonly directory: string
  readonly entries: number
  /** Left as they were there: by the conflict policy, or because they are equal already. */
  readonly kept: number
  /** Entries in damaged frames: the first of them, and how many there are. */
  readonly lost: readonly string[]
  readonly lostEntries: number
  /** Entries that were not restored because their paths are longer than the kernel takes, in the same way. */
  readonly tooLong: readonly string[]
  readonly tooLongEntries: number
  /** Entries that are such as Linux has none, each with the reason, in the same way. */
  readonly impossible: readonly string[]
  readonly impossibleEntries: number
  /** Entries that only tar itself can restore, as the catalog does not describe them, in the same way. */
  readonly byHand: readonly string[]
  readonly byHandEntries: number
  /** Entries that are not there, or not as they were backed up: the first of them. */
  readonly failed: readonly string[]
  readonly failedEntries: number
  /** The end of what tar wrote to standard error. */
  readonly complaint: string
  readonly fetch: { readonly requests: number; readonly bytes: number }
}

/** A volume that was not restored, or not to its end. */
export interface VolumeFailure {
  readonly mountPoint: string
  readonly directory: string
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
}

export interface RestoreReport {
  readonly run: string
  readonly host: string
  readonly volumes: readonly VolumeReport[]
  readonly failures: readonly VolumeFailure[]
  /** What was wanted and mounted on the host, and is not in the run. */
  readonly absent: readonly Absent[]
  readonly warned: readonly Warned[]
}

export interface VolumePreview extends Omit<VolumeReport, 'failed' | 'failedEntries' | 'complaint'> {
  readonly conflicts: readonly string[]
  readonly conflictEntries: number
  readonly sizeBytes: number
  readonly storageClasses: readonly string[]
  /** Objects that have to be retrieved first. */
  readonly frozen: number
}

export function formatRestore({ run, host, volumes, failures, absent, warned }: RestoreReport): string {
  const sum = (count: (volume: VolumeReport) => number): number =>
    volumes.reduce((total, volume) => total + count(volume), 0)
  const bad = sum(
    (volume) =>
      volume.failedEntries +
      volume.lostEntries +
      volume.tooLongEntries +
      volume.impossibleEntries +
      volume.byHandEntries,
  )
  const complaints = volumes.filter(({ complaint }) => complaint !== '')
  const absentByFailure = absent.some((volume) => volume.failed)
  const verdict =
    failures.length > 0
      ? `${volumes.length === 0 ? 'FAILED' : 'INCOMPLETE'}, ${failures.length} of ${failures.length + volumes.length} volumes were not restored`
      : bad > 0
        ? `INCOMPLETE, ${bad} entries are missing or wrong`
        : complaints.length > 0
          ? 'INCOMPLETE, tar complained'
          : absentByFailure || warned.some(({ isWhole }) => isWhole)
            ? 'INCOMPLETE, as the run itself is'
            : 'OK'
  return joinLines([
    `Restore of ${run} of ${host}: ${verdict}`,
    ...failures.flatMap(({ mountPoint, message, hint }) => [`  FAILED ${mountPoint}: ${message}`, `  HINT: ${hint}`]),
    ...volumes.flatMap((volume) => [
      ...namesOf(volume, volume.failed, volume.failedEntries, 'FAILED'),
      ...namesOf(volume, volume.lost, volume.lostEntries, 'LOST', ': the archive is damaged there'),
      ...namesOf(volume, volume.tooLong, volume.tooLongEntries, 'TOO LONG', PATH_TOO_LONG),
      ...namesOf(volume, volume.impossible, volume.impossibleEntries, 'IMPOSSIBLE'),
      ...namesOf(volume, volume.byHand, volume.byHandEntries, 'BY HAND', NOT_DESCRIBED),
    ]),
    ...formatWarned(warned),
    ...complaints.flatMap(({ complaint }) => complaint.split('\n').map((line) => `  ${line}`)),
    ...columns(volumes.map(volumeRow)),
    ...formatAbsent(absent),
    ...(absentByFailure ? ['  HINT: "snapstream list" shows runs that may have what failed in this one.'] : []),
    ...(complaints.some(({ complaint }) => DISK_FULL.test(complaint))
      ? ['  HINT: The filesystem is full: make room, and go on with --resume.']
      : []),
    ...(sum((volume) => volume.failedEntries + volume.lostEntries) > 0
      ? ['  HINT: Remove the cause and go on with --resume; lost entries may be in another run: "snapstream find".']
      : []),
  ])
}

const PATH_TOO_LONG = ': its path is longer than the kernel takes'
const NOT_DESCRIBED = ': the catalog does not describe it, only tar can restore it: docs/restore-by-hand.md'
/** What the system and GNU tar say of it. */
const DISK_FULL = /No space left on device|Wrote only \d+ of \d+ bytes|ENOSPC/

function namesOf(
  { mountPoint }: Pick<VolumeReport, 'mountPoint'>,
  first: readonly string[],
  count: number,
  what: string,
  why = '',
): string[] {
  return [
    ...first.map((path) => `  ${what} ${pathOnHost(mountPoint, path)}${why}`),
    ...(count > first.length ? [`  ${what} ${count - first.length} more`] : []),
  ]
}

function formatWarned(warned: readonly Warned[]): string[] {
  return warned.flatMap((volume) =>
    warningLines(
      volume,
      'The backup itself lacks what the warnings name: "snapstream find" shows which runs may have it.',
    ),
  )
}

/** What never is in the host's backups is no news: more than this of it would hide what is. */
const NEVER_BACKED_UP_SHOWN = 2

function formatAbsent(absent: readonly Absent[]): string[] {
  const never = absent.filter(({ failed }) => !failed)
  const shown = never.slice(0, NEVER_BACKED_UP_SHOWN)
  const more = never.slice(NEVER_BACKED_UP_SHOWN).map(({ mountPoint }) => mountPoint)
  return [
    ...absent
      .filter((volume) => volume.failed || shown.includes(volume))
      .map(({ mountPoint, why }) => `  not in this run: ${mountPoint} ${why}`),
    ...(more.length > 0 ? [`  nor was this backed up: ${more.join(', ')}`] : []),
  ]
}

function volumeRow({
  mountPoint,
  directory,
  entries,
  kept,
  fetch,
}: Pick<VolumeReport, 'mountPoint' | 'directory' | 'entries' | 'kept' | 'fetch'>): string[] {
  return [
    `${mountPoint} -> ${directory}`,
    `${counted(entries, 'entry', 'entries')}${kept > 0 ? `, ${kept} left as they were` : ''}`,
    `${formatBytes(fetch.bytes)} in ${counted(fetch.requests, 'request')}`,
  ]
}

/** @param tier - that retrieving is asked for with, if it is */
export function formatRestorePlan(
  manifest: Manifest,
  volumes: readonly VolumePreview[],
  { absent, warned }: Pick<RestoreReport, 'absent' | 'warned'>,
  tier: RetrievalTier = 'standard',
): string {
  return joinLines([
    `Restore of ${manifest.run} of ${manifest.host}, nothing was changed`,
    ...columns(volumes.map((volume) => [...volumeRow(volume), `${formatBytes(volume.sizeBytes)} on disk`])),
    ...volumes.flatMap((volume) => {
      const { mountPoint, frozen, storageClasses } = volume
      return [
        `  ${mountPoint} is stored in ${storageClasses.join(', ') || 'nothing that is needed'}`,
        ...(frozen > 0
          ? [
              `    ${counted(frozen, 'object has', 'objects have')} to be thawed first: ${describeRetrieval(storageClasses, tier)}`,
            ]
          : []),
        ...namesOf(volume, volume.conflicts, volume.conflictEntries, '  there already:'),
        ...namesOf(volume, volume.lost, volume.lostEntries, '  LOST'),
        ...namesOf(volume, volume.tooLong, volume.tooLongEntries, '  TOO LONG', PATH_TOO_LONG),
        ...namesOf(volume, volume.impossible, volume.impossibleEntries, '  IMPOSSIBLE'),
        ...namesOf(volume, volume.byHand, volume.byHandEntries, '  BY HAND', NOT_DESCRIBED),
      ]
    }),
    ...formatWarned(warned),
    ...formatAbsent(absent),
  ])
}

export function formatRetrieving(
  objects: number,
  storageClasses: readonly string[],
  { tier, days }: RetrievalOptions,
): string {
  return joinLines([
    `Waiting for Glacier: ${counted(objects, 'object is', 'objects are')} being thawed, ${describeRetrieval(storageClasses, tier)}`,
    `  They stay readable for ${days} days. Run the same command again then, or now with --wait.`,
    '  "snapstream restore-status" with the same options tells how far it is.',
  ])
}

/** Objects of a volume, by whether they can be read. */
export interface RetrievalStatus {
  readonly mountPoint: string
  readonly storageClasses: readonly string[]
  readonly readable: number
  readonly thawing: number
  readonly frozen: number
  readonly missing: number
  readonly catalog: 'good' | 'missing' | 'damaged'
}

export function formatRetrievalStatus({ run, host }: Manifest, volumes: readonly RetrievalStatus[]): string {
  const ready = volumes.every(
    ({ readable, thawing, frozen, missing }) => readable > 0 && thawing + frozen + missing === 0,
  )
  return joinLines([
    `Archives of ${run} of ${host}: ${ready ? 'can be read now' : 'cannot all be read now'}`,
    ...columns(
      volumes.map(({ mountPoint, storageClasses, ...counts }) => [
        mountPoint,
        storageClasses.join(', '),
        ...(['readable', 'thawing', 'frozen', 'missing'] as const).flatMap((name) =>
          counts[name] === 0 ? [] : [`${counts[name]} ${name}`],
        ),
      ]),
    ),
    ...(volumes.some(({ frozen }) => frozen > 0)
      ? ['  Ask for what is frozen with "snapstream restore --thaw bulk".']
      : []),
    ...(volumes.some(({ missing }) => missing > 0)
      ? ['  What is missing does not come back by waiting: restore the rest with "snapstream restore --best-effort".']
      : []),
    ...volumes
      .filter(({ catalog }) => catalog !== 'good')
      .map(
        ({ mountPoint, catalog }) =>
          `  The catalog of ${mountPoint} is ${catalog}: a restore makes it again, from all of the archive.`,
      ),
  ])
}

function describeRetrieval(storageClasses: readonly string[], tier: RetrievalTier): string {
  const times = storageClasses.flatMap((name) => retrievalDuration(name, tier) ?? [])
  return times.length === 0
    ? `${tier} is not to be had for ${storageClasses.join(', ')}`
    : `${times.join(' or ')} with ${tier}`
}

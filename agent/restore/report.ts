/** What is told of a restore when it is done. */
import { onPage } from '../pages'
import { ExitStatus } from '../contract'
import { formatBytes, columns, counted, joinLines } from '../lib/text'
import { warningLines } from '../backup/summary'
import type { Outcome, Told } from '../outcome'
import type { leftOutSchema, restoreOutput } from './output-schema'
import type { VolumePlan } from './plan-tally'
import type { MissingVolume, WarnedVolume } from './select-volumes'
import { pathOnHost } from '../tar/entry'

/** What is told of a restore. */
export type RestoreReport = Told<typeof restoreOutput>
export type VolumeReport = RestoreReport['volumes'][number]
/** A volume that was not restored, or not to its end. */
export type VolumeFailure = RestoreReport['failures'][number]
/** Of which run, and what of that which was asked for the run itself lacks. */
export type RunReport = Pick<RestoreReport, 'run' | 'host' | 'absent' | 'warned'>
/** Entries that do not come back, by the reason: how many there are, and the first of them. */
export type LeftOut = Told<typeof leftOutSchema>

export function leftOut({ lost, tooLong, impossible, byHand }: VolumePlan): LeftOut {
  return {
    ...{ lost: lost.first, lostEntries: lost.count },
    ...{ tooLong: tooLong.first, tooLongEntries: tooLong.count },
    ...{ impossible: impossible.first, impossibleEntries: impossible.count },
    ...{ byHand: byHand.first, byHandEntries: byHand.count },
  }
}

/** Status 3 where something of what was asked for is not there, or not as it was backed up; 1 where nothing was restored. */
export function describeRestore(report: RestoreReport): Outcome<RestoreReport> {
  const { volumes, failures, absent, warned } = report
  const isComplete =
    failures.length === 0 &&
    volumes.every((volume) => badEntries(volume) === 0 && volume.complaint === '') &&
    !absent.some(({ failed }) => failed) &&
    !warned.some(({ isWhole }) => isWhole)
  const status = isComplete ? ExitStatus.ok : volumes.length === 0 ? ExitStatus.failed : ExitStatus.incomplete
  return { status, summary: formatRestore(report), json: report }
}

function badEntries(volume: VolumeReport): number {
  const { failedEntries, lostEntries, tooLongEntries, impossibleEntries, byHandEntries } = volume
  return failedEntries + lostEntries + tooLongEntries + impossibleEntries + byHandEntries
}

export function formatRestore({ run, host, volumes, failures, absent, warned }: RestoreReport): string {
  const sum = (count: (volume: VolumeReport) => number): number =>
    volumes.reduce((total, volume) => total + count(volume), 0)
  const bad = sum(badEntries)
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
      ...formatLeftOut(volume, ': the archive is damaged there'),
    ]),
    ...formatWarned(warned),
    ...complaints.flatMap(({ complaint }) => complaint.split('\n').map((line) => `  ${line}`)),
    ...columns(volumes.map(volumeRow)),
    ...formatAbsent(absent),
    ...(absentByFailure
      ? ['  HINT: "snapstream list" shows runs that may have the volumes that failed in this one.']
      : []),
    ...(complaints.some(({ complaint }) => DISK_FULL.test(complaint))
      ? ['  HINT: The filesystem is full: make room, and continue with --resume.']
      : []),
    ...(sum((volume) => volume.failedEntries + volume.lostEntries) > 0
      ? ['  HINT: Remove the cause and continue with --resume; lost entries may be in another run: "snapstream find".']
      : []),
  ])
}

const PATH_TOO_LONG = ': its path is longer than the kernel accepts'
const NOT_DESCRIBED = `: the catalog does not describe it, only tar can restore it: ${onPage('restore-by-hand')}`
/** What the system and GNU tar say of it. */
const DISK_FULL = /No space left on device|Wrote only \d+ of \d+ bytes|ENOSPC/

export function formatLeftOut(
  volume: LeftOut & Pick<VolumeReport, 'mountPoint'>,
  whyLost: string,
  indent = '',
): string[] {
  return [
    ...namesOf(volume, volume.lost, volume.lostEntries, `${indent}LOST`, whyLost),
    ...namesOf(volume, volume.tooLong, volume.tooLongEntries, `${indent}TOO LONG`, PATH_TOO_LONG),
    ...namesOf(volume, volume.impossible, volume.impossibleEntries, `${indent}IMPOSSIBLE`),
    ...namesOf(volume, volume.byHand, volume.byHandEntries, `${indent}BY HAND`, NOT_DESCRIBED),
  ]
}

export function namesOf(
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

export function formatWarned(warned: readonly WarnedVolume[]): string[] {
  return warned.flatMap((volume) =>
    warningLines(
      volume,
      'The backup itself lacks the entries that the warnings name: "snapstream find" shows which runs may have them.',
    ),
  )
}

/** What never is in the host's backups is no news: more than this of it would hide what is. */
const NEVER_BACKED_UP_SHOWN = 2

export function formatAbsent(absent: readonly MissingVolume[]): string[] {
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

export function volumeRow({
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

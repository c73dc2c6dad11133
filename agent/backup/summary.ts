import { manifestKey, type RunKey } from '../contract'
import { formatArgv } from '../host/argv'
import { isSizesOnly, type Manifest, type VolumeBackup } from '../run/manifest'
import { bucketFlags, type BucketOptions } from '../options/commands'
import { pathOnHost } from '../tar/entry'
import { printableLine } from '../lib/printable'
import { describeSamples, formatSample } from '../verify/sample'
import { describeSource, isOfOneMoment } from '../source/record'
import type { Selection } from '../source/select'
import { formatBytes, formatSeconds, columns, counted, joinLines } from '../lib/text'
import type { SnapshotPlan, Volume } from '../source/source'
import type { Argv } from '../context'

/** What a summary repeats of what was asked for. */
export interface SummaryRequest extends BucketOptions {
  readonly exclude: readonly string[]
  readonly excludeCaches: boolean
  readonly excludeIfPresent: readonly string[]
}

/** What a person reads first, at 3 a.m. too: the verdict, then what failed, then the rest. */
export function formatBackupSummary(
  manifest: Manifest,
  wish: SummaryRequest,
  leftBehind: readonly string[] = [],
): string {
  const { volumes, failures, notBackedUp } = manifest
  return joinLines([
    `Backup ${manifest.run} of ${manifest.host}: ${verdictOf(manifest, leftBehind)}`,
    ...failures.flatMap(({ mountPoint, message, hint }) => [`  FAILED ${mountPoint}: ${message}`, `    HINT: ${hint}`]),
    ...volumes.flatMap((volume) => warningLines(volume, BACK_UP_AGAIN)),
    ...leftBehind.map((line) => `  LEFT BEHIND ${line}`),
    ...volumes.flatMap(fullLines),
    ...columns(
      volumes.map((volume) =>
        volumeRow(
          volume,
          volumes.some(({ base }) => base),
        ),
      ),
    ),
    ...describeSaved(volumes),
    ...notBackedUp.map(({ mountPoint, device, reason }) => `  not backed up: ${mountPoint} (${device}): ${reason}`),
    describeConsistency(manifest),
    ...describeUnconfirmed(manifest),
    ...excluded(wish),
    ...volumes.flatMap(leftOutLines),
    `  manifest: s3://${wish.bucket}/${manifestKey(manifest)}`,
    `  next: ${formatArgv(verifyCommand(manifest, wish))}`,
  ])
}

/** What was asked for is not what there is: nobody should have to look for it. */
function fullLines({ mountPoint, fullBecause }: VolumeBackup): string[] {
  return fullBecause === undefined ? [] : [`  FULL ${mountPoint}: ${fullBecause}`]
}

/** Full archives would have stored about what those of their bases did. */
function describeSaved(volumes: readonly VolumeBackup[]): string[] {
  const differential = volumes.flatMap(({ archive, base }) => (base ? [{ archive, base }] : []))
  if (differential.length === 0) return []
  const stored = differential.reduce((sum, { archive }) => sum + archive.storedBytes, 0)
  const before = differential.reduce((sum, { base }) => sum + base.archive.storedBytes, 0)
  const runs = [...new Set(differential.map(({ base }) => base.run))].join(', ')
  const share = before === 0 ? '' : ` (${((100 * stored) / before).toFixed(1)} %)`
  return [
    `  stored what has changed since ${runs}: ${formatBytes(stored)} instead of ${formatBytes(before)}${share}; keep both`,
  ]
}

/** What was read in place is of a moment of its own, whatever hooks held applications for the others. */
function describeConsistency({ consistency, volumes }: Manifest): string {
  const { level, hooks, snapshotSpreadSeconds, heldSeconds } = consistency
  const alone = volumes.filter(({ source }) => !isOfOneMoment(source)).map(({ mountPoint }) => mountPoint)
  if (alone.length > 0 && alone.length === volumes.length) return '  each volume read in place, at a moment of its own'
  return (
    `  ${level}-consistent: all snapshots within ${formatSeconds(snapshotSpreadSeconds)}` +
    (hooks.length > 0 ? `, applications held for ${formatSeconds(heldSeconds)}` : '') +
    (alone.length > 0 ? `; but at moments of their own: ${alone.join(', ')}` : '')
  )
}

/** The host and the class are, where another host asks. */
function verifyCommand({ run, host, class: className }: Manifest, bucket: BucketOptions): Argv {
  return [
    ...(['snapstream', 'verify', ...bucketFlags(bucket)] as const),
    ...['--class', className, '--host', host, '--run', run],
  ]
}

/** A backup may be complete and hold nothing: what was left out is to be seen wherever its success is. */
function excluded({ exclude, excludeCaches, excludeIfPresent }: Omit<SummaryRequest, keyof BucketOptions>): string[] {
  const tagged = [...(excludeCaches ? ['caches'] : []), ...excludeIfPresent.map((name) => `directories with ${name}`)]
  return [
    ...(exclude.length === 0 ? [] : [`  excluded: ${exclude.join(' ')}`]),
    ...(tagged.length === 0 ? [] : [`  excluded: what is in ${tagged.join(', ')}`]),
  ]
}

/** Of more, the manifest has the first ones. */
const LEFT_OUT_SHOWN = 3

function leftOutLines({ mountPoint, leftOut }: VolumeBackup): string[] {
  if (!leftOut) return []
  const shown = leftOut.first.slice(0, LEFT_OUT_SHOWN)
  const more = leftOut.count - shown.length
  const names = shown.map(({ path }) => printableLine(pathOnHost(mountPoint, path)))
  const what = `${counted(leftOut.count, 'directory', 'directories')} of ${mountPoint}`
  return [`  left out what is in ${what}: ${[...names, ...(more > 0 ? [`… and ${more} more`] : [])].join(' ')}`]
}

/** What would be archived of a volume. */
export interface ForeseenLevel {
  readonly volume: string
  readonly level: VolumeBackup['level']
  /** Of a differential archive: the run of its base. */
  readonly base?: string
  /** Of a full one: why it cannot be differential. */
  readonly because?: string
}

function formatLevel({ base, because }: ForeseenLevel): string {
  return base === undefined ? `full: ${because ?? ''}` : `what has changed since ${base}, unless that is too much`
}

/** What a backup would do. */
export function formatBackupPlan(
  runKey: RunKey,
  selection: Selection,
  plans: readonly SnapshotPlan[],
  wish: Omit<SummaryRequest, keyof BucketOptions> = { exclude: [], excludeCaches: false, excludeIfPresent: [] },
  levels: readonly ForeseenLevel[] = [],
): string {
  return joinLines([
    `Backup of ${runKey.host} would snapshot and archive ${counted(plans.length, 'volume')}; nothing was changed`,
    ...columns(
      plans.map(({ origin, description, originName }) => [
        origin.mountPoint,
        origin.filesystem,
        `${formatBytes(origin.usedBytes)} used of ${formatBytes(origin.sizeBytes)}`,
        description,
        originName,
        formatChoice(selection, origin),
        ...levels.filter(({ volume }) => volume === origin.volume).map(formatLevel),
      ]),
    ),
    ...[...selection.unfit, ...selection.skipped, ...selection.unsupported].map(
      ({ mountPoint, device, reason }) => `  not backed up: ${mountPoint} (${device}): ${reason}`,
    ),
    ...excluded(wish),
    `  next: the same command without --dry-run`,
  ])
}

function formatChoice({ sources }: Selection, { mountPoint, kind }: Volume): string {
  return `${kind}: ${sources.find((one) => one.mountPoint === mountPoint)?.reason ?? ''}`
}

/** Of more, the manifest has the first ones. */
const WARNINGS_SHOWN = 3
const BACK_UP_AGAIN =
  'The entries that the warnings name are not in the archive as they were. Check the filesystem and its disk, then back it up again.'

/** What was lost when the volume was backed up, and what to do about it. */
export function warningLines(
  { mountPoint, warnings }: Pick<VolumeBackup, 'mountPoint' | 'warnings'>,
  hint: string,
): string[] {
  if (!warnings) return []
  const shown = warnings.lines.slice(0, WARNINGS_SHOWN)
  const more = warnings.count - shown.length
  return [
    ...shown.map((line) => printableLine(`  WARNING ${mountPoint}: ${line}`)),
    ...(more > 0 ? [`  WARNING ${mountPoint}: ${more} more like these`] : []),
    `    HINT: ${hint}`,
  ]
}

function verdictOf({ status, verified, volumes, failures }: Manifest, leftBehind: readonly string[]): string {
  const none = isSizesOnly({ verified, volumes }) ? 'sizes only' : 'not verified'
  const seen = { none, checksum: 'checksums confirmed by S3', stream: 'read back and verified' }
  const whole = verified === 'source' ? 'verified against the source' : seen[verified]
  const samples = describeSamples(volumes.map(({ sampled }) => sampled))
  const depth = samples === '' ? whole : `${whole}, ${samples} compared`
  return `${completeness(status, volumes, failures.length)}, ${depth}${leftBehind.length > 0 ? ', but something was left behind on the host' : ''}`
}

function completeness(status: Manifest['status'], volumes: readonly VolumeBackup[], failures: number): string {
  if (status === 'complete') return 'OK'
  const warnings = volumes.reduce((sum, volume) => sum + (volume.warnings?.count ?? 0), 0)
  const parts = [
    ...(failures > 0 || warnings === 0
      ? [`${failures} of ${counted(volumes.length + failures, 'volume')} failed`]
      : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
  ]
  return `INCOMPLETE, ${parts.join(', ')}`
}

/** Why more was read back than was asked for, or what is not known where nothing was. */
function describeUnconfirmed({ verified, volumes }: Manifest): string[] {
  if (!volumes.some(({ unconfirmed }) => unconfirmed)) return []
  const what = verified === 'none' ? 'only the sizes of the archives are known' : 'the archives were read back'
  return [`  the server confirms no checksums: ${what}`]
}

/** @param areMixed - whether some of them are differential: then each says what it is */
function volumeRow(backup: VolumeBackup, areMixed: boolean): string[] {
  const { archive, archiveSeconds, snapshot, sampled } = backup
  const rate = formatBytes(archive.rawBytes / Math.max(archiveSeconds, 0.001))
  return [
    backup.mountPoint,
    backup.filesystem,
    ...(areMixed ? [backup.level] : []),
    counted(archive.entries, 'entry', 'entries'),
    `${formatBytes(archive.rawBytes)} -> ${formatBytes(archive.storedBytes)}`,
    `${formatSeconds(archiveSeconds)} (${rate}/s)`,
    describeSource(backup.source, formatSeconds(snapshot.livedSeconds)),
    ...(sampled ? [`${sampled.entries} entries of ${formatSample(sampled)} compared with it`] : []),
  ]
}

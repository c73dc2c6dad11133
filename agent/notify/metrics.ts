/** What became of backups, as Prometheus' textfile collector reads it. */
import { DEPTHS, ExitStatus } from '../contract'
import type { BackupOutput } from '../backup/output-schema'
import type { Manifest } from '../run/manifest'

/** How a run ended. */
export interface RunEnd {
  readonly startedAt: Date
  readonly endedAt: Date
  readonly status: ExitStatus
  /** Absent where the run came to nothing. */
  readonly output?: BackupOutput
}

/** By name: what it is. All are gauges, with the label `class`. */
const METRICS = {
  snapstream_last_run_end_timestamp_seconds: 'When the last backup ended, however it did.',
  snapstream_last_run_status: 'Exit status of the last backup: 0 is a whole success.',
  snapstream_last_run_duration_seconds: 'How long the last backup took.',
  snapstream_last_run_failed_volumes: 'Volumes of the last backup that failed.',
  snapstream_last_run_warnings: 'What could not be read of the volumes that the last backup has.',
  snapstream_last_run_filesystems_left_out: 'Filesystems that the last backup left out.',
  snapstream_last_success_start_timestamp_seconds:
    'When the last backup with status 0 started: nothing after it is safe.',
  snapstream_last_success_duration_seconds: 'How long it took.',
  snapstream_last_success_volumes: 'Volumes in it.',
  snapstream_last_success_entries: 'Files, directories and all else in it.',
  snapstream_last_success_raw_bytes: 'Size of its tar streams.',
  snapstream_last_success_stored_bytes: 'Size of its archives in the bucket.',
  snapstream_last_success_verified: 'How far it was verified: 0 none, 1 checksum, 2 stream, 3 source.',
} as const
type Metric = keyof typeof METRICS
type Measured = [Metric, number]

const OF_SUCCESS = 'snapstream_last_success_'
const LINE = /^(snapstream_[a-z_]+)\{class="([a-z0-9-]{1,32})"\} (-?[0-9]+(?:\.[0-9]+)?)$/

interface Sample {
  readonly name: Metric
  readonly class: string
  readonly value: number
}

/** A larger file is none of ours. */
export const METRICS_BYTES_MAX = 256 * 1024

/**
 * The text of the file after a run: what it had of other classes stays, and so does what it had of the last success where this
 * run was none.
 *
 * @param before - text of the file; of lines that are not ours, nothing stays
 */
export function renewMetrics(before: string, className: string, end: RunEnd): string {
  const isSuccess = end.status === ExitStatus.ok
  const kept = parseMetrics(before).filter(
    (sample) => sample.class !== className || (!isSuccess && sample.name.startsWith(OF_SUCCESS)),
  )
  const own = [...measureRun(end), ...(isSuccess ? measureSuccess(end) : [])]
  return formatMetrics([...kept, ...own.map(([name, value]) => ({ name, class: className, value }))])
}

function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name = '', className = '', value] = LINE.exec(line) ?? []
    return isMetric(name) ? [{ name, class: className, value: Number(value) }] : []
  })
}

function isMetric(name: string): name is Metric {
  return Object.hasOwn(METRICS, name)
}

function measureRun({ startedAt, endedAt, status, output }: RunEnd): Measured[] {
  const run = output && 'failures' in output ? output : undefined
  return [
    ['snapstream_last_run_end_timestamp_seconds', endedAt.getTime() / 1000],
    ['snapstream_last_run_status', status],
    ['snapstream_last_run_duration_seconds', secondsBetween(startedAt, endedAt)],
    ...(run ? measureGaps(run) : []),
  ]
}

function measureGaps(run: Omit<Manifest, 'system'>): Measured[] {
  return [
    ['snapstream_last_run_failed_volumes', run.failures.length],
    ['snapstream_last_run_warnings', sum(run, ({ warnings }) => warnings?.count ?? 0)],
    ['snapstream_last_run_filesystems_left_out', run.notBackedUp.length],
  ]
}

function measureSuccess({ startedAt, endedAt, output }: RunEnd): Measured[] {
  if (!output || !('failures' in output)) return []
  return [
    ['snapstream_last_success_start_timestamp_seconds', startedAt.getTime() / 1000],
    ['snapstream_last_success_duration_seconds', secondsBetween(startedAt, endedAt)],
    ['snapstream_last_success_volumes', output.volumes.length],
    ['snapstream_last_success_entries', sum(output, ({ archive }) => archive.entries)],
    ['snapstream_last_success_raw_bytes', sum(output, ({ archive }) => archive.rawBytes)],
    ['snapstream_last_success_stored_bytes', sum(output, ({ archive }) => archive.storedBytes)],
    ['snapstream_last_success_verified', DEPTHS.indexOf(output.verified)],
  ]
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000)
}

function sum({ volumes }: Pick<Manifest, 'volumes'>, of: (volume: Manifest['volumes'][number]) => number): number {
  return volumes.reduce((total, volume) => total + of(volume), 0)
}

function formatMetrics(samples: readonly Sample[]): string {
  const lines = Object.entries(METRICS).flatMap(([name, help]) => {
    const own = samples.filter((sample) => sample.name === name).toSorted((a, b) => (a.class < b.class ? -1 : 1))
    if (own.length === 0) return []
    const values = own.map((sample) => `${name}{class="${sample.class}"} ${sample.value}`)
    return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...values]
  })
  return `${lines.join('\n')}\n`
}

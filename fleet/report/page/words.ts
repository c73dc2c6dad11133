/** What the page calls things, and how it writes figures. */
import { formatBytes, formatSeconds } from '../../../agent/lib/text'
import type { HostState } from '../../model/records'
import type { PageRun } from '../packed-runs'

export type Tone = 'bad' | 'odd' | 'rest' | 'good'

export const STATES: Readonly<
  Record<HostState, { readonly label: string; readonly tone: Tone; readonly means: string }>
> = {
  never: { label: 'Never', tone: 'bad', means: 'no backup at all' },
  failing: { label: 'Failing', tone: 'bad', means: 'several failures in a row, or damaged' },
  stale: { label: 'Stale', tone: 'bad', means: 'last verified backup too old' },
  unknown: { label: 'Unknown', tone: 'bad', means: 'what is there cannot be judged' },
  suspicious: { label: 'Suspicious', tone: 'odd', means: 'far from what is usual for it' },
  incomplete: { label: 'Incomplete', tone: 'odd', means: 'filesystems or files are missing' },
  unverified: { label: 'Unverified', tone: 'odd', means: 'complete, but nothing was proven' },
  stopped: { label: 'Stopped', tone: 'rest', means: 'switched off, last backups kept' },
  gone: { label: 'Gone', tone: 'rest', means: 'terminated, last backups kept' },
  protected: { label: 'Protected', tone: 'good', means: 'verified, and as young as it has to be' },
}

const COUNT = new Intl.NumberFormat('en')
const ROUGH = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 2 })

export function formatCount(count: number): string {
  return COUNT.format(count)
}

export function hostsOf(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'host' : 'hosts'}`
}

/** Of a figure that is known to two digits. */
export function formatRough(count: number): string {
  return ROUGH.format(count)
}

/** `$1,234`, or with cents below a hundred. */
export function formatMoney(amount: number, currency: string): string {
  const digits = amount < 100 ? 2 : 0
  const parts = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  // What is no currency is no reason to show nothing.
  return /^[A-Z]{3}$/.test(currency)
    ? new Intl.NumberFormat('en', { style: 'currency', currency, ...parts }).format(amount)
    : `${amount.toFixed(digits)} ${currency}`
}

const TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'long', timeZone: 'UTC' })
const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' })

/** `28 Nov 2026, 02:05 UTC` */
export function formatTime(seconds: number): string {
  return `${TIME.format(seconds * 1000)} UTC`
}

/** `Sat 28 November`. @param day - days since 1970 */
export function formatDay(day: number): string {
  return DAY.format(day * 86_400_000).replace(',', '')
}

/** `2.7 : 1`: how many bytes of the host make one that is stored. */
export function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? '–' : `${ratio.toFixed(1)} : 1`
}

/** `+12 %` */
export function formatChange(change: number | undefined): string {
  if (change === undefined) return '–'
  const percent = Math.round(change * 100)
  return percent === 0 ? '±0 %' : `${percent > 0 ? '+' : '−'}${formatCount(Math.abs(percent))} %`
}

function isMissing(state: PageRun['state']): boolean {
  return state === 'objects-missing' || state === 'base-missing'
}

/** What became of a run, as a cell of the calendar shows it. */
export type RunKind = 'good' | 'unverified' | 'incomplete' | 'odd' | 'bad'

export function kindOf({ state, standing }: PageRun): RunKind {
  if (standing === 'damaged' || state === 'unreadable' || isMissing(state)) return 'bad'
  if (state === 'misdated' || state === 'unsupported') return 'odd'
  if (state === 'incomplete') return 'incomplete'
  return standing === 'verified' ? 'good' : 'unverified'
}

const OUTCOMES: Readonly<Record<PageRun['state'], string>> = {
  complete: 'complete',
  incomplete: 'incomplete',
  misdated: 'not written at the time in its name',
  unreadable: 'its manifest cannot be read',
  unsupported: 'made by a later version of Snapstream',
  'objects-missing': 'objects are gone, or of another size',
  'base-missing': 'its base is gone, or does not read back',
}

/** `complete, verified by checksum, 12.3 GiB stored of 40 GiB, 182K entries, 4 min 3 s` */
export function describeRun(run: PageRun): string {
  const read = run.state !== 'unreadable' && run.state !== 'unsupported'
  return [
    OUTCOMES[run.state],
    ...(run.standing === 'damaged' && !isMissing(run.state) ? ['does not read back'] : []),
    ...(read && run.standing !== 'damaged' ? [describeProof(run)] : []),
    ...(read && run.rawBytes > 0
      ? [
          `${formatBytes(run.storedBytes)} stored of ${formatBytes(run.rawBytes)}`,
          `${formatRough(run.entries)} entries`,
          formatSeconds(run.seconds),
        ]
      : []),
  ].join(', ')
}

function describeProof({ standing, verified, sizesOnly }: PageRun): string {
  if (standing === 'verified') return `verified by ${verified}`
  return sizesOnly ? 'only sizes verified' : 'not verified'
}

/** `02:05` */
export function formatClock(seconds: number): string {
  return CLOCK.format(seconds * 1000)
}

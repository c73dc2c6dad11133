/** What the demo has to say, for somebody who has not seen Snapstream before. */
import type { Manifest } from '../agent/run/manifest'
import { formatBytes, columns, formatSeconds } from '../agent/lib/text'
import type { Difference } from '../test/support/tree/compare'
import { countEntries, type Entry } from '../test/support/tree/entry'
import type { AgentRun } from './agent'
import type { FleetShown } from './fleet'
import type { DemoVolume } from './host'
import type { Screen } from './screen'

/** One volume, restored by hand. */
export interface Comparison {
  readonly volume: DemoVolume
  /** What restored it. */
  readonly command: string
  /** The volume as it was when the snapshots were taken, according to the demo's own snapshot. */
  readonly expected: readonly Entry[]
  readonly differences: readonly Difference[]
  /** Differences between that moment and the live volume after the backup. */
  readonly changedSince: number
}

export interface BackupReport {
  /** Of the host: `with LVM`. */
  readonly title: string
  readonly backup: AgentRun
  readonly verification: AgentRun
  readonly manifest: Manifest
  readonly changesSinceSnapshot: number
}

/** Differences shown of each volume. */
const DIFFERENCES_SHOWN = 20

export function reportBackup(screen: Screen, report: BackupReport): void {
  const { title, backup, verification, manifest, changesSinceSnapshot } = report
  const { volumes, consistency } = manifest
  const raw = sum(volumes.map(({ archive }) => archive.rawBytes))
  const stored = sum(volumes.map(({ archive }) => archive.storedBytes))
  const seconds = sum(volumes.map(({ archiveSeconds }) => archiveSeconds))

  screen.heading(`The backup of the host ${title}, as Snapstream reports it`)
  screen.line(`$ ${backup.command}`)
  screen.line(backup.summary)
  screen.line(`$ ${verification.command}`)
  screen.line(verification.summary)

  screen.heading('What happened')
  const rate = formatBytes(raw / Math.max(seconds, 0.001))
  screen.line(
    `  ${formatBytes(raw)} of tar became ${formatBytes(stored)}: ${(raw / stored).toFixed(1)} to 1, at ${rate}/s a volume.`,
  )
  screen.line('  (The machine is emulated, on one processor. "npm run bench" shows what the agent can do on this one.)')
  screen.line(`  The snapshots were taken within ${formatSeconds(consistency.snapshotSpreadSeconds)}.`)
  screen.line(
    `  The programs were held for ${formatSeconds(consistency.heldSeconds)}, in which the demo took snapshots of its own.`,
  )
  screen.line(`  They made ${changesSinceSnapshot} changes while the backup went on.`)
}

export function reportBucket(
  screen: Screen,
  objects: readonly { readonly key: string; readonly sizeBytes: number }[],
): void {
  screen.heading('What lies in the bucket')
  for (const line of columns(objects.map(({ key, sizeBytes }) => [formatBytes(sizeBytes).padStart(9), key])))
    screen.line(line)
}

export function reportRestore(screen: Screen, comparisons: readonly Comparison[]): void {
  screen.heading('How each volume was restored: a plain GET, zstd, tar; nothing of Snapstream')
  for (const { command } of comparisons) screen.line(`$ ${command.replaceAll(' | ', ' \\\n    | ')}`)
}

export function reportFleet(screen: Screen, { command, status, page }: FleetShown): void {
  screen.heading('The fleet, the morning after: a third host was expected, and nobody ever backed it up')
  screen.line(`$ ${command}`)
  screen.line(status)
  screen.line(`The same as a page, to open in a browser: ${page}`)
}

/** Returns whether all is well: nothing differs, nothing is left, and there was something to see. */
export function reportComparison(
  screen: Screen,
  comparisons: readonly Comparison[],
  leftovers: readonly string[],
  seconds: number,
): boolean {
  const expected = comparisons.flatMap((comparison) => comparison.expected)
  const differences = comparisons.flatMap((comparison) => comparison.differences)
  screen.heading('Compared with the moment of the snapshots: every byte, and')
  const counts = Object.entries(countEntries(expected)).map(([kind, count]) => [String(count).padStart(7), kind])
  for (const line of columns(counts)) screen.line(line)

  for (const { volume, differences: ofVolume } of comparisons) reportDifferences(screen, volume, ofVolume)
  for (const leftover of leftovers) screen.bad(`left behind: ${leftover}`)
  const still = comparisons.filter(({ volume, changedSince }) => volume.live && changedSince === 0)
  for (const { volume } of still) screen.bad(`${volume.mountPoint} was not written to meanwhile, so this proves little`)

  const well = differences.length === 0 && leftovers.length === 0 && still.length === 0
  screen.line()
  if (well) {
    const changed = sum(comparisons.map(({ changedSince }) => changedSince))
    screen.good(`NOTHING DIFFERS in ${expected.length} files, and nothing was left behind.`)
    screen.line(
      `(The live volumes have moved on meanwhile: they differ in ${changed} places.) ${formatSeconds(seconds)} in all.`,
    )
  } else {
    screen.bad(`FAILED: ${differences.length} differences, ${leftovers.length} left behind.`)
  }
  return well
}

function reportDifferences(screen: Screen, { mountPoint }: DemoVolume, differences: readonly Difference[]): void {
  for (const { path, what, expected, actual } of differences.slice(0, DIFFERENCES_SHOWN)) {
    const values = expected === actual ? '' : `: ${expected ?? 'none'} became ${actual ?? 'none'}`
    screen.bad(`${mountPoint}: ${JSON.stringify(path)}: ${what}${values.slice(0, 300)}`)
  }
  const hidden = differences.length - DIFFERENCES_SHOWN
  if (hidden > 0) screen.bad(`${mountPoint}: and ${hidden} more`)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

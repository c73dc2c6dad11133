/** What changed between two runs: counted as it comes, and the largest of it kept for people. */
import { ExitStatus } from '../../agent/contract'
import { columns, counted, formatBytes, joinLines } from '../../agent/lib/text'
import { pathOnHost } from '../../agent/tar/entry'
import type { DiffOutput } from './diff-schema'
import type { EntryFacts } from './entry-facts'
import type { Change } from './merge'

export interface Counts {
  new: number
  changed: number
  gone: number
  same: number
  unknown: number
  /** Of files that are new or have changed: what a copy of them takes. */
  newBytes: number
  goneBytes: number
}

export type ReportedChange = DiffOutput['largest'][number]

export interface Tally {
  readonly counts: Readonly<Counts>
  add(change: ReportedChange): void
  addSame(): void
  /** The largest first. */
  largest(): ReportedChange[]
}

/** @param limit - so many are kept */
export function tallyChanges(limit: number): Tally {
  const counts: Counts = { new: 0, changed: 0, gone: 0, same: 0, unknown: 0, newBytes: 0, goneBytes: 0 }
  let kept: ReportedChange[] = []
  return {
    counts,
    add(change) {
      counts[change.change]++
      if (change.change === 'new' || change.change === 'changed') counts.newBytes += change.size ?? 0
      if (change.change === 'gone') counts.goneBytes += change.sizeBefore ?? 0
      kept.push(change)
      // Now and then: sorting for each of millions would take as long as all else.
      if (kept.length >= 2 * limit + 100) kept = largestOf(kept, limit)
    },
    addSame: () => {
      counts.same++
    },
    largest: () => largestOf(kept, limit),
  }
}

function largestOf(changes: readonly ReportedChange[], limit: number): ReportedChange[] {
  return changes.toSorted((a, b) => weight(b) - weight(a) || (a.path < b.path ? -1 : 1)).slice(0, limit)
}

/** What differs least is what only a program sees. */
function weight({ size = 0, sizeBefore = 0 }: ReportedChange): number {
  return Math.max(size, sizeBefore)
}

/** As it is told of: by its path on the host. */
export function reportChange(mountPoint: string, change: Change): ReportedChange {
  const facts = change.change === 'gone' ? change.before : change.after
  return {
    change: change.change,
    ...pathOf(mountPoint, facts),
    type: facts.type,
    ...('after' in change && { size: change.after.size, mtime: change.after.mtime }),
    ...('before' in change && { sizeBefore: change.before.size, mtimeBefore: change.before.mtime }),
    ...('what' in change && { what: [...change.what] }),
  }
}

function pathOf(mountPoint: string, { path }: EntryFacts): { readonly path: string; readonly path64?: string } {
  const bytes = Buffer.from(path, 'latin1')
  const text = bytes.toString()
  const whole = pathOnHost(mountPoint, text)
  if (Buffer.from(text).equals(bytes)) return { path: whole }
  return { path: whole, path64: Buffer.concat([Buffer.from(pathOnHost(mountPoint, '')), bytes]).toString('base64') }
}

/** Status 3 where anything could not be compared: nothing found is not the same as nothing looked at. */
export function formatDiff(output: DiffOutput): { readonly status: ExitStatus; readonly summary: string } {
  const { before, after, totals, volumes, notCompared, largest } = output
  const total = totals.new + totals.changed + totals.gone
  return {
    status: notCompared.length > 0 || totals.unknown > 0 ? ExitStatus.incomplete : ExitStatus.ok,
    summary: joinLines([
      `From ${describeRun(before)} to ${describeRun(after)}${before.host === after.host ? ` of ${after.host}` : ''}: ` +
        `${totals.new} new, ${totals.changed} changed, ${totals.gone} gone, ${totals.same} the same`,
      ...notCompared.map(({ mountPoint, reason }) => `  NOT COMPARED ${mountPoint}: ${reason}`),
      ...(totals.unknown > 0
        ? [`  NOT COMPARED ${counted(totals.unknown, 'entry', 'entries')} that a catalog does not describe`]
        : []),
      ...columns([
        ['FILESYSTEM', 'NEW', 'CHANGED', 'GONE', 'SAME', 'WRITTEN', 'FREED'],
        ...volumes.map((volume) => [
          volume.mountPoint,
          ...[volume.new, volume.changed, volume.gone, volume.same].map(String),
          ...[formatBytes(volume.newBytes), formatBytes(volume.goneBytes)],
        ]),
      ]),
      ...(largest.length === 0
        ? []
        : [largest.length < total ? `  the largest ${largest.length} of ${total}:` : '  all of them:']),
      ...columns(largest.map(formatChange)),
      ...(output.list === undefined ? [] : [`  all of them are in ${output.list}`]),
    ]),
  }

  function describeRun({ host, run }: DiffOutput['before']): string {
    return before.host === after.host ? run : `${run} of ${host}`
  }
}

function formatChange({ change, path, size, sizeBefore, what = [], type }: ReportedChange): string[] {
  const [then, now] = [sizeBefore, size].map((bytes) => (bytes === undefined ? '' : formatBytes(bytes)))
  const sizes = type !== 'file' ? type : then && now && then !== now ? `${then} -> ${now}` : ((now || then) ?? '')
  return [change, sizes, path, what.join(', ')]
}

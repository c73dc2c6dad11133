/** One host on a terminal: all that an operator wants to know before doing something about it. */
import { columns as table, counted, formatBytes, formatSeconds, joinLines } from '../../agent/lib/text'
import type { Told } from '../../agent/outcome'
import { isDamaged } from '../model/runs'
import {
  CALM_STATES,
  type ClassHistory,
  type ClassView,
  type HostView,
  type RunDetail,
  type RunRecord,
} from '../model/records'
import { ageOf, describeExplanation } from '../model/wording'
import { cut, sparkline, wrap } from './layout'
import type { hostOutput } from './output-schema'

/** What `host` tells programs. */
export type HostOutput = Told<typeof hostOutput>

/** Runs of each class that people are shown, where they do not say how many. */
const RUNS_SHOWN = 8
/** Runs whose sizes are drawn. */
const BARS_MAX = 40
/** What went wrong that is told in full: the rest is more of the same. */
const FAILURES_SHOWN = 5
const LEFT_OUT_SHOWN = 20

export interface HostOptions {
  readonly columns: number
  /** Runs of each class that are shown. */
  readonly limit?: number | undefined
  /** Whether Systems Manager was asked what became of its commands. */
  readonly asked: boolean
}

export function formatHost(given: HostOutput, options: HostOptions): string {
  const { view, classes, at } = given
  const parts = [
    describeWho(view, at, options),
    ...classes.map((history) => {
      const judged = view.classes.find((each) => each.class === history.class)
      return describeClass(history, judged, at, options)
    }),
    ...view.classes
      .filter(({ class: name }) => !classes.some((history) => history.class === name))
      .map(({ class: name, reason }) => wrap(`class ${name}: ${reason}`, options.columns, '')),
    describeLeftOut(given, options),
    describeTrouble(given, options),
    describeDrill(view, at, options),
  ]
  return joinLines(
    parts.filter((lines) => lines.length > 0).flatMap((lines, index) => (index > 0 ? ['', ...lines] : lines)),
  )
}

function describeWho(view: HostView, at: number, { columns }: HostOptions): string[] {
  const { host, name, account, region, power, managed } = view
  const title = name === undefined || name === host ? host : `${name} (${host})`
  const expectedBy = view.expectedBy.map((by) => EXPECTED_BY[by])
  const facts = [
    power === undefined ? '' : `${power} in EC2`,
    managed === undefined ? '' : describePing(managed, at),
    account === undefined ? '' : `account ${account}`,
    region ?? '',
    expectedBy.length === 0 ? '' : `expected because ${expectedBy.join(', ')}`,
    `${formatBytes(view.storedBytes)} stored`,
  ].filter((fact) => fact !== '')
  const since = view.stateSince >= at ? '' : ` for ${ageOf(view.stateSince, at)}`
  return [
    ...wrap(title, columns, ''),
    ...wrap(facts.join('; '), columns, '  '),
    ...wrap(`${view.state.toUpperCase()}${since}: ${view.reason}`, columns, ''),
    ...(view.advice === '' ? [] : wrap(view.advice, columns, '> ')),
  ]
}

const EXPECTED_BY: Readonly<Record<HostView['expectedBy'][number], string>> = {
  tag: 'it bears the tag of a schedule',
  managed: 'Systems Manager manages it',
  manifest: 'it has had runs',
  list: 'the configuration names it',
}

function describePing({ ping, lastPingAt }: NonNullable<HostView['managed']>, at: number): string {
  const age = lastPingAt === undefined ? '' : `, heard ${ageOf(lastPingAt, at)} ago`
  return `SSM agent ${ping}${age}`
}

function describeClass(
  { class: name, runs, newest }: ClassHistory,
  view: ClassView | undefined,
  at: number,
  { columns, limit = RUNS_SHOWN }: HostOptions,
): string[] {
  const shown = runs.slice(0, limit)
  const judged = view
    ? `: ${view.state}, at most ${view.maxAgeHours} h old is wanted`
    : ': no schedule makes it any more'
  const more =
    runs.length > shown.length ? [`  … and ${counted(runs.length - shown.length, 'more run')}: --limit shows more`] : []
  return [
    ...wrap(`class ${name}${judged}`, columns, ''),
    ...fitting(
      [
        ['RUN', 'AGE', 'STATE', 'VERIFIED', 'STORED', 'ENTRIES', 'TOOK'],
        ...shown.map((run) => [
          run.run,
          ageOf(run.writtenAt, at),
          run.bases ? `${run.state}, differential` : run.state,
          describeVerified(run),
          formatBytes(run.storedBytes),
          String(run.entries),
          formatSeconds(run.seconds).replace(/ min .*/, ' min'),
        ]),
      ],
      columns,
    ),
    ...more,
    ...describeSizes(runs),
    ...(newest ? describeVolumes(newest, columns) : []),
  ]
}

/** A table without as many of its last columns as there is no room for. */
function fitting(rows: readonly (readonly string[])[], columns: number): string[] {
  const lines = table(rows)
  const isNarrow = (rows[0]?.length ?? 0) <= 2 || lines.every((line) => line.length <= columns)
  return isNarrow
    ? lines
    : fitting(
        rows.map((row) => row.slice(0, -1)),
        columns,
      )
}

/** As the one who verified it last says. */
function describeVerified(run: RunRecord): string {
  const { verdict, verified, sizesOnly } = run
  if (verdict) return `${verdict.ok ? '' : 'FAILED '}${verdict.depth}${verdict.by === 'operator' ? '' : ', by host'}`
  return sizesOnly ? 'sizes' : verified
}

/** Oldest to newest. */
function describeSizes(runs: readonly RunRecord[]): string[] {
  const sizes = runs
    .filter(({ state }) => state === 'complete' || state === 'incomplete')
    .slice(0, BARS_MAX)
    .map(({ storedBytes }) => storedBytes)
    .reverse()
  if (sizes.length < 2) return []
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
  const range = least === most ? formatBytes(most) : `${formatBytes(least)} to ${formatBytes(most)}`
  return [`  stored, oldest to newest: ${sparkline(sizes)}`, `  ${' '.repeat(26)}${range}`]
}

function describeVolumes({ volumes, os, agentVersion, run }: RunDetail, columns: number): string[] {
  if (volumes.length === 0) return []
  return [
    ...wrap(`volumes of ${run} (${os === '' ? '' : `${os}, `}agent ${agentVersion}):`, columns, '  '),
    ...table([
      ['  MOUNT POINT', 'FILESYSTEM', 'SOURCE', 'RAW', 'STORED', 'ENTRIES', ''],
      ...volumes.map((volume) => [
        `  ${cut(volume.mountPoint, 24)}`,
        cut(volume.filesystem, 10),
        cut(volume.source, 6),
        formatBytes(volume.rawBytes),
        formatBytes(volume.storedBytes),
        String(volume.entries),
        [
          ...(volume.base === undefined ? [] : ['differential']),
          ...(volume.warnings === 0 ? [] : [counted(volume.warnings, 'warning')]),
        ].join(', '),
      ]),
    ]),
  ]
}

/** What failed is told of with all that went wrong. */
function describeLeftOut(given: HostOutput, { columns }: HostOptions): string[] {
  const failed = new Set(
    given.classes.flatMap(({ newest }) => newest?.failures.map(({ mountPoint }) => mountPoint) ?? []),
  )
  const leftOut = given.view.leftOut.filter(({ mountPoint }) => !failed.has(mountPoint))
  if (leftOut.length === 0) return []
  const more = leftOut.length - LEFT_OUT_SHOWN
  return [
    'filesystems that the newest run leaves out:',
    ...leftOut
      .slice(0, LEFT_OUT_SHOWN)
      .flatMap(({ mountPoint, reason }) => wrap(`${mountPoint}: ${reason}`, columns, '  ')),
    ...(more > 0 ? [`  … and ${counted(more, 'more filesystem')}: --json has all of them`] : []),
  ]
}

/** The newest of each kind: failures that a manifest tells of, what commands came to, what does not read back. */
function describeTrouble({ classes, explanations, at, view }: HostOutput, { columns, asked }: HostOptions): string[] {
  const failures = classes.flatMap(({ newest, class: name }) =>
    (newest?.failures ?? []).map((failure) => ({ ...failure, class: name })),
  )
  const damaged = classes.flatMap(({ runs }) => runs.filter(isDamaged)).slice(0, FAILURES_SHOWN)
  const lines = [
    ...failures
      .slice(0, FAILURES_SHOWN)
      .flatMap((failure) => [
        ...wrap(`${failure.class}, ${failure.mountPoint}: ${failure.code}: ${failure.message}`, columns, '  '),
        ...wrap(failure.hint, columns, '    > '),
      ]),
    ...damaged.flatMap((run) => wrap(describeDamage(run, at), columns, '  ')),
    ...explanations
      .toSorted((a, b) => b.at - a.at)
      .slice(0, FAILURES_SHOWN)
      .flatMap((each) => wrap(describeExplanation(each, at), columns, '  ')),
    ...(asked || CALM_STATES.has(view.state)
      ? []
      : wrap('what Systems Manager knows of its commands was not asked for: --inventory ask does', columns, '  ')),
  ]
  return lines.length === 0 ? [] : ['what went wrong last:', ...lines]
}

function describeDamage({ run, state, verdict }: RunRecord, at: number): string {
  if (state === 'base-missing') return `${run}: its base is not there, or does not read back`
  if (state === 'objects-missing') return `${run}: objects that its manifest names are not there, or of another size`
  return `${run} did not read back${verdict ? ` ${ageOf(verdict.at, at)} ago (${verdict.depth})` : ''}`
}

function describeDrill({ drill }: HostView, at: number, { columns }: HostOptions): string[] {
  if (!drill) return wrap('No restore of this host has been tried: schedule a drill.', columns, '')
  const { run, ok, restoreSeconds, restoredBytes, problem, share } = drill
  const part = share === undefined ? '' : share === 'part' ? ' (a part of it)' : ` (part ${share} of it)`
  const what = ok
    ? `${formatBytes(restoredBytes)} came back in ${formatSeconds(restoreSeconds)}`
    : `IT FAILED: ${problem}`
  return wrap(`last restore on trial, ${ageOf(drill.at, at)} ago, of ${run}${part}: ${what}`, columns, '')
}

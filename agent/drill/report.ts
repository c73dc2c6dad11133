/** What is told of a drill when it is over. */
import { onPage } from '../pages'
import { formatBytes, formatSeconds, counted, joinLines } from '../lib/text'
import type { Told } from '../outcome'
import type { drillOutput, drillRecordSchema } from './output-schema'

export type DrillReport = Told<typeof drillRecordSchema>
export type DrillOutput = Told<typeof drillOutput>

/** Where it lies, and what is left of it. */
export interface Ending {
  readonly bucket: string
  /** Key of its record, if there is one. */
  readonly recorded: string | undefined
  readonly leftBehind: readonly string[]
}

/** The verdict first, then what is wrong, for whoever is woken by it. */
export function formatDrill(report: DrillReport, { bucket, recorded, leftBehind }: Ending): string {
  const { host, run, ok, problems, entries, restoredBytes, restoreSeconds, volumes, share, checkScript } = report
  const what = share === undefined ? '' : ` (${share === 'part' ? 'a part' : `part ${share}`})`
  const compared = ['its catalog', 'its archive', ...(checkScript === undefined ? [] : [checkScript])]
  return joinLines([
    `Drill of ${host}, run ${run}${what}: ${ok ? 'OK' : 'FAILED'}`,
    ...problems.map((problem) => `  PROBLEM ${problem}`),
    ...(ok ? [] : [`    HINT: See ${onPage('runbook', 'A restore drill failed')}.`]),
    ...leftBehind.map((line) => `  LEFT BEHIND ${line}`),
    `  restored ${counted(entries, 'entry', 'entries')}, ${formatBytes(restoredBytes)}, of ${volumes.join(', ') || 'no volume'} in ${formatSeconds(restoreSeconds)}`,
    ...(ok ? [`  compared with ${compared.join(', ')}`] : []),
    recorded === undefined
      ? '  NOT RECORDED: these credentials may not write below drills/'
      : `  recorded: s3://${bucket}/${recorded}`,
  ])
}

/** What is not as it should be, as far as it helps anybody. */
import { printableLine } from '../lib/printable'
import { counted } from '../lib/text'
import type { RestoreReport, VolumeReport } from '../restore/report'
import { DRILL_PROBLEMS_MAX } from '../run/drill-record'

/**
 * Hosts choose the names that are told of: whatever they are, a record has to stay below what its readers take
 * (`DRILL_BYTES_MAX`), since one that nobody reads would leave the last success standing.
 */
const PROBLEM_CHARACTERS_MAX = 300
const VOLUMES_MAX = 20
const VOLUME_CHARACTERS_MAX = 100

export interface Problems {
  add(problem: string): void
  count(): number
  /** The first of them, and how many more there are. */
  list(): readonly string[]
}

export function collectProblems(): Problems {
  const first: string[] = []
  let count = 0
  return {
    add(problem) {
      count++
      if (first.length < DRILL_PROBLEMS_MAX) first.push(cut(problem, PROBLEM_CHARACTERS_MAX))
    },
    count: () => count,
    list: () => (count > first.length ? [...first, `and ${counted(count - first.length, 'more problem')}`] : first),
  }
}

/** Mount points as a record has them: the first of them, and how many more there are. */
export function nameVolumes(mountPoints: readonly string[]): string[] {
  const first = mountPoints.slice(0, VOLUMES_MAX).map((mountPoint) => cut(mountPoint, VOLUME_CHARACTERS_MAX))
  const left = mountPoints.length - first.length
  return left > 0 ? [...first, `and ${left} more`] : first
}

/** One line; of a long one, the beginning and the end. */
function cut(text: string, charactersMax: number): string {
  const line = printableLine(text)
  if (line.length <= charactersMax) return line
  const half = charactersMax / 2
  return `${line.slice(0, half)}…${line.slice(-half)}`
}

/** What a restore did not bring back, or not as it was: a drill is content with nothing less than all of it. */
export function restoreProblems({
  volumes,
  failures,
  absent,
  warned,
}: Pick<RestoreReport, 'volumes' | 'failures' | 'absent' | 'warned'>): string[] {
  return [
    ...failures.map(({ mountPoint, message, hint }) => `${mountPoint} was not restored: ${message}. ${hint}`),
    ...absent.filter(({ failed }) => failed).map(({ mountPoint, why }) => `${mountPoint} is not in the run: it ${why}`),
    ...warned
      .filter(({ isWhole }) => isWhole)
      .map(({ mountPoint, warnings }) => {
        const { count = 0, lines = [] } = warnings ?? {}
        return `${mountPoint} was backed up with ${counted(count, 'warning')}: ${lines[0] ?? ''}`
      }),
    ...volumes.flatMap(volumeProblems),
  ]
}

/** By the field that counts them: why entries did not come back. */
const LEFT_OUT = {
  failed: 'were not restored',
  lost: 'are lost with damaged frames',
  tooLong: 'have paths that are too long to be restored',
  impossible: 'are such as Linux has none',
  byHand: 'can only be restored by hand',
} as const

function volumeProblems(volume: VolumeReport): string[] {
  const { mountPoint, complaint } = volume
  const leftOut = Object.entries(LEFT_OUT).flatMap(([field, why]) => {
    const name = field as keyof typeof LEFT_OUT
    const count = volume[`${name}Entries`]
    return count === 0
      ? []
      : [`of ${mountPoint}, ${counted(count, 'entry', 'entries')} ${why}: ${volume[name].join(', ')}`]
  })
  return [...leftOut, ...(complaint === '' ? [] : [`${mountPoint}: ${complaint}`])]
}

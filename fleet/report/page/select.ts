/** Which hosts are shown, and in which order. */
import { CALM_STATES, type HostState } from '../../model/records'
import type { Host } from './fleet'

export interface Filter {
  /** Words, each of which has to be somewhere. */
  readonly text: string
  readonly state: HostState | 'trouble' | 'overdue' | ''
  readonly account: string
  readonly class: string
}

export const NO_FILTER: Filter = { text: '', state: '', account: '', class: '' }

export function selectHosts(hosts: readonly Host[], filter: Filter): readonly Host[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  return hosts.filter(
    (host) =>
      words.every((word) => host.searched.includes(word)) &&
      hasState(host, filter.state) &&
      (filter.account === '' || host.account === filter.account) &&
      (filter.class === '' || host.classes.some((of) => of.class === filter.class)),
  )
}

function hasState(host: Host, state: Filter['state']): boolean {
  if (state === '') return true
  if (state === 'trouble') return !CALM_STATES.has(host.state)
  return state === 'overdue' ? host.overdue : host.state === state
}

/** What a column is sorted by. What is not known comes last, whichever way. */
export type SortKey<Of> = (of: Of) => string | number | undefined

export function sortBy<Of>(rows: readonly Of[], key: SortKey<Of>, descending: boolean): Of[] {
  const direction = descending ? -1 : 1
  return rows
    .map((row) => ({ row, value: key(row) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return a.value === b.value ? 0 : a.value === undefined ? 1 : -1
      return direction * compare(a.value, b.value)
    })
    .map(({ row }) => row)
}

const COLLATOR = new Intl.Collator('en', { numeric: true })

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : COLLATOR.compare(String(a), String(b))
}

/** Of the class that is behind its objective the most, or of the one that is chosen. */
export function findBehind(host: Host, className: string, at: number): Host['classes'][number] | undefined {
  const classes = host.classes.filter((of) => className === '' || of.class === className)
  return classes.reduce<Host['classes'][number] | undefined>(
    (a, b) => (a === undefined || shareOfObjective(b, at) > shareOfObjective(a, at) ? b : a),
    undefined,
  )
}

/** How much of the time that its last good run may be old is over. One that waits for its first has no say. */
function shareOfObjective({ lastGoodAt, maxAgeHours, overdue }: Host['classes'][number], at: number): number {
  if (lastGoodAt === null) return overdue ? Infinity : -1
  return (at - lastGoodAt) / (maxAgeHours * 3600)
}

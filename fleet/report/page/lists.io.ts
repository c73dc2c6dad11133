/** What nobody backs up, and which restores were proven. */
import { formatBytes, formatSeconds } from '../../../agent/lib/text'
import { ageOf } from '../../model/wording'
import { element, section } from './dom.io'
import type { Fleet, Host } from './fleet'
import { sliceTable } from './table.io'
import { formatCount, formatRough, hostsOf } from './words'

/** A section that shows what concerns certain hosts. */
export interface HostsSection {
  readonly node: HTMLElement
  show(hosts: readonly Host[]): void
  print(rowsMax: number | undefined): void
}

/** Hosts that are named for each filesystem (design limit). */
const NAMED_MAX = 5
const ROWS = 15

interface LeftOut {
  readonly mountPoint: string
  readonly reason: string
  readonly hosts: readonly Host[]
}

export function leftOutList(): HostsSection {
  const unknown = element('p', { class: 'note tone-bad' })
  const table = sliceTable<LeftOut>({
    id: 'left-out-table',
    caption: 'Filesystems that nobody backs up',
    rowsPerSlice: ROWS,
    empty: 'None: the newest runs of these hosts have all of their filesystems.',
    sortedBy: 'Hosts',
    columns: [
      {
        title: 'Filesystem',
        header: true,
        key: (row) => row.mountPoint,
        cell: (row) => element('bdi', { class: 'mono' }, row.mountPoint),
      },
      { title: 'Why', key: ({ reason }) => reason, cell: ({ reason }) => reason },
      {
        title: 'Hosts',
        class: 'number',
        descending: true,
        key: ({ hosts }) => hosts.length,
        cell: ({ hosts }) => formatCount(hosts.length),
      },
      { title: 'Which', class: 'wide', cell: ({ hosts }) => nameSome(hosts) },
    ],
  })
  return {
    node: section('left-out', 'Filesystems nobody backs up', table.node, unknown),
    show(hosts) {
      const unread = hosts.filter(
        ({ volumes, failures, leftOut }) => !(volumes.length + failures.length + leftOut.length),
      )
      unknown.hidden = unread.length === 0
      unknown.textContent = `Of ${hostsOf(unread.length)} nothing is known: they have no run that says what is in it.`
      const rows = hosts.flatMap((host) => host.leftOut.map((row) => ({ ...row, of: host })))
      const groups = Map.groupBy(rows, ({ mountPoint, reason }) => `${mountPoint}\n${reason}`)
      table.show(
        [...groups.values()].flatMap((group) =>
          group.slice(0, 1).map((row) => ({ ...row, hosts: group.map(({ of }) => of) })),
        ),
      )
    },
    print: (rowsMax) => table.print(rowsMax),
  }
}

function nameShare(share = ''): string {
  return share === 'part' ? 'a part' : `part ${share}`
}

export function drillList({ at }: Fleet): HostsSection {
  const summary = element('p')
  const table = sliceTable<Host>({
    id: 'drills-table',
    caption: 'Last proven restores',
    rowsPerSlice: ROWS,
    empty:
      'No restore of these hosts has been tried. A backup is as good as its last restore: give the stack a schedule that drills.',
    columns: [
      { title: 'Host', header: true, key: ({ label }) => label, cell: ({ label }) => element('bdi', {}, label) },
      {
        title: 'Result',
        key: ({ drill }) => (drill?.ok ? 1 : 0),
        cell: ({ drill }) => [
          element('span', { class: `chip chip-${drill?.ok ? 'good' : 'bad'}` }, drill?.ok ? 'Proven' : 'Failed'),
          drill?.problem !== '' && element('span', { class: 'reason' }, drill?.problem),
          drill?.share !== '' && element('span', { class: 'reason' }, `of it ${nameShare(drill?.share)}`),
        ],
      },
      {
        title: 'When',
        class: 'number',
        descending: true,
        key: ({ drill }) => at - (drill?.at ?? 0),
        cell: ({ drill }) => `${ageOf(drill?.at ?? 0, at)} ago`,
      },
      {
        title: 'Took',
        class: 'number',
        descending: true,
        key: ({ drill }) => drill?.restoreSeconds,
        cell: ({ drill }) => formatSeconds(drill?.restoreSeconds ?? 0),
      },
      {
        title: 'Restored',
        class: 'number wide',
        descending: true,
        key: ({ drill }) => drill?.restoredBytes,
        cell: ({ drill }) => formatBytes(drill?.restoredBytes ?? 0),
      },
      {
        title: 'Entries',
        class: 'number wide',
        descending: true,
        key: ({ drill }) => drill?.entries,
        cell: ({ drill }) => formatRough(drill?.entries ?? 0),
      },
      {
        title: 'Run',
        class: 'wide',
        key: ({ drill }) => drill?.run,
        cell: ({ drill }) => element('span', { class: 'mono' }, `${drill?.class} ${drill?.run}`),
      },
    ],
  })
  return {
    node: section('drills', 'Last proven restores', summary, table.node),
    show(hosts) {
      const drilled = hosts.filter(({ drill }) => drill !== undefined)
      summary.textContent = `${formatCount(drilled.filter(({ drill }) => drill?.ok).length)} of ${hostsOf(hosts.length)} have a restore that was proven; ${formatCount(hosts.length - drilled.length)} were never tried.`
      // What failed comes first, then what was proven the longest ago.
      table.show(
        drilled.toSorted(
          (a, b) => Number(a.drill?.ok) - Number(b.drill?.ok) || (a.drill?.at ?? 0) - (b.drill?.at ?? 0),
        ),
      )
    },
    print: (rowsMax) => table.print(rowsMax),
  }
}

function nameSome(hosts: readonly Host[]): string {
  const named = hosts.slice(0, NAMED_MAX).map(({ label }) => label)
  const more = hosts.length - named.length
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

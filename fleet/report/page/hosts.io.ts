/** Hosts by trouble. */
import { formatBytes } from '../../../agent/lib/text'
import { ageOf } from '../../model/wording'
import { HOST_STATES } from '../../model/records'
import { sparkline } from './charts.io'
import { stateChip } from './chip.io'
import { element } from './dom.io'
import type { Fleet, Host } from './fleet'
import { hostDetails } from './details.io'
import { findBehind } from './select'
import { sizesOf } from './series'
import { sliceTable, type SliceTable } from './table.io'

const ROWS = 50

export function hostTable(fleet: Fleet, className: () => string): SliceTable<Host> {
  const { at } = fleet
  const behind = (host: Host) => findBehind(host, className(), at)
  return sliceTable<Host>({
    id: 'hosts-table',
    caption: 'Hosts, the worst first',
    rowsPerSlice: ROWS,
    empty: 'No host is like that.',
    sortedBy: 'State',
    nameOf: ({ label }) => label,
    more: (host) => hostDetails(host, fleet),
    columns: [
      {
        title: 'State',
        class: 'state',
        key: (host) => HOST_STATES.indexOf(host.state) * 1e6 + host.place,
        cell: (host) => [
          stateChip(host.state),
          element('span', { class: 'note wide' }, at - host.since < 60 ? 'since now' : `for ${ageOf(host.since, at)}`),
        ],
      },
      {
        title: 'Host',
        class: 'host',
        header: true,
        key: ({ label }) => label,
        cell: (host) => [
          element('bdi', { class: 'name' }, host.label),
          ...(host.label === host.id ? [] : [' ', element('bdi', { class: 'id' }, host.id)]),
          ' ',
          element('span', { class: 'reason' }, host.reason),
        ],
      },
      {
        title: 'Account',
        class: 'wide',
        key: ({ account, region }) => `${account} ${region}`,
        cell: ({ account, region }) => [
          element('span', { class: 'figure' }, account === '' ? '–' : account),
          element('span', { class: 'note' }, region),
        ],
      },
      {
        title: 'Last good',
        class: 'number',
        descending: true,
        key: (host) => at - (behind(host)?.lastGoodAt ?? -Infinity),
        cell: (host) => {
          const of = behind(host)
          if (!of) return '–'
          const age = of.lastGoodAt === null ? 'never' : ageOf(of.lastGoodAt, at)
          return [
            element('span', { class: of.overdue && host.overdue ? 'tone-bad figure' : 'figure' }, age),
            element('span', { class: 'note wide' }, `of ${of.maxAgeHours} h`),
          ]
        },
      },
      {
        title: 'Runs',
        class: 'number wide',
        descending: true,
        key: ({ classes }) => classes.reduce((sum, { count }) => sum + count, 0),
        cell: ({ classes }) => classes.reduce((sum, { count }) => sum + count, 0),
      },
      {
        title: 'Stored',
        class: 'number mid',
        descending: true,
        key: ({ storedBytes }) => storedBytes,
        cell: ({ storedBytes }) => formatBytes(storedBytes),
      },
      {
        title: 'Size of runs',
        class: 'wide trend',
        cell: (host) => sparkline(sizesOf(host, className())[0]?.stored ?? []),
      },
    ],
  })
}

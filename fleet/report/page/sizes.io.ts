/** Sizes and ratio over time: of the fleet as a chart, of each host as a line. */
import { formatBytes } from '../../../agent/lib/text'
import { fleetChart, sparkline } from './charts.io'
import { element, section } from './dom.io'
import type { Fleet, Host } from './fleet'
import { daysUntil } from './nights'
import { fleetDays, sizesOf, type HostSizes } from './series'
import { sliceTable } from './table.io'
import type { HostsSection } from './lists.io'
import { formatChange, formatDay, formatRatio } from './words'

/** Worth a look: a host seldom grows or shrinks by that much in a night (design limit). */
const FAR = 0.5
/** Narrower, nobody can read it: a phone scrolls (design limit). */
const CHART_WIDTH_MIN = 460

export function sizes(fleet: Fleet, className: () => string): HostsSection {
  const days = daysUntil(fleet.at, fleet.days)
  const chart = element('figure', { class: 'fleet-chart' })
  const table = sliceTable<HostSizes>({
    id: 'sizes-table',
    caption: 'Sizes of hosts, the largest first',
    rowsPerSlice: 15,
    empty: 'None of these hosts has a run with sizes.',
    sortedBy: 'Stored',
    columns: [
      {
        title: 'Host',
        header: true,
        class: 'host',
        key: ({ host }) => host.label,
        cell: ({ host }) => element('bdi', {}, host.label),
      },
      { title: 'Class', class: 'wide', key: (row) => row.class, cell: (row) => row.class },
      {
        title: 'Size',
        class: 'number wide',
        descending: true,
        key: ({ newest }) => newest.rawBytes,
        cell: ({ newest }) => formatBytes(newest.rawBytes),
      },
      {
        title: 'Stored',
        class: 'number',
        descending: true,
        key: ({ newest }) => newest.storedBytes,
        cell: ({ newest }) => formatBytes(newest.storedBytes),
      },
      {
        title: 'Ratio',
        class: 'number wide',
        descending: true,
        key: ({ ratio }) => ratio,
        cell: ({ ratio }) => formatRatio(ratio),
      },
      {
        title: 'Change',
        class: 'number',
        descending: true,
        key: ({ change }) => (change === undefined ? undefined : Math.abs(change)),
        cell: ({ change }) =>
          element('span', { class: Math.abs(change ?? 0) >= FAR ? 'tone-odd' : undefined }, formatChange(change)),
      },
      { title: 'Size of runs', class: 'trend', cell: ({ stored }) => sparkline(stored) },
    ],
  })
  return {
    node: section(
      'sizes',
      'Sizes and ratio',
      chart,
      element(
        'p',
        { class: 'note' },
        'Size and Stored are of the newest run; Change holds it against the median of up to ten runs before.',
      ),
      table.node,
    ),
    show(hosts) {
      chart.replaceChildren(...drawFleet(hosts, className(), days, Math.max(CHART_WIDTH_MIN, chart.clientWidth)))
      table.show(hosts.flatMap((host) => sizesOf(host, className())))
    },
    print: (rowsMax) => table.print(rowsMax),
  }
}

function drawFleet(hosts: readonly Host[], className: string, days: readonly number[], width: number): Node[] {
  const present = [...new Set(hosts.flatMap(({ classes }) => classes.map((of) => of.class)))].sort()
  const classes = className === '' ? present : [className]
  const figures = fleetDays(hosts, classes, days)
  const rows = figures.map(({ day, total, ratio, runs }) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, formatDay(day)),
      ...[String(runs), formatBytes(total), formatRatio(ratio)].map((text) => element('td', { class: 'number' }, text)),
    ),
  )
  const heads = ['Day', 'Runs', 'Stored', 'Ratio'].map((title) => element('th', { scope: 'col' }, title))
  return [
    element(
      'figcaption',
      {},
      'Stored by day',
      element(
        'span',
        { class: 'keys' },
        ...classes
          .slice(0, 4)
          .map((name, place) => element('span', { class: 'key' }, element('i', { class: `series-${place}` }), name)),
        element('span', { class: 'key' }, element('i', { class: 'ratio-key' }), 'ratio of compression'),
      ),
    ),
    fleetChart(figures, width),
    element(
      'details',
      {},
      element('summary', {}, 'The same as a table'),
      element(
        'div',
        { class: 'frame' },
        element(
          'table',
          { class: 'figures' },
          element('thead', {}, element('tr', {}, ...heads)),
          element('tbody', {}, ...rows),
        ),
      ),
    ),
  ]
}

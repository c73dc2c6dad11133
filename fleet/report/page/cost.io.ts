/** What the backups cost, and where nobody could look for hosts. */
import { formatBytes } from '../../../agent/lib/text'
import { stateChip } from './chip.io'
import { element, section, type Child } from './dom.io'
import type { Fleet, Host } from './fleet'
import type { HostsSection } from './lists.io'
import { sliceTable } from './table.io'
import { formatCount, formatMoney } from './words'

export function costList({ cost, policies }: Fleet): HostsSection {
  const money = (amount: number | null) => (amount === null || !cost ? '–' : formatMoney(amount, cost.currency))
  const table = sliceTable<Host>({
    id: 'cost-table',
    caption: 'Cost by host, the most expensive first',
    rowsPerSlice: 10,
    empty: 'None of these hosts has anything stored.',
    sortedBy: 'Per month',
    columns: [
      { title: 'Host', header: true, key: ({ label }) => label, cell: ({ label }) => element('bdi', {}, label) },
      { title: 'State', class: 'wide', key: ({ place }) => place, cell: ({ state }) => stateChip(state) },
      { title: 'Account', class: 'wide', key: ({ account }) => account, cell: ({ account }) => account },
      {
        title: 'Stored',
        class: 'number',
        descending: true,
        key: ({ storedBytes }) => storedBytes,
        cell: ({ storedBytes }) => formatBytes(storedBytes),
      },
      {
        title: 'Per month',
        class: 'number',
        descending: true,
        key: ({ perMonth }) => perMonth ?? undefined,
        cell: ({ perMonth }) => money(perMonth),
      },
    ],
  })
  return {
    node: section(
      'cost',
      'Cost',
      ...(cost
        ? [...describeCost(cost, policies, money), element('h3', {}, 'By host'), table.node]
        : [element('p', { class: 'nothing' }, 'No prices were given: "snapstream-fleet cost" has them.')]),
    ),
    show: (hosts) => table.show(hosts.filter(({ storedBytes }) => storedBytes > 0)),
    print: (rowsMax) => table.print(rowsMax),
  }
}

function describeCost(
  { classes, notes, gone, whatIf = [], perMonth }: NonNullable<Fleet['cost']>,
  policies: Fleet['policies'],
  money: (amount: number) => string,
): HTMLElement[] {
  const kept = new Map(
    policies.map((policy) => [policy.name, `${policy.expireAfterDays} d, and the last ${policy.keepAtLeast}`]),
  )
  const byClass = classes.map((row) => [
    ...[row.class, row.storageClass, kept.get(row.class) ?? '–', formatBytes(row.storedBytes), money(row.perMonth)],
    row.note,
  ])
  const ifs = whatIf.map((row) => [
    ...[row.class, row.storageClass ?? 'as it is now', money(row.perMonth), money(row.readBack), row.note],
  ])
  return [
    element(
      'p',
      {},
      element('strong', {}, money(perMonth)),
      ' a month for what is stored today',
      gone &&
        gone.hosts > 0 &&
        `; ${money(gone.perMonth)} of it for terminated hosts (${formatCount(gone.hosts)}), whose last runs are kept`,
      '.',
    ),
    plainTable(
      'Cost by class',
      ['Class', 'Storage class', 'Kept for', 'Stored', 'Per month', 'Beware'],
      byClass,
      [3, 4],
    ),
    ...notes.map((note) => element('p', { class: 'note' }, note)),
    ...(ifs.length > 0
      ? [
          element(
            'details',
            {},
            element('summary', {}, 'What another storage class would cost'),
            plainTable(
              'Cost in other storage classes',
              ['Class', 'All in', 'Per month', 'To read all once', 'Beware'],
              ifs,
              [2, 3],
            ),
          ),
        ]
      : []),
  ]
}

export function accountList({ accounts, hosts }: Fleet): HTMLElement {
  const unread = accounts.filter(({ problem }) => problem !== undefined)
  const counts = Map.groupBy(hosts, ({ account, region }) => `${account} ${region}`)
  return section(
    'accounts',
    'Accounts',
    element(
      'p',
      { class: unread.length > 0 ? 'alarm' : '' },
      unread.length > 0
        ? `${unread.length} of ${accounts.length} could not be read: whether there are hosts without a backup in them, nobody knows.`
        : accounts.length > 0
          ? 'All of them could be read.'
          : 'None is configured: only hosts that have written a backup, or are listed, are known.',
    ),
    accounts.length > 0 &&
      plainTable(
        'Accounts in which hosts are looked for',
        ['Account', 'Region', 'Hosts', 'Could be read'],
        accounts
          .toSorted((a, b) => Number(a.problem === undefined) - Number(b.problem === undefined))
          .map(({ account, region, problem }) => [
            account,
            region,
            problem === undefined ? formatCount(counts.get(`${account} ${region}`)?.length ?? 0) : 'unknown',
            problem === undefined ? 'yes' : element('span', { class: 'tone-bad' }, `no: ${problem}`),
          ]),
        [2],
      ),
  )
}

function plainTable(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly Child[])[],
  numbers: readonly number[],
): HTMLElement {
  const classOf = (index: number) => (numbers.includes(index) ? 'number' : undefined)
  const body = rows.map(([first, ...cells]) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, first),
      ...cells.map((cell, index) => element('td', { class: classOf(index + 1) }, cell)),
    ),
  )
  return element(
    'div',
    { class: 'frame', tabindex: 0, role: 'region', 'aria-label': caption },
    element(
      'table',
      {},
      element('caption', { class: 'unseen' }, caption),
      element(
        'thead',
        {},
        element('tr', {}, ...heads.map((head, index) => element('th', { scope: 'col', class: classOf(index) }, head))),
      ),
      element('tbody', {}, ...body),
    ),
  )
}

/** What the fleet's backups cost, on a terminal. */
import { columns as table, counted, formatBytes, joinLines } from '../../agent/lib/text'
import type { Told } from '../../agent/outcome'
import type { FleetCost, WhatIf } from '../model/cost'
import { shortName } from '../model/wording'
import { cut, wrap } from './layout'
import type { costOutput } from './output-schema'

export type CostOutput = Told<typeof costOutput>

/** Hosts that people are shown: those that cost most. */
const HOSTS_SHOWN = 10

export function toCostOutput({ hosts, ...cost }: FleetCost): CostOutput {
  const each = [...hosts].map(([host, perMonth]) => ({ host, perMonth }))
  return { ...cost, hosts: each.toSorted((a, b) => b.perMonth - a.perMonth || (a.host < b.host ? -1 : 1)) }
}

/** @param names - of hosts that have one, by host */
export function formatCost(cost: CostOutput, names: ReadonlyMap<string, string>, columns: number): string {
  const { currency, perMonth, storedBytes, classes, hosts, gone, whatIf, notes } = cost
  const money = (amount: number) => formatMoney(amount, currency)
  const paying = hosts.filter((host) => host.perMonth > 0)
  if (hosts.length === 0) return 'No host has a backup here: there is nothing to pay for.'
  return joinLines([
    `${money(perMonth)} a month for ${formatBytes(storedBytes)} of ${counted(hosts.length, 'host')}`,
    ...notes.flatMap((note) => wrap(note, columns, '  ')),
    '',
    ...right([
      ['CLASS', 'STORAGE CLASS', 'RUNS', 'STORED', 'A MONTH'],
      ...classes.map((each) => [
        each.class,
        each.storageClass,
        String(each.runs),
        formatBytes(each.storedBytes),
        money(each.perMonth),
      ]),
    ]),
    ...classes
      .filter(({ note }) => note !== '')
      .flatMap((each) => wrap(`${each.class}: ${each.note}`, columns, '  ! ')),
    ...(gone.hosts === 0
      ? []
      : wrap(
          `${money(gone.perMonth)} of it is for ${counted(gone.hosts, 'terminated host')}, whose last runs are kept: "snapstream-fleet status --only gone" names them.`,
          columns,
          '  ',
        )),
    '',
    'Hosts that cost most',
    ...table(
      paying
        .slice(0, HOSTS_SHOWN)
        .map(({ host, perMonth: amount }) => [money(amount).padStart(10), cut(nameOf(host, names), columns - 14)]),
    ),
    '',
    ...wrap(
      'What if all archives of a class were in one storage class: a month, and to read the newest backup of every host once',
      columns,
      '',
    ),
    ...right(whatIfRows(whatIf, money)),
    ...(whatIf.some(({ note }) => note !== '')
      ? wrap('* S3 charges for more days than archives are kept for: that is in the sum.', columns, '  ')
      : []),
  ])
}

function nameOf(host: string, names: ReadonlyMap<string, string>): string {
  const name = names.get(host)
  const id = shortName(host)
  return name === undefined || name === id ? id : `${name} ${id}`
}

/** A row for each storage class, a pair of columns for each class. */
function whatIfRows(whatIf: readonly WhatIf[], money: (amount: number) => string): string[][] {
  const rows = whatIf.map(({ class: name, storageClass, perMonth, readBack, note }) => [
    name,
    storageClass ?? 'as it is now',
    `${money(perMonth)}${note === '' ? '' : '*'}`,
    money(readBack),
  ])
  return [['CLASS', 'STORAGE CLASS', 'A MONTH', 'READ ONCE'], ...rows]
}

/** Columns of which all but the first two are numbers. */
function right(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)))
  return table(rows.map((row) => row.map((cell, index) => (index < 2 ? cell : cell.padStart(widths[index] ?? 0)))))
}

/** `$1,748.20`, `EUR 12.00`: what is less than a cent is told to be so. */
export function formatMoney(amount: number, currency: string): string {
  const sign = currency === 'USD' ? '$' : `${currency} `
  if (amount > 0 && amount < 0.01) return `<${sign}0.01`
  const [whole = '', cents = ''] = amount.toFixed(2).split('.')
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents}`
}

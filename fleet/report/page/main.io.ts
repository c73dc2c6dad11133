/** The page of the fleet, from the data that it has on board. */
import type { PageData } from '../page-data'
import { calendar } from './calendar.io'
import { accountList, costList } from './cost.io'
import { element, section } from './dom.io'
import { filterBar } from './filter.io'
import { readFleet } from './fleet'
import { glance } from './glance.io'
import { hostTable } from './hosts.io'
import { drillList, leftOutList } from './lists.io'
import { NO_FILTER, selectHosts, type Filter } from './select'
import { sizes } from './sizes.io'
import { tasks } from './tasks.io'
import { themeSwitch } from './theme.io'
import { formatTime } from './words'
import { shortName } from '../../model/wording'

/** The auditor writes a page each hour: an older one hides what has happened since (design limit). */
const OLD_HOURS = 3
/** Rows of each table on paper (design limit). */
const PRINTED_ROWS_MAX = 300

const SECTIONS = [
  ['glance', 'At a glance'],
  ['next', 'Next'],
  ['hosts', 'Hosts'],
  ['calendar', 'Calendar'],
  ['sizes', 'Sizes'],
  ['left-out', 'Left out'],
  ['drills', 'Restores'],
  ['cost', 'Cost'],
  ['accounts', 'Accounts'],
] as const

const fleet = readFleet(JSON.parse(document.getElementById('data')?.textContent ?? '') as PageData)
let filter: Filter = NO_FILTER

const className = (): string => filter.class
const atAGlance = glance(fleet, (state) => change({ ...filter, state }))
const bar = filterBar(fleet, change)
const table = hostTable(fleet, className)
const sections = [
  table,
  calendar(fleet, className),
  sizes(fleet, className),
  leftOutList(),
  drillList(fleet),
  costList(fleet),
]
const hosts = section('hosts', 'Hosts by trouble', table.node)

function change(to: Filter): void {
  filter = to
  const shown = selectHosts(fleet.hosts, filter)
  atAGlance.show(filter.state)
  bar.show(filter, shown.length)
  for (const each of sections) each.show(shown)
}

const hours = Math.floor((Date.now() / 1000 - fleet.at) / 3600)
const main = element(
  'main',
  { id: 'main', tabindex: -1 },
  hours >= OLD_HOURS &&
    element(
      'p',
      { class: 'alarm' },
      `This page is ${hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`} old. The auditor writes a new one each hour: what has happened since is not in it.`,
    ),
  atAGlance.node,
  tasks(fleet, ({ state, hosts: [first, ...others] }) => {
    change({ ...NO_FILTER, state, text: others.length === 0 && first ? shortName(first.key) : '' })
    hosts.scrollIntoView()
  }),
  bar.node,
  hosts,
  ...sections.slice(1).map(({ node }) => node),
  accountList(fleet),
)
const header = element(
  'header',
  {},
  element('h1', {}, 'Snapstream', element('span', {}, ' fleet')),
  element(
    'p',
    { class: 'time' },
    'As of ',
    element('time', { datetime: new Date(fleet.at * 1000).toISOString() }, formatTime(fleet.at)),
  ),
  themeSwitch(),
  element(
    'nav',
    { 'aria-label': 'Sections' },
    ...SECTIONS.map(([id, title]) => element('a', { href: `#${id}` }, title)),
  ),
)
document.getElementById('page')?.replaceChildren(header, main)
change(NO_FILTER)

addEventListener('beforeprint', () => sections.forEach((each) => each.print(PRINTED_ROWS_MAX)))
addEventListener('afterprint', () => sections.forEach((each) => each.print(undefined)))

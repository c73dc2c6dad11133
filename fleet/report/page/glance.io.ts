/** The fleet at a glance: one sentence, one bar, one button for each state, and what else matters at once. */
import { formatBytes } from '../../../agent/lib/text'
import { ageOf } from '../../model/wording'
import { CALM_STATES, HOST_STATES, type HostState } from '../../model/records'
import { element, section, type Child } from './dom.io'
import type { Fleet } from './fleet'
import type { Filter } from './select'
import { formatCount, formatMoney, hostsOf, STATES } from './words'

export interface Glance {
  readonly node: HTMLElement
  /** Which state is filtered by. */
  show(state: Filter['state']): void
}

export function glance(fleet: Fleet, choose: (state: Filter['state']) => void): Glance {
  const present = HOST_STATES.filter((state) => fleet.counts[state] > 0)
  const buttons = present.map((state) => stateButton(state, fleet.counts[state], choose))
  const node = section(
    'glance',
    'At a glance',
    element('p', { class: 'verdict' }, ...verdictOf(fleet)),
    stateBar(fleet, present),
    element('div', { class: 'states', role: 'group', 'aria-label': 'Filter hosts by state' }, ...buttons),
    element('dl', { class: 'facts' }, ...factsOf(fleet)),
  )
  return {
    node,
    show(chosen) {
      for (const [index, button] of buttons.entries()) button.ariaPressed = String(present[index] === chosen)
    },
  }
}

function verdictOf(fleet: Fleet): Child[] {
  const total = fleet.hosts.length
  if (total === 0) return [element('strong', {}, 'No host is expected, and none has ever written a backup.')]
  const good = fleet.counts.protected
  const troubled = HOST_STATES.filter((state) => !CALM_STATES.has(state)).reduce(
    (sum, state) => sum + fleet.counts[state],
    0,
  )
  const rest = total - good - troubled
  return [
    element('strong', {}, good === total ? `All ${hostsOf(total)}` : `${formatCount(good)} of ${hostsOf(total)}`),
    ' protected: verified, and as young as they have to be.',
    troubled > 0 && element('span', { class: 'tone-bad' }, ` ${formatCount(troubled)} in trouble.`),
    rest > 0 && ` ${formatCount(rest)} stopped or gone, with their last backups kept.`,
  ]
}

function stateBar({ counts, hosts }: Fleet, present: readonly HostState[]): HTMLElement {
  const words = present.map((state) => `${STATES[state].label} ${formatCount(counts[state])}`)
  const bar = element('div', { class: 'bar', role: 'img', 'aria-label': `Hosts by state: ${words.join(', ')}` })
  for (const state of present) {
    const part = element('span', {
      class: `fill-${state}`,
      title: `${STATES[state].label}: ${formatCount(counts[state])}`,
    })
    part.style.flexGrow = String(counts[state])
    // Few among thousands are what has to be seen.
    if (!CALM_STATES.has(state)) part.style.minWidth = '5px'
    bar.append(part)
  }
  bar.hidden = hosts.length === 0
  return bar
}

function stateButton(state: HostState, count: number, choose: (state: Filter['state']) => void): HTMLButtonElement {
  const { label, means, tone } = STATES[state]
  const button = element(
    'button',
    { type: 'button', class: `state tone-${tone}`, 'aria-pressed': 'false' },
    element('span', { class: 'count' }, formatCount(count)),
    element('span', { class: 'label' }, element('i', { class: `mark mark-${state}`, 'aria-hidden': 'true' }), label),
    element('span', { class: 'means' }, means),
  )
  button.addEventListener('click', () => choose(button.ariaPressed === 'true' ? '' : state))
  return button
}

function factsOf(fleet: Fleet): HTMLElement[] {
  const { hosts, at, cost } = fleet
  const unread = fleet.accounts.filter(({ problem }) => problem !== undefined)
  const drills = hosts.flatMap(({ drill }) => drill ?? [])
  const proven = drills.filter(({ ok }) => ok)
  const failed = drills.length - proven.length
  const latest = proven.reduce((max, drill) => Math.max(max, drill.at), 0)
  const leftOut = hosts.filter((host) => host.leftOut.length > 0).length
  return [
    fact(
      'Overdue',
      hostsOf(fleet.overdue),
      'no verified backup within the objective of their class',
      fleet.overdue > 0 ? 'bad' : 'good',
    ),
    fact(
      'Oldest protected',
      fleet.oldestProtectedHours === undefined ? '–' : `${Math.round(fleet.oldestProtectedHours)} h`,
      'age of the oldest newest good backup',
    ),
    fact(
      'Stored',
      formatBytes(hosts.reduce((sum, host) => sum + host.storedBytes, 0)),
      'archives and catalogs of all runs',
    ),
    fact(
      'Per month',
      cost ? formatMoney(cost.perMonth, cost.currency) : '–',
      cost ? 'for what is stored today' : 'no prices were given',
    ),
    fact(
      'Restores proven',
      `${formatCount(proven.length)} of ${formatCount(hosts.length)}`,
      [
        ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
        latest > 0 ? `the last one ${ageOf(latest, at)} ago` : 'none was ever proven',
      ].join(', '),
      failed > 0 ? 'bad' : undefined,
    ),
    fact('Filesystems left out', hostsOf(leftOut), 'have some that nobody backs up', leftOut > 0 ? 'odd' : undefined),
    fact(
      'Accounts unread',
      `${unread.length} of ${fleet.accounts.length}`,
      unread.length > 0 ? 'their hosts are not known' : 'where hosts are looked for',
      unread.length > 0 ? 'bad' : undefined,
    ),
  ]
}

function fact(title: string, value: string, note: string, tone?: 'bad' | 'odd' | 'good'): HTMLElement {
  return element(
    'div',
    {},
    element('dt', {}, title),
    element('dd', { class: tone && `tone-${tone}` }, value),
    element('dd', { class: 'note' }, note),
  )
}

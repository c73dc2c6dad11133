/** What is looked for, for all tables below. */
import { HOST_STATES, type HostState } from '../../model/records'
import { element } from './dom.io'
import type { Fleet } from './fleet'
import { NO_FILTER, type Filter } from './select'
import { formatCount, hostsOf, STATES } from './words'

export interface FilterBar {
  readonly node: HTMLElement
  /** @param shown - how many hosts that leaves */
  show(filter: Filter, shown: number): void
}

export function filterBar(fleet: Fleet, change: (filter: Filter) => void): FilterBar {
  const search = element('input', {
    ...{ type: 'search', id: 'search', placeholder: 'Name, instance, account, reason', autocomplete: 'off' },
    spellcheck: 'false',
  })
  const state = choice('state', 'State', [
    ['', 'All states'],
    ['trouble', 'In trouble'],
    ['overdue', `Overdue (${formatCount(fleet.overdue)})`],
    ...HOST_STATES.filter((each) => fleet.counts[each] > 0).map(
      (each) => [each, `${STATES[each].label} (${formatCount(fleet.counts[each])})`] as const,
    ),
  ])
  const account = choice('account', 'Account', [
    ['', 'All accounts'],
    ...namesOf(fleet.hosts.map((host) => host.account)).map((name) => [name, name] as const),
  ])
  const className = choice('class', 'Class', [
    ['', 'All classes'],
    ...namesOf(fleet.hosts.flatMap(({ classes }) => classes.map((of) => of.class))).map(
      (name) => [name, name] as const,
    ),
  ])
  const clear = element('button', { type: 'button', class: 'clear' }, 'Clear')
  const shown = element('p', { class: 'shown', role: 'status' })
  const node = element(
    'form',
    { class: 'filters', role: 'search', 'aria-label': 'Hosts' },
    element('label', { class: 'grow' }, element('span', {}, 'Search'), search),
    ...[state, account, className].map(({ label }) => label),
    clear,
    shown,
  )
  const read = (): Filter => ({
    text: search.value,
    state: state.select.value as HostState | '',
    account: account.select.value,
    class: className.select.value,
  })
  node.addEventListener('input', () => change(read()))
  node.addEventListener('submit', (event) => event.preventDefault())
  clear.addEventListener('click', () => {
    change(NO_FILTER)
    search.focus()
  })
  return {
    node,
    show(filter, count) {
      if (search.value !== filter.text) search.value = filter.text
      state.select.value = filter.state
      account.select.value = filter.account
      className.select.value = filter.class
      const isFiltered = Object.values(filter).some((value) => value !== '')
      clear.hidden = !isFiltered
      shown.textContent = isFiltered ? `${formatCount(count)} of ${hostsOf(fleet.hosts.length)}` : hostsOf(count)
    },
  }
}

function choice(id: string, title: string, options: readonly (readonly [string, string])[]) {
  const select = element('select', { id }, ...options.map(([value, text]) => element('option', { value }, text)))
  const label = element('label', {}, element('span', {}, title), select)
  label.hidden = options.length <= 2
  return { select, label }
}

function namesOf(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => name !== '').sort()
}

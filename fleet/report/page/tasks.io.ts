/** What to do next, the worst first. */
import { element, section } from './dom.io'
import type { Fleet, Host } from './fleet'
import { planTasks, type Task } from './advice'
import { advice, stateChip } from './chip.io'
import { hostsOf } from './words'

/** More than anybody does in one go, and hosts that are named of each (design limits). */
const TASKS_MAX = 12
const NAMED_MAX = 6

/** @param find - shows the hosts of a task in the table */
export function tasks(fleet: Fleet, find: (task: Task) => void): HTMLElement {
  const unread = fleet.accounts.filter(({ problem }) => problem !== undefined)
  const all = planTasks(fleet.hosts)
  const items = [
    ...unread.map(({ account, region, problem }) =>
      element(
        'li',
        { class: 'task tone-bad' },
        element('span', { class: 'chip chip-bad' }, 'Unread'),
        element('p', {}, `Let the auditor read account ${account} in ${region}: until then, nobody knows its hosts.`),
        element('p', { class: 'note' }, problem),
      ),
    ),
    ...all.slice(0, TASKS_MAX).map((task) => taskItem(task, find)),
  ]
  const rest = all.slice(TASKS_MAX)
  return section(
    'next',
    'What to do next',
    items.length > 0
      ? element('ol', { class: 'tasks' }, ...items)
      : element('p', { class: 'nothing' }, 'Nothing: every host is protected, or needs no new backup.'),
    rest.length > 0 &&
      element(
        'p',
        { class: 'note' },
        `And more for ${hostsOf(rest.reduce((sum, { hosts }) => sum + hosts.length, 0))}, which the table of hosts has.`,
      ),
  )
}

function taskItem(task: Task, find: (task: Task) => void): HTMLElement {
  const { state, hosts } = task
  const named = hosts.slice(0, NAMED_MAX)
  const more = hosts.length - named.length
  const button = element(
    'button',
    { type: 'button', class: 'link' },
    `Show ${hosts.length === 1 ? 'it' : 'them'} below`,
  )
  button.addEventListener('click', () => find(task))
  return element(
    'li',
    { class: 'task' },
    stateChip(state),
    element(
      'p',
      {},
      element('strong', {}, hostsOf(hosts.length)),
      ': ',
      ...advice(task.advice === '' ? 'see why.' : task.advice),
    ),
    element('p', { class: 'note' }, `${named.map(describe).join(', ')}${more > 0 ? ` and ${more} more` : ''} `, button),
    hosts.length === 1 && element('p', { class: 'note' }, hosts[0]?.reason),
  )
}

function describe({ label, id }: Host): string {
  return label === id ? id : `${label} (${id})`
}

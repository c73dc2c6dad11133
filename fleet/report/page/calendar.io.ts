/** The calendar of runs: a row a host, a cell a night. Arrow keys move within it, and each cell says what it is. */
import { element, section, unseen } from './dom.io'
import type { Fleet, Host } from './fleet'
import { daysUntil, nightsOf, type NightKind } from './nights'
import { makePager } from './table.io'
import { hideTip, showTip } from './tip.io'
import { formatDay } from './words'

const ROWS = 40
/** On a phone (design limit). */
const DAYS_NARROW = 14
const NARROW = 'screen and (max-width: 640px)'

const LEGEND: readonly (readonly [NightKind, string])[] = [
  ['good', 'verified'],
  ['unverified', 'not verified'],
  ['incomplete', 'incomplete'],
  ['odd', 'misdated, or of a later version'],
  ['bad', 'damaged or unreadable'],
  ['late', 'no run, objective missed'],
  ['none', 'no run, none needed'],
]

export interface Calendar {
  readonly node: HTMLElement
  show(hosts: readonly Host[]): void
  print(rowsMax: number | undefined): void
}

export function calendar(fleet: Fleet, className: () => string): Calendar {
  let hosts: readonly Host[] = []
  let start = 0
  let rowsPerSlice = ROWS
  const narrow = matchMedia(NARROW)
  const head = element('thead')
  const body = element('tbody')
  const table = element(
    'table',
    { id: 'calendar-table', role: 'grid', class: 'nights', 'aria-describedby': 'calendar-help' },
    element('caption', { class: 'unseen' }, 'Runs of each host, night by night'),
    head,
    body,
  )
  const pager = makePager((to) => {
    start = to
    draw()
    table.scrollIntoView({ block: 'nearest' })
  })
  const frame = element('div', { class: 'frame' }, table)
  const nothing = element('p', { class: 'nothing' }, 'No host is like that.')

  function draw(): void {
    const days = daysUntil(fleet.at, narrow.matches ? DAYS_NARROW : fleet.days)
    head.replaceChildren(
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'Host'),
        ...days.map((day, index) => dayHead(day, index === 0)),
      ),
    )
    body.replaceChildren(
      ...hosts
        .slice(start, start + rowsPerSlice)
        .map((host) =>
          element(
            'tr',
            {},
            element('th', { scope: 'row' }, element('bdi', {}, host.label)),
            ...nightsOf(host, className(), days, fleet.at).map(({ kind, text }) =>
              element(
                'td',
                { role: 'gridcell', tabindex: -1, 'aria-label': text },
                element('i', { class: `night night-${kind}` }),
              ),
            ),
          ),
        ),
    )
    body.querySelector('td')?.setAttribute('tabindex', '0')
    frame.hidden = hosts.length === 0
    nothing.hidden = hosts.length > 0
    pager.show(start, rowsPerSlice, hosts.length)
  }

  table.addEventListener('keydown', (event) => {
    const to = findNext(event)
    if (!to) return
    event.preventDefault()
    moveFocus(table, to)
  })
  for (const kind of ['mouseover', 'focusin'] as const) {
    table.addEventListener(kind, ({ target }) => {
      const cell = target instanceof Element ? target.closest('td') : null
      if (cell) showTip(cell, cell.ariaLabel ?? '')
      else hideTip()
    })
  }
  table.addEventListener('click', ({ target }) => {
    const cell = target instanceof Element ? target.closest('td') : null
    if (cell) moveFocus(table, cell)
  })
  table.addEventListener('mouseleave', hideTip)
  table.addEventListener('focusout', hideTip)
  narrow.addEventListener('change', draw)

  return {
    node: section(
      'calendar',
      'Calendar of runs',
      element(
        'p',
        { class: 'note', id: 'calendar-help' },
        'A column is a day by UTC. Of several runs in a day the best one counts; of several classes the worst.',
        unseen(' Arrow keys move from night to night.'),
      ),
      element(
        'ul',
        { class: 'legend', 'aria-label': 'What the cells mean' },
        ...LEGEND.map(([kind, text]) =>
          element('li', {}, element('i', { class: `night night-${kind}`, 'aria-hidden': 'true' }), text),
        ),
      ),
      frame,
      nothing,
      pager.node,
    ),
    show(given) {
      hosts = given
      start = 0
      draw()
    },
    print(rowsMax) {
      rowsPerSlice = rowsMax ?? ROWS
      draw()
    },
  }
}

function dayHead(day: number, isFirst: boolean): HTMLElement {
  const [weekday = '', date = '', month = ''] = formatDay(day).split(' ')
  const isWeekend = weekday === 'Sat' || weekday === 'Sun'
  const withMonth = isFirst || date === '1'
  return element(
    'th',
    { scope: 'col', class: isWeekend ? 'weekend' : undefined, abbr: formatDay(day) },
    withMonth && element('span', { class: 'month', 'aria-hidden': 'true' }, month.slice(0, 3)),
    element('span', { 'aria-hidden': 'true' }, date),
    unseen(formatDay(day)),
  )
}

function moveFocus(table: HTMLElement, to: HTMLElement): void {
  table.querySelector('td[tabindex="0"]')?.setAttribute('tabindex', '-1')
  to.setAttribute('tabindex', '0')
  to.focus()
}

/** Where a key leads from the cell that has the focus; undefined where it leads nowhere. */
function findNext({ key, target, ctrlKey }: KeyboardEvent): HTMLElement | undefined {
  if (key === 'Escape') hideTip()
  if (!(target instanceof HTMLTableCellElement)) return undefined
  const row = target.parentElement as HTMLTableRowElement
  const body = row.parentElement as HTMLTableSectionElement
  const [x, y] = [target.cellIndex, row.sectionRowIndex]
  const last = row.cells.length - 1
  const at = (column: number, line: number) =>
    body.rows[Math.max(0, Math.min(body.rows.length - 1, line))]?.cells[Math.max(1, Math.min(last, column))]
  switch (key) {
    case 'ArrowLeft':
      return at(x - 1, y)
    case 'ArrowRight':
      return at(x + 1, y)
    case 'ArrowUp':
      return at(x, y - 1)
    case 'ArrowDown':
      return at(x, y + 1)
    case 'PageUp':
      return at(x, y - 10)
    case 'PageDown':
      return at(x, y + 10)
    case 'Home':
      return at(1, ctrlKey ? 0 : y)
    case 'End':
      return at(last, ctrlKey ? body.rows.length - 1 : y)
    default:
      return undefined
  }
}

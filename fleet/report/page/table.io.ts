/**
 * Tables with sorted columns, in slices: thousands of rows are in none of them at once. Roles are spelled out, since on a phone
 * the style lays rows out in another way, and some browsers then forget that they are rows.
 */
import { element, unseen, type Child } from './dom.io'
import { sortBy, type SortKey } from './select'
import { formatCount } from './words'

export interface Column<Of> {
  readonly title: string
  readonly cell: (row: Of) => Child | readonly Child[]
  /** Without one, the column cannot be sorted by. */
  readonly key?: SortKey<Of>
  /** Largest first, when it is first sorted by. */
  readonly descending?: boolean
  readonly class?: string
  /** Names the row. */
  readonly header?: boolean
}

export interface TableOptions<Of> {
  readonly id: string
  /** What it is a table of, for those who do not see it. */
  readonly caption: string
  readonly columns: readonly Column<Of>[]
  readonly rowsPerSlice: number
  /** Where nothing is to be shown. */
  readonly empty: string
  /** Title of the column that it is sorted by at first; without one, rows stay in their order. */
  readonly sortedBy?: string
  /** What else there is to a row. */
  readonly more?: (row: Of) => Node
  readonly nameOf?: (row: Of) => string
}

export interface SliceTable<Of> {
  readonly node: HTMLElement
  show(rows: readonly Of[]): void
  /** So many rows at once, for paper; as before without a number. */
  print(rowsMax: number | undefined): void
}

export function sliceTable<Of>(options: TableOptions<Of>): SliceTable<Of> {
  const { columns, id } = options
  let rows: readonly Of[] = []
  let sorted: readonly Of[] = []
  let column = columns.find(({ title }) => title === options.sortedBy)
  let descending = column?.descending ?? false
  let start = 0
  let rowsPerSlice = options.rowsPerSlice

  const heads = columns.map((each) => {
    const head = element('th', {
      scope: 'col',
      role: 'columnheader',
      class: each.class,
      'data-title': each.key && each.title,
    })
    if (!each.key) head.append(each.title)
    else {
      const button = element('button', { type: 'button', class: 'sort' }, each.title)
      button.addEventListener('click', () => {
        descending = column === each ? !descending : (each.descending ?? false)
        column = each
        start = 0
        sort()
      })
      head.append(button)
    }
    return head
  })
  const body = element('tbody', { role: 'rowgroup' })
  const table = element(
    'table',
    { id, role: 'table' },
    element('caption', { class: 'unseen' }, options.caption),
    element(
      'thead',
      { role: 'rowgroup' },
      element('tr', { role: 'row' }, ...heads, options.more && element('td', { class: 'toggle', role: 'cell' })),
    ),
    body,
  )
  const pager = makePager((to) => {
    start = to
    draw()
    table.scrollIntoView({ block: 'nearest' })
  })
  const nothing = element('p', { class: 'nothing' }, options.empty)
  const frame = element('div', { class: 'frame', tabindex: 0, role: 'region', 'aria-label': options.caption }, table)
  const node = element('div', { class: 'table' }, frame, nothing, pager.node)

  function sort(): void {
    const key = column?.key
    sorted = key ? sortBy(rows, key, descending) : rows
    for (const [index, head] of heads.entries()) {
      if (!columns[index]?.key) continue
      if (columns[index] === column) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending')
      else head.removeAttribute('aria-sort')
    }
    draw()
  }

  function draw(): void {
    body.replaceChildren(...sorted.slice(start, start + rowsPerSlice).flatMap(drawRow))
    frame.hidden = rows.length === 0
    nothing.hidden = rows.length > 0
    pager.show(start, rowsPerSlice, rows.length)
  }

  function drawRow(row: Of): HTMLElement[] {
    const cells = columns.map(({ cell, header, class: name }) => {
      const content = cell(row)
      const children = Array.isArray(content) ? (content as readonly Child[]) : [content as Child]
      return element(
        header ? 'th' : 'td',
        { class: name, scope: header && 'row', role: header ? 'rowheader' : 'cell' },
        ...children,
      )
    })
    const line = element('tr', { role: 'row' }, ...cells)
    const { more } = options
    if (!more) return [line]
    const button = element(
      'button',
      { type: 'button', class: 'more', 'aria-expanded': 'false' },
      unseen(`Details of ${options.nameOf?.(row) ?? 'this row'}`),
    )
    line.append(element('td', { class: 'toggle', role: 'cell' }, button))
    let opened: HTMLElement | undefined
    button.addEventListener('click', () => {
      if (opened) {
        opened.remove()
        opened = undefined
      } else {
        // Columns that a narrow window hides are no columns to span.
        const colspan = heads.filter(({ offsetWidth }) => offsetWidth > 0).length + 1
        opened = element('tr', { class: 'opened', role: 'row' }, element('td', { colspan, role: 'cell' }, more(row)))
        line.after(opened)
      }
      button.setAttribute('aria-expanded', String(opened !== undefined))
    })
    return [line]
  }

  return {
    node,
    show(given) {
      rows = given
      start = 0
      sort()
    },
    print(rowsMax) {
      rowsPerSlice = rowsMax ?? options.rowsPerSlice
      draw()
    },
  }
}

export interface Pager {
  readonly node: HTMLElement
  show(start: number, count: number, total: number): void
}

/** Says which rows of how many are shown, and leads to the others. */
export function makePager(goTo: (start: number) => void): Pager {
  let [start, count] = [0, 1]
  const where = element('span', { role: 'status' })
  const back = element('button', { type: 'button' }, 'Previous')
  const forward = element('button', { type: 'button' }, 'Next')
  // Disabled for real, a button would lose the focus of whoever has just pressed it.
  back.addEventListener('click', () => back.ariaDisabled === 'true' || goTo(Math.max(0, start - count)))
  forward.addEventListener('click', () => forward.ariaDisabled === 'true' || goTo(start + count))
  const node = element('div', { class: 'pager' }, where, back, forward)
  return {
    node,
    show(from, of, total) {
      ;[start, count] = [from, of]
      const end = Math.min(total, from + of)
      where.textContent = `${formatCount(Math.min(total, from + 1))}–${formatCount(end)} of ${formatCount(total)}`
      node.hidden = total <= of
      back.ariaDisabled = String(from === 0)
      forward.ariaDisabled = String(end >= total)
    },
  }
}

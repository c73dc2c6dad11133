import type { HostState } from '../../model/records'
import { element, type Child } from './dom.io'
import { STATES } from './words'

/** A state in words, with a mark of its own for those who do not see its colour. */
export function stateChip(state: HostState): HTMLElement {
  const { label, tone } = STATES[state]
  return element(
    'span',
    { class: `chip chip-${tone}` },
    element('i', { class: `mark mark-${state}`, 'aria-hidden': 'true' }),
    label,
  )
}

/** Words of a command and its options, as advice has them. */
const COMMAND = /(snapstream-fleet(?: [\w./:-]+)+)/

/** With commands as what they are: to be copied. */
export function advice(text: string): Child[] {
  return text.split(COMMAND).map((part, index) => (index % 2 === 1 ? element('code', {}, part) : part))
}

/** A few words beside what has the pointer or the focus. Screen readers have them from the cell itself. */
import { element } from './dom.io'

const tip = element('div', { class: 'tip', 'aria-hidden': 'true' })
tip.hidden = true

export function showTip(beside: Element, text: string): void {
  if (!tip.isConnected) document.body.append(tip)
  tip.textContent = text
  tip.hidden = false
  const place = beside.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = tip
  const left = Math.min(
    Math.max(8, place.left + place.width / 2 - width / 2),
    document.documentElement.clientWidth - width - 8,
  )
  const above = place.top - height - 6
  tip.style.left = `${Math.max(8, left)}px`
  tip.style.top = `${above > 4 ? above : place.bottom + 6}px`
}

export function hideTip(): void {
  tip.hidden = true
}

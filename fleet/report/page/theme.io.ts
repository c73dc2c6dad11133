/** Light, dark, or as the system has it. */
import { element } from './dom.io'

const THEMES = ['auto', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]
const KEY = 'snapstream-theme'

export function themeSwitch(): HTMLElement {
  const kept = read()
  apply(kept)
  const choices = THEMES.map((theme) => {
    const input = element('input', { type: 'radio', name: 'theme', value: theme, checked: theme === kept })
    input.addEventListener('change', () => {
      apply(theme)
      keep(theme)
    })
    return element('label', {}, input, element('span', {}, theme[0]?.toUpperCase() ?? '', theme.slice(1)))
  })
  return element('fieldset', { class: 'theme' }, element('legend', { class: 'unseen' }, 'Colours'), ...choices)
}

function apply(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme
}

/** Browsers may refuse to keep anything for a file. */
function read(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'auto'
  } catch {
    return 'auto'
  }
}

function keep(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // It stays as it is for as long as the page is open.
  }
}

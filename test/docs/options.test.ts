import { readFileSync } from 'node:fs'
import { formatOptionsReference, OPTIONS_FILE } from '../../scripts/options-reference'

test('docs/options.md is what `npm run docs` would write', () => {
  expect(readFileSync(OPTIONS_FILE, 'utf8')).toBe(formatOptionsReference())
})

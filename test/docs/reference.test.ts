import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { REFERENCES } from '../../scripts/reference'

test.each([...REFERENCES].map(([file, format]) => [basename(file), file, format] as const))(
  'docs/reference/%s is what `npm run docs` would write',
  (_, file, format) => {
    expect(readFileSync(file, 'utf8')).toBe(format())
  },
)

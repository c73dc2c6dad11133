import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { SCHEMAS } from '../../scripts/output-schemas'
import { REFERENCES } from '../../scripts/reference'
import { schemaTable } from '../../scripts/schema-table'
import { manifestSchema } from '../../agent/run/manifest'
import { manifestOf } from '../support/manifest'

const FOLDER = 'docs/reference'

test.each([...REFERENCES].map(([file, format]) => [relative(FOLDER, file), file, format] as const))(
  'docs/reference/%s is what `npm run docs` would write',
  (_, file, format) => {
    expect(readFileSync(file, 'utf8')).toBe(format())
  },
)

test('nothing else is there', () => {
  const files = readdirSync(FOLDER, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const names = files.map(({ parentPath, name }) => relative(FOLDER, join(parentPath, name)))
  expect(names.toSorted()).toEqual([...REFERENCES.keys()].map((file) => relative(FOLDER, file)).toSorted())
})

test('a field without a description ends up in no table', () => {
  expect(() => schemaTable({ type: 'object', properties: { colour: { type: 'string' } } })).toThrow(
    new RangeError('colour has no description'),
  )
})

test('what is in the lists of a manifest is described too, and read as the agent reads it', () => {
  const published = z.fromJSONSchema(SCHEMAS['manifest']!)
  const good = manifestOf()
  const [volume] = good.volumes
  const bad = { ...good, volumes: [{ ...volume, archive: { ...volume!.archive, segments: [{ key: 'data/x' }] } }] }
  for (const reader of [published, manifestSchema]) {
    expect(reader.safeParse(good).success).toBe(true)
    expect(reader.safeParse(bad).success).toBe(false)
  }
})

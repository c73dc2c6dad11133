/** What becomes of a name that the target has already: nothing that an operator did not ask for. */
import { decide, type ConflictOptions, type Decision, type ExistingEntry } from '../../agent/restore/conflicts'
import type { CatalogEntry } from '../../agent/tar/entry'
import { refusal } from '../support/refusal'
import { catalogOf, different, dir, equal, file } from './plan-fixture'

const [entryOfFile, entryOfDirectory] = catalogOf(file('f'), dir('d')) as [CatalogEntry, CatalogEntry]
const isDirectory = true

function decided(into: 'file' | 'directory', existing: ExistingEntry, options: Partial<ConflictOptions>): Decision {
  const entry = into === 'file' ? entryOfFile : entryOfDirectory
  return decide(entry, existing, { onConflict: 'fail', resume: false, ...options })
}

test.each(['fail', 'skip', 'overwrite', 'newer'] as const)('with %s, what is not there comes back', (onConflict) => {
  for (const resume of [false, true]) {
    expect(decided('file', { state: 'absent' }, { onConflict, resume })).toBe('restore')
    expect(decided('directory', { state: 'absent' }, { onConflict, resume })).toBe('restore')
  }
})

test.each<[ConflictOptions['onConflict'], ...Decision[]]>([
  // a file: equal, older, newer; a directory where one is: equal, other
  ['fail', 'conflict', 'conflict', 'conflict', 'skip', 'skip'],
  ['skip', 'skip', 'skip', 'skip', 'skip', 'skip'],
  ['overwrite', 'restore', 'restore', 'restore', 'restore', 'restore'],
  ['newer', 'skip', 'restore', 'skip', 'refresh', 'restore'],
])('%s', (onConflict, ...expected) => {
  expect([
    decided('file', equal(), { onConflict }),
    decided('file', different(), { onConflict }),
    decided('file', different({ newer: true }), { onConflict }),
    decided('directory', equal(true), { onConflict }),
    decided('directory', different({ isDirectory }), { onConflict }),
  ]).toEqual(expected)
})

test.each<[ConflictOptions['onConflict'], ...Decision[]]>([
  ['fail', 'skip', 'restore', 'restore', 'refresh', 'restore'],
  ['skip', 'skip', 'skip', 'skip', 'refresh', 'skip'],
  ['overwrite', 'skip', 'restore', 'restore', 'refresh', 'restore'],
  ['newer', 'skip', 'restore', 'skip', 'refresh', 'restore'],
])('a restore that goes on with %s does nothing twice, and replaces what is half done', (onConflict, ...expected) => {
  const resume = true
  expect([
    decided('file', equal(), { onConflict, resume }),
    decided('file', different(), { onConflict, resume }),
    decided('file', different({ newer: true }), { onConflict, resume }),
    decided('directory', equal(true), { onConflict, resume }),
    decided('directory', different({ isDirectory }), { onConflict, resume }),
  ]).toEqual(expected)
})

describe('a directory of the backup, where the target has something else, such as a link to somewhere', () => {
  const existing = different({ newer: true })

  test.each(['skip', 'newer'] as const)('is not restored into with %s: that ends the restore', (onConflict) => {
    expect(refusal(() => decided('directory', existing, { onConflict }))).toEqual({
      code: 'TARGET_UNFIT',
      message: "'d' is a directory in the backup, and something else in the target",
      hint: expect.stringContaining('--on-conflict overwrite'),
    })
  })

  test('is a conflict with fail, and takes its place with overwrite', () => {
    expect(decided('directory', existing, { onConflict: 'fail' })).toBe('conflict')
    expect(decided('directory', existing, { onConflict: 'overwrite' })).toBe('restore')
  })

  test('is what a restore has failed to do, when that is looked for', () => {
    const review = { keepDirectories: true }
    expect(decided('directory', existing, { onConflict: 'skip', review })).toBe('restore')
  })
})

test.each([
  ['are what failed', false, 'restore'],
  ['are good enough, where those that were there were kept', true, 'skip'],
] as const)('directories that have other times or modes %s', (_, keepDirectories, decision) => {
  const review = { keepDirectories }
  expect(decided('directory', different({ isDirectory }), { onConflict: 'overwrite', review })).toBe(decision)
  expect(decided('file', different(), { onConflict: 'overwrite', review })).toBe('restore')
})

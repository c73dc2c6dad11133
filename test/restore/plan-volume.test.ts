/** What a restore would do, decided from lists of entries: no bucket, no disk. */
import { AgentError } from '../../agent/errors'
import type { ConflictPolicy, ExistingEntry } from '../../agent/restore/conflicts'
import { undescribedEntry } from '../../agent/tar/entry'
import {
  catalogOf,
  different,
  dir,
  equal,
  extracted,
  file,
  given,
  having,
  link,
  only,
  planOf,
  symlink,
  whole,
  type Line,
} from './plan-fixture'

const APP = catalogOf(
  dir('.'),
  dir('app'),
  file('app/conf'),
  dir('app/data'),
  file('app/data/big', 5000),
  file('other'),
)

describe('what is selected', () => {
  test('is all of the volume, in one piece', async () => {
    const plan = await planOf(APP)
    expect(plan).toMatchObject({ pieces: [{ offset: 0, bytes: 6 * 1024 }], entries: 6, rootBytes: 1024, kept: 0 })
    expect(plan.types).toEqual({ directory: 3, file: 3 })
  })

  test.each([
    [['app/data'], ['.', 'app', 'app/data', 'app/data/big']],
    [['other'], ['.', 'other']],
    [
      ['app/conf', 'other'],
      ['.', 'app', 'app/conf', 'other'],
    ],
    [
      ['app', 'app/conf'],
      ['.', 'app', 'app/conf', 'app/data', 'app/data/big'],
    ],
  ])('is %j with the directories above', async (paths, expected) => {
    expect(await extracted(APP, { of: only(...paths) })).toEqual(expected)
  })

  test('does without directories above it that are there', async () => {
    const into = having({ '.': different({ isDirectory: true }), app: different({ isDirectory: true }) })
    expect(await extracted(APP, { of: only('app/conf'), into })).toEqual(['app/conf'])
  })

  test('is not in the backup: what comes nearest is offered', async () => {
    await expect(planOf(APP, { of: only('app/cnf') })).rejects.toMatchObject({
      ...{ code: 'UNKNOWN_PATH', message: "'/srv/app/cnf' is not in this backup of /srv" },
      hint: expect.stringContaining("Did you mean '/srv/app/conf'?"),
    })
  })

  test('takes its room on the target, less what it replaces, which is still there while it is moved into place', async () => {
    const into = having({ other: different() })
    const plan = await planOf(APP, { of: only('app/data/big', 'other'), into, onConflict: 'overwrite' })
    expect(plan).toMatchObject({ stagedBytes: 3 * 4096 + 8192 + 4096, sizeBytes: 3 * 4096 + 8192 })
  })
})

describe('names that are taken', () => {
  const entries = catalogOf(dir('.'), dir('d'), file('d/f'))
  const isDirectory = true

  test.each<[ConflictPolicy, string, ExistingEntry, ExistingEntry, Partial<Record<'given' | 'conflicts', string[]>>]>([
    ['fail', 'a file', different({ isDirectory }), different(), { given: [], conflicts: ['d/f'] }],
    ['fail', 'a file that is the same', different({ isDirectory }), equal(), { given: [], conflicts: ['d/f'] }],
    ['fail', 'a directory', different({ isDirectory }), { state: 'absent' }, { given: ['d/f'], conflicts: [] }],
    ['skip', 'a file', different({ isDirectory }), different(), { given: [] }],
    ['newer', 'a file that is older', different({ isDirectory }), different(), { given: ['d', 'd/f'] }],
    ['newer', 'a file that is newer', different({ isDirectory }), different({ newer: true }), { given: ['d'] }],
    ['newer', 'a file that is the same', equal(isDirectory), equal(), { given: ['d'] }],
    ['overwrite', 'a file', different({ isDirectory }), different(), { given: ['d', 'd/f'] }],
    ['overwrite', 'a file in the place of a directory', different(), { state: 'absent' }, { given: ['d', 'd/f'] }],
  ])('%s: %s', async (onConflict, _, d, f, expected) => {
    const plan = await planOf(entries, { into: having({ '.': equal(true), d, 'd/f': f }), onConflict })
    const names = given(entries, plan).filter((name) => name !== '.')
    expect({ given: names, conflicts: plan.conflicts.first }).toMatchObject(expected)
  })

  test('what is not a directory must not stand where one is restored to, unless it is replaced', async () => {
    for (const onConflict of ['skip', 'newer'] as const) {
      await expect(planOf(entries, { into: having({ d: different() }), onConflict })).rejects.toMatchObject({
        ...{ code: 'TARGET_UNFIT', message: "'d' is a directory in the backup, and something else in the target" },
      })
    }
  })

  test('with --resume, what is equal stays, directories get their times again, and the rest is replaced', async () => {
    const into = having({ '.': equal(true), d: equal(true), 'd/f': equal() })
    const plan = await planOf(entries, { into, resume: true })
    expect([given(entries, plan), plan.kept, plan.directories.map(String)]).toEqual([['.', 'd'], 3, ['d']])
    const cut = having({ '.': equal(true), d: equal(true), 'd/f': different() })
    expect((await planOf(entries, { into: cut, resume: true })).names.first).toEqual(['d/f'])
  })

  test('a path that leads out of the target is refused, and not when what has failed is looked for', async () => {
    const assertContained = () => {
      throw new AgentError('TARGET_UNFIT', 'd is a link', { hint: '' })
    }
    const how = { of: only('d/f'), into: having({}, { assertContained }) }
    await expect(planOf(entries, how)).rejects.toMatchObject({ code: 'TARGET_UNFIT' })
    expect(await extracted(entries, { ...how, review: { keepDirectories: false } })).toEqual(['.', 'd', 'd/f'])
  })
})

describe('where other filesystems are mounted', () => {
  const entries = catalogOf(dir('.'), dir('data'), file('data/hidden'), file('f'))

  test('what they hide is left out, with the mount point', async () => {
    const into = having({}, { isMountPoint: (path) => path === 'data' })
    const plan = await planOf(entries, { of: { ...whole, mountPoints: ['data'] }, into })
    expect([given(entries, plan), plan.kept]).toEqual([['.', 'f'], 2])
  })

  test('what a volume that is restored too will hide is left out, without the mount point', async () => {
    const plan = await planOf(entries, { of: { ...whole, mountPoints: ['data'], restoredMountPoints: ['data'] } })
    expect([given(entries, plan), plan.kept]).toEqual([['.', 'data', 'f'], 1])
  })

  test('nothing but a directory may lie where a volume is restored to', async () => {
    const of = { ...whole, restoredMountPoints: ['data'] }
    await expect(planOf(catalogOf(dir('.'), symlink('data', '/etc')), { of })).rejects.toMatchObject({
      code: 'TARGET_UNFIT',
      message: "'data' is no directory in the backup, and another volume is restored to 'data'",
    })
  })
})

describe('what cannot come back', () => {
  test('lies in ranges that cannot be read: with links to it, and without directories that nobody asked for', async () => {
    const entries = catalogOf(dir('.'), dir('d'), file('d/f'), link('d/l', 'd/f'), file('d/g'))
    const lost = [{ offset: 1100, bytes: 1000 }]
    const plan = await planOf(entries, { of: only('d/f', 'd/l', 'd/g'), lost })
    expect([given(entries, plan), plan.lost]).toMatchObject([['.', 'd/g'], { count: 2, first: ['d/f', 'd/l'] }])
    expect(plan.lostRanges).toBe(lost)
  })

  test('is such as Linux has none', async () => {
    const plan = await planOf(catalogOf(dir('.'), { ...file('f'), uid: 2 ** 32 }, link('l', 'f')))
    expect(plan.impossible.first).toEqual(['f: its owner is 4294967296:0, as Linux has none'])
    expect(plan.lost.first).toEqual(['l'])
  })

  test('is longer than a path can be; links to it bring its data', async () => {
    const names = Array.from({ length: 20 }, () => 'n'.repeat(200))
    const deep = names.map((_, index) => dir(names.slice(0, index + 1).join('/')))
    const longest = `${names.join('/')}/${'n'.repeat(100)}`
    const entries = catalogOf(dir('.'), ...deep, file(longest), link('l', longest))
    const plan = await planOf(entries)
    expect([plan.tooLong.count, plan.entries]).toEqual([1, 22])
    expect(given(entries, plan).at(-1)).toBe(`${longest} as ./l`)
  })

  test('is left to tar where the catalog does not describe it, with all that is in it', async () => {
    const [root, d, f, g] = catalogOf(dir('.'), dir('d'), file('d/f'), file('g'))
    const entries = [root!, undescribedEntry('d', d!.offset, d!.bytes, 'it is odd'), f!, g!]
    const plan = await planOf(entries)
    expect([given(entries, plan), plan.byHand.first]).toEqual([
      ['.', 'g'],
      ['d', 'd/f'],
    ])
  })
})

describe('catalogs that Snapstream does not write', () => {
  test.each([
    ['a path twice', [dir('.'), file('f'), file('f')], "the catalog has 'f' twice"],
    ['the root twice', [dir('.'), file('f'), dir('.')], "the catalog has the volume's root twice"],
    ['the root later', [file('f'), dir('.')], /not the directory that it is in/],
    ['a way out', [dir('.'), file('../f')], /leads out of the volume/],
    [
      'a file in what is no directory',
      [dir('.'), symlink('d', '/etc'), file('d/f')],
      /not the directory that it is in/,
    ],
  ])('with %s are refused', async (_, lines: readonly Line[], message) => {
    await expect(planOf(catalogOf(...lines))).rejects.toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      message: message instanceof RegExp ? expect.stringMatching(message) : message,
    })
  })

  test('may have twice what nobody wants', async () => {
    const entries = catalogOf(dir('.'), file('f'), file('f'), file('g'))
    expect(await extracted(entries, { of: only('g') })).toEqual(['.', 'g'])
  })
})

/** Where the hard links of a restore get their data from, whichever of a file's names are wanted. */
import { AgentError } from '../../agent/errors'
import { undescribedEntry, type CatalogEntry, type RawRange } from '../../agent/tar/entry'
import type { RestoreTarget } from '../../agent/restore/target.io'
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
} from './plan-fixture'

describe('hard links', () => {
  const LINKS = catalogOf(
    dir('.'),
    dir('a'),
    file('a/first', 9000),
    dir('b'),
    link('b/second', 'a/first'),
    link('b/third', 'a/first'),
  )

  test('come with the name that has their data', async () => {
    expect(await extracted(LINKS)).toEqual(LINKS.map(({ path }) => path))
  })

  test('without it: the first one gets the data, the others are linked to that', async () => {
    const plan = await planOf(LINKS, { of: only('b') })
    expect(given(LINKS, plan)).toEqual(['.', 'a/first as ./b/second', 'b', 'b/third linked to ./b/second'])
    expect(plan).toMatchObject({ entries: 4, stagedBytes: 2 * 4096 + 12_288 })
  })

  test.each<[string, CatalogEntry[], RawRange[]]>([
    ['lies in a range that cannot be read', LINKS, [{ offset: 2 * 1024, bytes: 1024 }]],
    [
      'is an entry that nobody could describe',
      LINKS.map((entry) =>
        entry.path === 'a/first' ? undescribedEntry('a/first', entry.offset, entry.bytes, 'it is odd') : entry,
      ),
      [],
    ],
  ])(
    'are lost with their data, though that has another name, where it %s; the rest comes back',
    async (_, entries, lost) => {
      const more = [
        ...entries,
        ...catalogOf(file('b/own')).map((entry) => ({ ...entry, offset: entries.length * 1024 })),
      ]
      const plan = await planOf(more, { of: only('b'), lost })
      expect(given(more, plan)).toEqual(['.', 'b', 'b/own'])
      expect(plan.lost.first).toEqual(['b/second', 'b/third'])
    },
  )

  test('of symbolic links too', async () => {
    const entries = catalogOf(dir('.'), symlink('current', 'app'), link('again', 'current'))
    expect(await extracted(entries, { of: only('again') })).toEqual(['.', 'current as ./again'])
  })

  test('whose names are no text are told apart by their bytes', async () => {
    const [one, two] = ['/w==', '/g=='] // ff and fe
    const entries = catalogOf(
      dir('.'),
      { ...file('\ufffd'), path64: one },
      { ...file('\ufffd'), path64: two },
      { ...link('b', '\ufffd'), link64: two },
    )
    expect((await planOf(entries, { of: only('b') })).pieces.at(1)).toMatchObject({ offset: 2048 })
  })

  test.each([
    ['equal, and the link is made beside it', { first: equal(), staged: false }, ['b', 'b/second', 'b/third']],
    [
      'equal, and the link is made elsewhere',
      { first: equal(), staged: true },
      ['a/first as ./b/second', 'b', 'b/third linked to ./b/second'],
    ],
    ['another', { first: different(), staged: false }, ['a/first as ./b/second', 'b', 'b/third linked to ./b/second']],
  ])('to a file that stays as it is, which is %s', async (_, { first, staged }, expected) => {
    const isThere = different({ isDirectory: true })
    const into = having({ '.': isThere, a: isThere, 'a/first': first })
    const onConflict = first.state === 'equal' ? 'newer' : 'skip'
    const plan = await planOf(LINKS, { into, onConflict, staged })
    expect(given(LINKS, plan).filter((name) => !['.', 'a'].includes(name))).toEqual(expected)
  })

  test('to what another filesystem hides come with their data', async () => {
    const of = { ...whole, mountPoints: ['a'] }
    const into = having({}, { isMountPoint: (path) => path === 'a' })
    expect(await extracted(LINKS, { of, into })).toEqual([
      ...['.', 'a/first as ./b/second', 'b', 'b/third linked to ./b/second'],
    ])
  })

  test('are not made through what leads out of the target', async () => {
    const assertContained: RestoreTarget['assertContained'] = (path) => {
      if (path.toString() === 'a/first') throw new AgentError('TARGET_UNFIT', 'a is a link', { hint: '' })
    }
    const refused = planOf(LINKS, { into: having({}, { assertContained }) })
    await expect(refused).rejects.toMatchObject({ code: 'TARGET_UNFIT' })
  })

  test('that lead nowhere are damage', async () => {
    await expect(planOf(catalogOf(dir('.'), link('b', 'gone')), { of: only('b') })).rejects.toMatchObject({
      ...{ code: 'ARCHIVE_DAMAGED', message: "'b' is a hard link to 'gone', which is not in the catalog" },
    })
  })

  test('cost a second pass where their data has to be looked for, and only there', async () => {
    for (const [of, passes] of [
      [whole, 1],
      [only('b'), 2],
    ] as const) {
      let count = 0
      const entries = () => (count++, LINKS)
      await planOf(entries, { of })
      expect(count).toBe(passes)
    }
  })
})

/** What became of paths over time, from catalogs entry by entry. */
import { collectVersions, formatVersions, type FoundPath, type Version } from '../../agent/find/file-history'
import type { CatalogEntry } from '../../agent/tar/entry'
import { refusal } from '../support/refusal'

const [MONDAY, TUESDAY, WEDNESDAY, THURSDAY] = ['20260105', '20260106', '20260107', '20260108'].map(
  (day) => `${day}T020000Z-aaaaaa`,
) as [string, string, string, string]
const at = (run: string, className = 'daily') => ({ class: className, host: 'db-1', run })

const entryOf = (changes: Partial<CatalogEntry> = {}): CatalogEntry => ({
  ...{ path: 'f', type: 'file', size: 7, mode: 0o640, uid: 0, gid: 0, mtime: '1767000000', offset: 0, bytes: 1024 },
  ...changes,
})

/** Each run with the paths of its catalog. */
function collected(limit: number, ...runs: [run: string, found: Record<string, Partial<CatalogEntry>>][]) {
  const versions = collectVersions(limit)
  for (const [run, found] of runs) {
    const catalog = versions.ofCatalog(at(run), 'vg0-srv')
    for (const [path, changes] of Object.entries(found)) catalog.add(path, () => entryOf(changes))
    catalog.commit()
  }
  return versions
}
const spans = ({ versions }: FoundPath) => versions.map(({ firstRun, lastRun, runs }) => [firstRun, lastRun, runs])

describe('versions', () => {
  test('are newest first; what is back as it once was is one more', () => {
    const [path] = collected(
      9,
      [MONDAY, { '/f': {} }],
      [TUESDAY, { '/f': {} }],
      [WEDNESDAY, { '/f': { size: 8 } }],
      [THURSDAY, { '/f': {} }],
    ).list()
    expect(spans(path!)).toEqual([
      [THURSDAY, THURSDAY, 1],
      [WEDNESDAY, WEDNESDAY, 1],
      [MONDAY, TUESDAY, 2],
    ])
  })

  test.each<[string, Partial<CatalogEntry>, number]>([
    ['type', { type: 'symlink' }, 2],
    ['size', { size: 8 }, 2],
    ['mode', { mode: 0o600 }, 2],
    ['owner', { uid: 1 }, 2],
    ['group', { gid: 1 }, 2],
    ['time', { mtime: '1767000001' }, 2],
    ['link', { link: '/etc' }, 2],
    ['place in the archive', { offset: 4096, bytes: 2048 }, 1],
    ['time, by less than is shown', { mtime: '1767000000.0005' }, 1],
  ])('differ by their %s: %j', (_, changes, count) => {
    const [path] = collected(9, [MONDAY, { '/f': {} }], [TUESDAY, { '/f': changes }]).list()
    expect(path!.versions).toHaveLength(count)
  })

  test('do not differ by the class of their runs', () => {
    const versions = collectVersions(9)
    for (const place of [at(MONDAY), at(TUESDAY, 'monthly')]) {
      const catalog = versions.ofCatalog(place, 'vg0-srv')
      catalog.add('/f', entryOf)
      catalog.commit()
    }
    expect(versions.list().map(spans)).toEqual([[[MONDAY, TUESDAY, 2]]])
  })

  test.each([
    ['9223372036854775807', '+275760-09-13T00:00:00.000Z'],
    ['-9223372036854775808', '-271821-04-20T00:00:00.000Z'],
    ['-0.5', '1969-12-31T23:59:59.500Z'],
  ])('may have a time that no clock shows: %s', (mtime, shown) => {
    expect(collected(9, [MONDAY, { '/f': { mtime } }]).list()[0]?.versions[0]?.mtime).toBe(shown)
  })
})

test('nothing of a catalog counts before its end: it may be damaged there', () => {
  const versions = collected(1, [MONDAY, { '/a': {} }])
  const damaged = versions.ofCatalog(at(TUESDAY), 'vg0-srv')
  damaged.add('/a', () => entryOf({ size: 8 }))
  damaged.add('/b', entryOf)
  expect([versions.list().map(spans), versions.more()]).toEqual([[[[MONDAY, MONDAY, 1]]], 0])
})

test('paths beyond the limit are counted, and not even read; what is kept is followed on', () => {
  const versions = collectVersions(2)
  const read: string[] = []
  for (const [run, ...paths] of [
    [MONDAY, '/b', '/a', '/c'],
    [TUESDAY, '/d', '/a'],
  ] as const) {
    const catalog = versions.ofCatalog(at(run), 'vg0-srv')
    for (const path of paths) catalog.add(path, () => (read.push(path), entryOf()))
    catalog.commit()
  }
  expect(versions.list().map(({ path, versions: [newest] }) => [path, newest?.runs])).toEqual([
    ['/a', 2],
    ['/b', 1],
  ])
  expect([versions.more(), read]).toEqual([2, ['/b', '/a', '/a']])
})

describe('a catalog that has a path twice', () => {
  const twice = (...entries: Partial<CatalogEntry>[]) => {
    const catalog = collectVersions(9).ofCatalog(at(MONDAY), 'vg0-srv')
    for (const changes of entries) catalog.add('/srv/f', () => entryOf(changes))
  }

  test('is damaged, as a restore has it', () => {
    expect(refusal(() => twice({}, {}))).toMatchObject({
      ...{ code: 'ARCHIVE_DAMAGED', message: "the catalog has '/srv/f' twice" },
    })
    expect(refusal(() => twice({ path64: '/w==' }, { path64: '/w==' }))).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  })

  test('may be two names that are no text, or the beginnings of two long ones', () => {
    expect(() => twice({ path64: '/w==' }, { path64: '/g==' })).not.toThrow()
    expect(() => twice({}, { undescribed: 'its name is too long' })).not.toThrow()
  })
})

describe('what is told', () => {
  const request = { bucket: 'b', host: 'db-1', pattern: '*', includeDeleted: false, trustTimes: false }
  const found = (changes: Partial<Version> = {}, path = '/srv/f'): FoundPath => ({
    ...{ path, volume: 'vg0-srv' },
    versions: [{ ...collected(1, [MONDAY, { f: {} }]).list()[0]!.versions[0]!, ...changes }],
  })
  const lines = (...all: FoundPath[]) => formatVersions(request, all, 0, []).split('\n')

  test('the restore command is of the newest version of the first path', () => {
    expect(lines(found({ lastRun: TUESDAY, runs: 2 }), found({}, '/srv/g')).at(-1)).toBe(
      `  restore: snapstream restore --bucket b --host db-1 --run ${TUESDAY} --path /srv/f --target DIR`,
    )
  })

  test('it reads what the search has read', () => {
    const asked = { ...request, includeDeleted: true, trustTimes: true }
    expect(formatVersions(asked, [found()], 0, [])).toMatch(/ --target DIR --include-deleted --trust-times$/)
  })

  test.each([
    ['/srv/odd/\ufffd\ufffd bad', '/srv/odd'],
    ['/srv/\ufffd/below', '/srv'],
    ['/\ufffd', '/'],
  ])('a name that is no text comes back with the directory that it is in: %s', (path, nameable) => {
    expect(lines(found({}, path)).at(-1)).toContain(` --path ${nameable} --target`)
  })

  test.each<[Partial<Version>, RegExp]>([
    [{ type: 'directory', size: 0 }, /Z +directory +0640 /],
    [{ type: 'symlink', link: '/etc/hosts' }, /Z +symlink to \/etc\/hosts +0640 /],
    [{ mode: 0o4755 }, / 4755 +0:0 /],
    [{ mode: 0, uid: 1000, gid: 100 }, / 0000 +1000:100 /],
  ])('%j', (changes, row) => expect(lines(found(changes))[2]).toMatch(row))

  test('what was not searched stands before what was found, and instead of it', () => {
    const gaps = [{ ...at(TUESDAY), volume: 'vg0-srv', reason: 'is damaged' }]
    const expected = [`  NOT SEARCHED ${TUESDAY} vg0-srv: is damaged`, '  NOT SEARCHED 2 more']
    expect(formatVersions(request, [found()], 0, gaps, 3).split('\n').slice(1, 3)).toEqual(expected)
    expect(formatVersions(request, [], 0, gaps, 3).split('\n').slice(1, 3)).toEqual(expected)
  })

  test('that there is more, and how to see it', () => {
    expect(formatVersions(request, [found()], 7, [])).toContain('*, and 7 more entries; --limit shows more\n')
  })
})

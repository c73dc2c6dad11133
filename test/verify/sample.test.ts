import {
  advanceRotation,
  chooseSample,
  chooseShare,
  describeSamples,
  formatRotation,
  formatSample,
  parseRotation,
  partOf,
  planSamples,
  type Rotation,
  type Sample,
} from '../../agent/verify/sample'
import type { CatalogEntry } from '../../agent/tar/entry'

const entryOf = (path: string, changes: Partial<CatalogEntry> = {}): CatalogEntry => ({
  ...{ path, type: 'file', size: 0, mode: 0o644, uid: 0, gid: 0, mtime: '0', offset: 0, bytes: 512 },
  ...changes,
})

/** A tree of some shape, the same each time. */
function treeOf(directories: number): CatalogEntry[] {
  const paths = ['.']
  for (let i = 0; i < directories; i++) {
    const parent = paths[Math.floor((i * 7919) % paths.length)]!
    const base = parent === '.' ? '' : `${parent}/`
    paths.push(`${base}d${i}`, ...Array.from({ length: i % 5 }, (_, n) => `${base}d${i}/größe ${n}`))
  }
  return paths.map((path) => entryOf(path))
}

/** What a run compares of the entries. */
function chosen(entries: readonly CatalogEntry[], sample: Sample): CatalogEntry[] {
  const chooser = chooseSample(sample)
  for (const entry of entries) chooser.learn(entry)
  return entries.filter((entry) => chooser.isChosen(entry))
}

describe('going through the parts', () => {
  const shares = [[1, 2], [1, 7], [2, 7], [3, 7], [6, 7], [5, 12], [1, 50], [999, 1000]] as const // prettier-ignore

  test.each(shares)('%d/%d: as many runs as it takes compare everything, whichever comes first', (count, parts) => {
    const entries = treeOf(40)
    const runs = Math.ceil(parts / count)
    for (let first = 1; first <= parts; first += Math.max(1, Math.floor(parts / 3))) {
      let rotation: Rotation = { vol: { next: first, parts } }
      const compared = new Set<CatalogEntry>()
      for (let run = 0; run < runs; run++) {
        const sample = planSamples(rotation, ['vol'], { count, parts }).get('vol')!
        for (const entry of chosen(entries, sample)) compared.add(entry)
        rotation = parseRotation(formatRotation(advanceRotation(rotation, [{ volume: 'vol', sampled: sample }])))!
      }
      expect(compared.size).toBe(entries.length)
    }
  })

  test('each part by itself has its share, more or less, and no entry is in two', () => {
    const entries = Array.from({ length: 3000 }, (_, i) => entryOf(`home/user ${i % 300}/project ${i}/file`))
    const sizes = Array.from({ length: 7 }, (_, i) => chosen(entries, { part: i + 1, count: 1, parts: 7 }).length)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(entries.length)
    for (const size of sizes) expect(size / entries.length).toBeCloseTo(1 / 7, 1)
  })

  test('a volume that is not known, or was divided otherwise, starts with its first part', () => {
    const rotation = { known: { next: 3, parts: 7 }, other: { next: 3, parts: 5 } }
    const samples = planSamples(rotation, ['known', 'other', 'new'], { count: 2, parts: 7 })
    expect([...samples].map(([volume, { part }]) => [volume, part])).toEqual([['known', 3], ['other', 1], ['new', 1]]) // prettier-ignore
  })

  test('a volume that failed, or was not backed up, keeps its turn', () => {
    const rotation = { failed: { next: 2, parts: 7 }, good: { next: 7, parts: 7 } }
    const backedUp = [{ volume: 'good', sampled: { part: 7, count: 1, parts: 7 } }, { volume: 'whole' }]
    expect(advanceRotation(rotation, backedUp)).toEqual({ failed: { next: 2, parts: 7 }, good: { next: 1, parts: 7 } })
  })

  test.each(['', '{', '[]', '{"v":3}', '{"v":{"next":0,"parts":7}}', '{"v":{"next":1.5,"parts":7}}', 'null'])(
    'what was remembered as %j is not trusted',
    (json) => expect(parseRotation(json)).toBeUndefined(),
  )
})

test('a directory is in one part with its siblings, what is in it in another, and neither ever changes its part', () => {
  const paths = ['.', 'etc', 'usr', 'etc/hosts', 'etc/passwd', 'usr/lib', 'usr/lib/a', 'srv/größe/b', '1/2/3/4/5/6']
  expect(paths.map((path) => `${path} ${partOf({ path }, 1000)}`)).toMatchInlineSnapshot(`
   [
     ". 924",
     "etc 924",
     "usr 924",
     "etc/hosts 406",
     "etc/passwd 406",
     "usr/lib 751",
     "usr/lib/a 975",
     "srv/größe/b 820",
     "1/2/3/4/5/6 561",
   ]
  `)
  expect(partOf({ path: 'etc/x' }, 7)).toBe(partOf({ path: 'etc/y' }, 7))
  expect(partOf({ path: '1/2/3/4/x' }, 1000)).toBe(partOf({ path: '1/2/3/4/5/6/y' }, 1000))
  expect(partOf({ path: '1/2/3/x' }, 1000)).not.toBe(partOf({ path: '1/2/3/4/x' }, 1000))
  const bytes = Buffer.from([0x65, 0x2f, 0xff])
  expect(partOf({ path: 'e/\ufffd', path64: bytes.toString('base64') }, 7)).toBe(partOf({ path: 'e/x' }, 7))
})

describe('what else is compared', () => {
  const PARTS = 50
  const link = entryOf('links/second', { type: 'hardlink', link: 'data/first' })
  const data = entryOf('data/first')
  const sample: Sample = { part: partOf(link, PARTS), count: 1, parts: PARTS }

  test('the file that a hard link of the sample names, and no other of its directory', () => {
    expect(partOf(data, PARTS)).not.toBe(partOf(link, PARTS))
    expect(chosen([entryOf('data/other'), data, link], sample)).toEqual([data, link])
    expect(chosen([data], sample)).toEqual([])
  })

  test('what has a name that tar cannot be given is left out, and counted', () => {
    const long = 'x'.repeat(4094)
    const chooser = chooseSample({ part: 1, count: 3, parts: 4 })
    const all = Array.from({ length: 40 }, (_, i) => entryOf(`d${i}/${long}`))
    const links = Array.from({ length: 40 }, (_, i) => entryOf(`d${i}/link`, { type: 'hardlink', link: long }))
    for (const entry of [...all, ...links]) chooser.learn(entry)
    expect([...all, ...links].some((entry) => chooser.isChosen(entry))).toBe(false)
    const inSample = all.filter((entry) => partOf(entry, 4) <= 3).length
    expect([inSample > 10, chooser.tooLong()]).toEqual([true, 2 * inSample])
  })
})

test.each<[Sample, string]>([
  [{ part: 3, count: 1, parts: 7 }, '3/7'],
  [{ part: 3, count: 2, parts: 7 }, '3-4/7'],
  [{ part: 7, count: 2, parts: 7 }, '7-1/7'],
])('%j is written %s', (sample, text) => {
  expect(formatSample(sample)).toBe(text)
  expect(describeSamples([sample, undefined, sample])).toBe(`source ${text}`)
})

test.each([
  ['source', { count: 1, parts: 7 }, { count: 1, parts: 7 }],
  ['source', { count: 7, parts: 7 }, undefined],
  ['source', undefined, undefined],
  ['stream', undefined, undefined],
] as const)('--verify %s with the share %j compares %j', (verify, sample, share) => {
  expect(chooseShare({ verify, sample })).toEqual(share)
})

/** Directories that ask to be left out, from one night to the next. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEntries } from '../../agent/archive/read-catalog.io'
import { CACHE_SIGNATURE } from '../../agent/tar/tags'
import { silentLog } from '../support/log'
import { nightsOfVolume, type Night, type NightOptions, type Nights } from './night-scene'

const TAGS = ['--exclude-caches', '--exclude-if-present', '.nobackup']
let nights: Nights
beforeEach(() => {
  nights = nightsOfVolume()
  for (const name of ['cache', 'scratch', 'kept']) {
    mkdirSync(join(nights.directory, name, 'deep'), { recursive: true })
    writeFileSync(join(nights.directory, name, 'deep', 'file'), `of ${name}`)
  }
  writeFileSync(join(nights.directory, 'cache', 'CACHEDIR.TAG'), `${CACHE_SIGNATURE}\n# by a test\n`)
  writeFileSync(join(nights.directory, 'scratch', '.nobackup'), '')
})
afterEach(() => nights[Symbol.dispose]())

const next = (level: string, more: NightOptions = {}) =>
  nights.next({ ...more, options: ['--level', level, ...(more.options ?? TAGS)] })
const BOTH = {
  count: 2,
  first: [
    { path: 'cache', tag: 'CACHEDIR.TAG' },
    { path: 'scratch', tag: '.nobackup' },
  ],
}
/** The names that the catalog of a night has, without those of the hundred files. */
const namesIn = async ({ archived }: Night) => {
  const names: string[] = []
  const deps = { store: nights.store, log: silentLog, signal: new AbortController().signal }
  for await (const { path } of readEntries(deps, archived.archive)) if (!path.startsWith('etc')) names.push(path)
  return names.sort()
}
const WITHOUT = [
  '.',
  'cache',
  'cache/CACHEDIR.TAG',
  'kept',
  'kept/deep',
  'kept/deep/file',
  'scratch',
  'scratch/.nobackup',
]

test.each(['full', 'auto'])('are archived without what is in them, and told of: %s', async (level) => {
  await next('full')
  const night = await next(level)
  expect(night.archived.leftOut).toEqual(BOTH)
  expect(await namesIn(night)).toEqual(WITHOUT)
  expect(night.archived.base === undefined).toBe(level === 'full')
})

test('one that is tagged since the base has its contents removed; one that is not any more has them archived, however old they are', async () => {
  await next('full')
  writeFileSync(join(nights.directory, 'kept', '.nobackup'), '')
  rmSync(join(nights.directory, 'cache', 'CACHEDIR.TAG'))
  const night = await next('auto')
  expect(night.archived.base).toBeDefined()
  expect(night.archived.leftOut?.first.map(({ path }) => path)).toEqual(['kept', 'scratch'])
  expect(await namesIn(night)).toEqual(
    ['.', 'cache', 'cache/deep', 'cache/deep/file', 'kept', 'kept/.nobackup', 'scratch', 'scratch/.nobackup'].sort(),
  )
  expect(night.archived.removed?.names).toBe(3) // kept/deep, the file in it, and the cache's tag
})

test('an option that was not given for the base makes a full archive, and says so', async () => {
  await next('full', { options: [] })
  const { archived } = await next('auto')
  expect([archived.base, archived.fullBecause]).toEqual([
    undefined,
    'its last full archive was made without --exclude-caches',
  ])
})

test.each(['full', 'auto'])(
  'a volume that is tagged itself is refused before anything of it counts: %s',
  async (level) => {
    await next('full')
    const before = [...nights.store.objects.keys()]
    writeFileSync(join(nights.directory, '.nobackup'), '')
    await expect(next(level)).rejects.toMatchObject({
      code: 'ARCHIVE_FAILED',
      message: expect.stringContaining('itself has .nobackup: all that is in it would be left out') as string,
      hint: expect.stringContaining('--exclude-volumes') as string,
    })
    expect([...nights.store.objects.keys()]).toEqual(before)
  },
)

/** What a night archives of a volume: all of it, or what has changed since the last time that it was all of it. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nightsOfVolume, type Nights } from './night-scene'

jest.setTimeout(60_000)

let nights: Nights
beforeEach(() => (nights = nightsOfVolume()))
afterEach(() => nights[Symbol.dispose]())

const AUTO = { options: ['--level', 'auto'] }

test('the first night is full, and says why; the next ones refer to it, not to one another', async () => {
  const first = await nights.next(AUTO)
  expect(first.archived).toMatchObject({ fullBecause: 'there is no index of a full archive yet' })
  expect(first.archived.base).toBeUndefined()

  writeFileSync(join(nights.directory, 'etc', 'new'), 'new')
  rmSync(join(nights.directory, 'etc', 'file 7'))
  for (const night of [await nights.next(AUTO), await nights.next(AUTO)]) {
    const { archived } = night
    expect(archived.fullBecause).toBeUndefined()
    expect(archived.base).toMatchObject({ run: first.runKey.run, archive: first.archived.archive })
    expect(archived.removed?.names).toBe(1)
    expect(archived.archive.entries).toBe(3) // the root, etc, and what is new
    expect(archived.tarCommand).toContain('--files-from=-')
    expect(night.logged.join('\n')).toContain('of 102 entries, 99 are as they were; archiving 3')
  }
})

test('nobody is told why, where a full archive was asked for, and the next night may refer to it', async () => {
  const first = await nights.next()
  expect(first.archived.fullBecause).toBeUndefined()
  expect((await nights.next(AUTO)).archived.base?.run).toBe(first.runKey.run)
})

test('a night that changed too much is full, and the base of those after it', async () => {
  await nights.next(AUTO)
  for (let index = 0; index < 80; index++)
    writeFileSync(join(nights.directory, 'etc', `file ${index}`), 'y'.repeat(5000))
  const changed = await nights.next({ options: ['--level', 'differential'] })
  expect(changed.archived.fullBecause).toContain('more than half of what it holds has changed')
  expect((await nights.next(AUTO)).archived.base?.run).toBe(changed.runKey.run)
})

test('what is read in place is archived whole each time', async () => {
  await nights.next(AUTO)
  const inPlace = await nights.next({ ...AUTO, inPlace: true })
  expect(inPlace.archived.fullBecause).toContain('read in place')
})

test.each<[string, Parameters<Nights['next']>[0]]>([
  ['was never published', { unpublished: true }],
  ['lacks something', { mount: { warnings: { count: 1, lines: ['tar: ./a: Cannot read'] } } }],
])('an archive that %s is no base to anybody', async (_, night) => {
  const first = await nights.next()
  await nights.next(night)
  expect((await nights.next(AUTO)).archived.base?.run).toBe(first.runKey.run)
})

test('an archive whose checksums nobody has confirmed is no base to anybody', async () => {
  const completeUpload: Nights['store']['completeUpload'] = async (...given) => ({
    ...(await nights.store.completeUpload(...given)),
    confirmed: false,
  })
  await nights.next({ store: { completeUpload }, options: ['--verify', 'none'] })
  expect((await nights.next(AUTO)).archived.fullBecause).toContain('there is no index')
})

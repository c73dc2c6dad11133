/** A base has to be there, whole, and fit for what is asked for: else the archive is a full one, and says why. */
import { AgentError, type ErrorCode } from '../../agent/errors'
import type { Store } from '../../agent/context'
import { nightsOfVolume, type Nights } from './night-scene'

jest.setTimeout(60_000)

let nights: Nights
beforeEach(() => (nights = nightsOfVolume()))
afterEach(() => nights[Symbol.dispose]())

const options = ['--level', 'auto']

test.each(['manifests/', 'catalogs/', 'data/'])(
  'a base whose object below %s an administrator has deleted',
  async (prefix) => {
    await nights.next({ options })
    const key = [...nights.store.objects.keys()].find((name) => name.startsWith(prefix))!
    nights.store.objects.delete(key)
    expect((await nights.next({ options })).archived).toMatchObject({
      fullBecause: `of its last full archive, ${key} is gone`,
    })
  },
)

test('a base that is not as large as it was', async () => {
  await nights.next({ options })
  const head: Store['head'] = async (key, ...rest) => {
    const found = await nights.store.head(key, ...rest)
    return key.startsWith('data/') ? { ...found, sizeBytes: found.sizeBytes - 1 } : found
  }
  expect((await nights.next({ options, store: { head } })).archived.fullBecause).toMatch(/has \d+ bytes, not \d+/)
})

test('a base that S3 has archived since does where nothing of it is read', async () => {
  const first = await nights.next({ options })
  const head: Store['head'] = async (key, ...rest) => ({
    ...(await nights.store.head(key, ...rest)),
    ...(key.startsWith('data/') && { storageClass: 'GLACIER' }),
  })
  const readBack = await nights.next({
    options: [...options, '--verify', 'stream'],
    store: { head },
    unpublished: true,
  })
  expect(readBack.archived.fullBecause).toBe('--verify stream cannot read its last full archive, which is in GLACIER')
  expect((await nights.next({ options, store: { head } })).archived.base?.run).toBe(first.runKey.run)
})

const failing = (code: ErrorCode): Partial<Store> => ({
  head: () => Promise.reject(new AgentError(code, 'no', { hint: 'x' })),
})

test('a host that may not look at its backups goes by what it has written', async () => {
  const first = await nights.next({ options })
  const { archived } = await nights.next({ options, store: failing('ACCESS_DENIED') })
  expect(archived.base?.run).toBe(first.runKey.run)
})

test('a bucket that does not say whether the base is there', async () => {
  await nights.next({ options })
  const { archived } = await nights.next({ options, store: failing('STORE_FAILED') })
  expect(archived.fullBecause).toContain('whether its last full archive is there cannot be learnt')
})

test('a pattern that tools read in different ways: nobody else may say what tar leaves out', async () => {
  const excluding = [...options, '--exclude', 'spool-[!]*']
  await nights.next({ options: excluding })
  expect((await nights.next({ options: excluding })).archived.fullBecause).toContain('tools read in different ways')
})

test.each([
  ['other paths are excluded', { options: [...options, '--exclude', '*.tmp'] }],
  ['it is another filesystem', { options, origin: { uuid: 'u-2' } }],
  ["the compression 'zstd'", { options: [...options, '--compression', 'none'] }],
  ['24 hours old', { options: [...options, '--full-every', '1d'] }],
])('a base that does not fit, since %s', async (why, night) => {
  await nights.next({ options })
  expect((await nights.next(night)).archived.fullBecause).toContain(why)
})

import { withoutYounger } from '../../agent/run/dated-objects'
import { memoryStore } from '../support/memory-store'
import { refusalOf } from '../support/refusal'

const { signal } = new AbortController()
const KEY = 'data/daily/h/20260131T020000Z-k3xw7a/v.tar'

async function storeWith(writtenAt: string) {
  const store = memoryStore()
  await store.put(KEY, 'x', signal)
  store.objects.set(KEY, { ...store.objects.get(KEY)!, lastModified: new Date(writtenAt) })
  return store
}

test.each(['2026-01-31T02:00:00Z', '2026-01-31T02:10:00.000Z', '2026-01-31T02:10:00.999Z'])(
  'what was written at %s is not younger than a manifest of 02:10, by S3’s whole seconds',
  async (writtenAt) => {
    const store = withoutYounger(await storeWith(writtenAt), new Date('2026-01-31T02:10:00Z'))
    expect(await store.head(KEY, signal)).toMatchObject({ sizeBytes: 1 })
  },
)

test('what was written after its manifest is not told of', async () => {
  const store = withoutYounger(await storeWith('2026-01-31T02:10:01Z'), new Date('2026-01-31T02:10:00Z'))
  expect(await refusalOf(store.head(KEY, signal))).toMatchObject({
    code: 'MISDATED',
    message: `${KEY} was written at 2026-01-31T02:10:01Z, after its manifest`,
  })
})

test('where S3’s times are not to be gone by, everything is', async () => {
  const store = await storeWith('2026-02-01T00:00:00Z')
  expect(withoutYounger(store, undefined)).toBe(store)
})

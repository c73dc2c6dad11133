import { scene, signal, KEY } from './scripted-store'
import { refusalOf } from '../support/refusal'

const scripted = scene()
const WEEK = { tier: 'bulk', days: 7 } as const
const refusing = (status: number, code: string) => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<Error><Code>${code}</Code><Message>no</Message></Error>`,
})

test('an archived object is asked for once, of the version that is named', async () => {
  const store = await scripted.storeAt({ RestoreObject: [{ status: 202 }] })
  await store.retrieve(KEY, WEEK, signal, 'v1')
  expect(scripted.server.operations).toEqual(['RestoreObject'])
  expect(scripted.server.requests[0]?.url).toContain('versionId=v1')
})

test('an object that is on its way already needs no second order', async () => {
  const store = await scripted.storeAt({ RestoreObject: [refusing(409, 'RestoreAlreadyInProgress')] })
  await expect(store.retrieve(KEY, WEEK, signal)).resolves.toBeUndefined()
})

test.each([
  [403, 'AccessDenied', 'ACCESS_DENIED'],
  [404, 'NoSuchKey', 'OBJECT_MISSING'],
])('an order that is refused with %d %s is told of', async (status, code, expected) => {
  const store = await scripted.storeAt({ RestoreObject: [refusing(status, code)] })
  expect(await refusalOf(store.retrieve(KEY, WEEK, signal))).toMatchObject({ code: expected })
})

import {
  assertNoneMissing,
  namingLost,
  rangeOf,
  readSegmentStates,
  reportingDamage,
} from '../../agent/archive/segment-status.io'
import type { Segment } from '../../agent/archive/archive'
import { AgentError } from '../../agent/errors'
import type { CatalogEntry } from '../../agent/tar/entry'
import { storeWith } from '../support/archives'
import { silentLog } from '../support/log'
import { refusalOf } from '../support/refusal'

const KIB = 1024
/** Three segments of 1 KiB of the tar stream each. */
const segments = [0, 1, 2].map((index): Segment => {
  const key = `data/daily/db-1/20260131T020000Z-k3xw7a/vg0-srv.tar.zst.${index}`
  return { key, sizeBytes: 3, crc32: '00c0ffee', rawOffset: index * KIB, rawBytes: KIB }
})
const entryAt = (path: string, offset: number, bytes: number) => ({ path, offset, bytes }) as CatalogEntry

async function* entries(...all: readonly CatalogEntry[]) {
  yield* all
}

/** A bucket with these of the segments. */
function depsWith(...indexes: readonly number[]) {
  const store = storeWith(new Map(indexes.map((index) => [segments[index]!.key, Buffer.from('abc')])))
  return { store, log: silentLog, signal: new AbortController().signal }
}

test('each segment is told with where it is, and those that are gone are left out', async () => {
  const deps = depsWith(0, 2)
  const { key } = segments[2]!
  deps.store.objects.set(key, { ...deps.store.objects.get(key)!, storageClass: 'DEEP_ARCHIVE', archived: true })
  const states = await readSegmentStates(deps, segments)
  expect(states.map(({ segment, storageClass }) => [segment, storageClass])).toEqual([
    [segments[0], 'STANDARD'],
    [segments[2], 'DEEP_ARCHIVE'],
  ])
  expect(states[0]!.retrieval).not.toEqual(states[1]!.retrieval)
})

test('a bucket that does not let one look has not lost anything', async () => {
  const denied = new AgentError('ACCESS_DENIED', 'may not read', { hint: 'Allow it.' })
  const deps = depsWith(0)
  const store = { ...deps.store, head: () => Promise.reject(denied) }
  expect(await refusalOf(readSegmentStates({ ...deps, store }, segments))).toMatchObject({ code: 'ACCESS_DENIED' })
})

describe('what is lost with a range', () => {
  const damage = new AgentError('ARCHIVE_DAMAGED', 'a frame is damaged', { hint: '' })
  const lostOf = async (lost: { offset: number; bytes: number }, ...all: CatalogEntry[]) =>
    (await namingLost(entries(...all), [lost], damage)).message

  test('is every entry of which there is a byte in it, and none that only touches it', async () => {
    const message = await lostOf(
      { offset: 1000, bytes: 1000 },
      entryAt('ends before', 0, 1000),
      entryAt('reaches into it', 0, 1001),
      entryAt('within', 1500, 10),
      entryAt('around', 0, 5000),
      entryAt('begins with its last byte', 1999, 500),
      entryAt('begins after', 2000, 500),
    )
    expect(message).toBe(
      "a frame is damaged; lost with it: 'reaches into it', 'within', 'around', 'begins with its last byte'",
    )
  })

  test('is told with five names, and a number', async () => {
    const all = Array.from({ length: 8 }, (_, index) => entryAt(`f${index}`, index, 1))
    expect(await lostOf({ offset: 0, bytes: 8 }, ...all)).toBe(
      "a frame is damaged; lost with it: 'f0', 'f1', 'f2', 'f3', 'f4' and 3 more",
    )
  })
})

test('a segment that is gone is named with what was in it', async () => {
  const all = [entryAt('first', 0, KIB), entryAt('second', KIB, KIB), entryAt('third', 2 * KIB, KIB)]
  const present = await readSegmentStates(depsWith(0), segments)
  expect(await refusalOf(assertNoneMissing(entries(...all), segments, present))).toEqual({
    code: 'ARCHIVE_DAMAGED',
    message: `${segments[1]!.key} is missing; lost with it: 'second', 'third'`,
    hint: expect.stringContaining('--best-effort') as string,
  })
  await expect(assertNoneMissing(entries(...all), segments.slice(0, 1), present)).resolves.toBeUndefined()
})

test('a segment has its place in the tar stream', () => {
  expect(rangeOf(segments[2]!)).toEqual({ offset: 2 * KIB, bytes: KIB })
})

describe('while findings are gathered', () => {
  const told: unknown[][] = []
  const report = (...finding: unknown[]) => void told.push(finding)
  beforeEach(() => void told.splice(0))

  test('damage is one, with what to do', async () => {
    const damage = new AgentError('ARCHIVE_DAMAGED', 'a frame is damaged', { hint: '' })
    expect(await reportingDamage(report, 'Look elsewhere.', () => Promise.reject(damage))).toBeUndefined()
    expect(told).toEqual([['a frame is damaged', 'Look elsewhere.']])
  })

  test('what is read is given on', async () => {
    expect([await reportingDamage(report, '', async () => 7), told]).toEqual([7, []])
  })

  test('what keeps one from looking is none', async () => {
    const down = new AgentError('ENDPOINT_UNREACHABLE', 'no way there', { hint: 'Find one.' })
    await expect(reportingDamage(report, '', () => Promise.reject(down))).rejects.toBe(down)
    expect(told).toEqual([])
  })
})

/** Which run somebody means, and whether it is what its name says. */
import { manifestKey, type RunKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { formatManifest } from '../../agent/run/manifest'
import {
  findRun,
  findRuns,
  isWhatItSays,
  noRun,
  openRun,
  openRunAt,
  readManifest,
  type RunSelector,
} from '../../agent/run/runs'
import { logWarnings } from '../support/log'
import { manifestOf } from '../support/manifest'
import { memoryStore, timeOf, type MemoryStore } from '../support/memory-store'
import { refusalOf } from '../support/refusal'

const [OLD, NEW, LATER] = ['20260130T020000Z-aaaaaa', '20260131T020000Z-bbbbbb', '20260201T020000Z-cccccc']
const at = (run: string, className = 'daily', host = 'db-1'): RunKey => ({ class: className, host, run })
/** When an intruder wrote what he would have taken for an older run. */
const INTRUSION = new Date('2026-03-01T00:00:00Z')

const signal = new AbortController().signal
let store: MemoryStore
let warnings: string[]
let forged: Set<string>
beforeEach(async () => {
  forged = new Set()
  store = memoryStore({ now: (key) => (forged.has(key) ? INTRUSION : timeOf(key)) })
  warnings = []
  for (const place of [at(OLD), at(NEW), at(LATER, 'monthly'), at(LATER, 'daily', 'db-10')]) await write(place)
})

function write(place: RunKey, text = formatManifest(manifestOf({ ...place, volumes: manifestOf(place).volumes }))) {
  return store.put(manifestKey(place), text, signal)
}
function forge(place: RunKey) {
  forged.add(manifestKey(place))
  return write(place)
}
const deps = (changes: Partial<MemoryStore> = {}) => ({
  ...{ store: { ...store, ...changes }, log: logWarnings(warnings), signal },
  now: () => INTRUSION,
})
const found = (wanted: Partial<RunSelector> = {}) => findRun(deps(), { host: 'db-1', ...wanted })

const denied = () => {
  throw new AgentError('ACCESS_DENIED', 's3:ListBucket is denied', { hint: '' })
}

describe('the runs of a host', () => {
  test('are newest first, of every class, and of no other host', async () => {
    expect(await findRuns(deps(), { host: 'db-1' })).toEqual([at(LATER, 'monthly'), at(NEW), at(OLD)])
    expect(await findRuns(deps(), { host: 'db-1', class: 'daily' })).toEqual([at(NEW), at(OLD)])
    expect(await findRuns(deps(), { host: 'db' })).toEqual([])
  })

  test('are not what lies beside their manifests', async () => {
    await store.put('manifests/daily/db-1/notes.txt', 'x', signal)
    await store.put('manifests/daily/db-1/db-2/20260131T020000Z-bbbbbb.json', 'x', signal)
    expect(await findRuns(deps(), { host: 'db-1', class: 'daily' })).toHaveLength(2)
  })

  test('may not be listed by hosts, who are told who may', async () => {
    const refused = findRuns(deps({ list: denied, listFolders: denied }), { host: 'db-1' })
    expect(await refusalOf(refused)).toMatchObject({ code: 'ACCESS_DENIED', hint: expect.stringContaining('restorer') })
  })

  test('have what speaks against their names', async () => {
    const backdated = at('20260129T020000Z-zzzzzz')
    await forge(backdated)
    expect((await findRuns(deps(), { host: 'db-1' })).at(-1)).toMatchObject({
      ...backdated,
      misdating: { isFuture: false },
    })
  })
})

describe('the run that is meant', () => {
  test.each<[string, Partial<RunSelector>, RunKey]>([
    ['the newest, without a word', {}, at(LATER, 'monthly')],
    ['the newest of a class', { class: 'daily' }, at(NEW)],
    ['the newest by a time', { at: new Date('2026-01-31T01:59:59Z') }, at(OLD)],
    ['one that begins in that very second', { at: new Date('2026-01-31T02:00:00Z') }, at(NEW)],
    ['the one that is named', { run: OLD }, at(OLD)],
  ])('is %s', async (_, wanted, expected) => expect(await found(wanted)).toEqual(expected))

  test('is found without a list where run and class are named, as hosts may not list', async () => {
    const wanted = { host: 'db-1', run: OLD, class: 'daily' }
    expect(await findRun(deps({ list: denied, listFolders: denied }), wanted)).toEqual(at(OLD))
  })

  test('of three that have one name is the one that is no forgery', async () => {
    for (const className of ['a-class-that-sorts-first', 'z-class-that-sorts-last']) await forge(at(OLD, className))
    expect(await found({ run: OLD })).toEqual(at(OLD))
  })

  test('is never another one that is not what its name says, which is told of', async () => {
    await forge(at('20260202T020000Z-zzzzzz'))
    expect(await found()).toEqual(at(LATER, 'monthly'))
    expect(warnings).toEqual([expect.stringMatching(/^run 20260202T020000Z-zzzzzz /)])
    expect(await found({ trustTimes: true })).toMatchObject({ run: '20260202T020000Z-zzzzzz' })
  })

  test('is none where there are only forgeries', async () => {
    await forge(at(OLD, 'daily', 'db-2'))
    expect(await refusalOf(found({ host: 'db-2' }))).toMatchObject({ code: 'MISDATED' })
  })

  test.each<[string, Partial<RunSelector>, string, RegExp]>([
    ['a host that is misspelt', { host: 'db-l' }, 'db-l has no run at all', /Check --host/],
    ['a class that is misspelt', { class: 'dayly' }, "db-1 has no run of class 'dayly' at all", /--class/],
    [
      'a run that is misspelt',
      { run: `${OLD.slice(0, -1)}b` },
      `db-1 has no run '${OLD.slice(0, -1)}b'`,
      new RegExp(`mean ${OLD}`),
    ],
    [
      'a time before the first run',
      { at: new Date('2026-01-01') },
      'db-1 has no run by 2026-01-01T00:00:00.000Z',
      new RegExp(OLD),
    ],
  ])('%s: the right one is offered', async (_, wanted, message, hint) => {
    expect(await refusalOf(found(wanted))).toEqual({ code: 'UNKNOWN_RUN', message, hint: expect.stringMatching(hint) })
  })
})

describe('a manifest', () => {
  test('of a run in another class is offered there', async () => {
    const { message, hint } = await refusalOf(readManifest(deps(), at(LATER)))
    expect([message, hint]).toEqual([
      `db-1 has no run '${LATER}' of class 'daily'`,
      expect.stringMatching(/^It is of class 'monthly': .* --class\. /),
    ])
  })

  test('that is not there is told of where nothing may be listed, too', async () => {
    const refused = readManifest(deps({ list: denied, listFolders: denied }), at(LATER))
    const { code, hint } = await refusalOf(refused)
    expect([code, hint]).toEqual(['UNKNOWN_RUN', expect.stringMatching(/^(?!It is|Did you mean).*"snapstream list"/)])
  })

  test('has the time of its writing from S3', async () => {
    expect(await readManifest(deps(), at(OLD))).toMatchObject({
      ...{ manifest: { run: OLD }, writtenAt: new Date('2026-01-30T02:02:00Z') },
    })
  })

  test('from another time than its name opens no run, unless the times of the bucket are known to be wrong', async () => {
    const place = at('20260129T020000Z-zzzzzz')
    await forge(place)
    expect(await refusalOf(openRunAt(deps(), place))).toMatchObject({ code: 'MISDATED' })
    expect(await refusalOf(openRun(deps(), place))).toMatchObject({ code: 'MISDATED' })
    expect(await openRunAt(deps(), place, true)).toMatchObject({ manifest: { run: place.run } })
  })

  test('opens a bucket that has nothing younger than it, unless times are known to be wrong', async () => {
    const late = 'data/daily/db-1/late'
    forged.add(late)
    await store.put(late, 'x', signal)
    const { store: seen } = await openRun(deps(), { host: 'db-1', run: OLD })
    expect(await refusalOf(seen.head(late, signal))).toMatchObject({ code: 'MISDATED' })
    const { store: trusted } = await openRun(deps(), { host: 'db-1', run: OLD, trustTimes: true })
    expect(await trusted.head(late, signal)).toMatchObject({ sizeBytes: 1 })
  })
})

test('a name of the future is nobody’s, even in a bucket that was copied', () => {
  const misdating = { isFuture: true, what: 'it is' }
  const isOne = (changes: object, trustTimes?: boolean) => isWhatItSays({ ...at(OLD), ...changes }, trustTimes)
  expect([isOne({}), isOne({ misdating }), isOne({ misdating }, true)]).toEqual([true, false, false])
  expect(isOne({ misdating: { ...misdating, isFuture: false } }, true)).toBe(true)
})

test('that there is no run says of which class, where one was asked for', () => {
  expect([noRun({ host: 'h' }).message, noRun({ host: 'h', class: 'c' }).message]).toEqual([
    'h has no run at all',
    "h has no run of class 'c' at all",
  ])
})

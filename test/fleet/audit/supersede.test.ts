import { AgentError } from '../../../agent/errors'
import { manifestKey } from '../../../agent/contract'
import { supersede, type SupersedeOptions, type Superseding } from '../../../fleet/audit/supersede.io'
import type { HostHistory, RunRecord } from '../../../fleet/model/records'
import { asHistories, depsOf, objectsOf, putAt, putRun } from '../../support/audited-bucket'
import { aHistory, arnOf, DAY, fleetConfig, HOUR, NOW, runName } from '../../support/fleet'
import { memoryVault, type MemoryVault } from '../../support/memory-vault'

const HOST = arnOf('i-0a')
const PLACE = { class: 'daily', host: HOST }

/** A bucket with a host's nights, the newest first. */
function bucketOf(nights: number, { host = HOST, newestAt = NOW - HOUR } = {}) {
  const vault = memoryVault()
  const runs = Array.from({ length: nights }, (_, night) =>
    putRun(vault, { class: 'daily', host }, newestAt - night * DAY),
  )
  return { vault, runs }
}

const audit = (
  vault: MemoryVault,
  histories: readonly HostHistory[],
  more: Partial<SupersedeOptions> = {},
): Promise<Superseding> =>
  supersede(depsOf(vault), {
    ...{ config: fleetConfig(), histories: asHistories(...histories), memories: new Map(), now: NOW },
    ...more,
  })
const keysOf = (...runs: readonly RunRecord[]) => runs.flatMap(({ run }) => objectsOf({ ...PLACE, run }))
const runsIn = ({ histories }: Superseding, host = HOST) => histories.get(host)!.classes[0]!.runs

test('of a bucket whose rules went by age alone, the first pass tags all that newer good runs have made dispensable', async () => {
  const { vault, runs } = bucketOf(6)
  const done = await audit(vault, [aHistory(HOST, runs)])
  expect(done).toMatchObject({ runs: 3, objects: 15, waiting: 0, reprieved: 0, problems: [] })
  expect([...vault.superseded].sort()).toEqual(keysOf(...runs.slice(3)).sort())
  expect(runsIn(done).map(({ superseded }) => superseded)).toEqual([undefined, undefined, undefined, true, true, true])
})

test('the next pass has nothing to do, and asks nothing about the runs that were just seen', async () => {
  const { vault, runs } = bucketOf(6)
  const { histories } = await audit(vault, [aHistory(HOST, runs)])
  const listed: string[] = []
  const list = vault.store.list.bind(vault.store)
  vault.store.list = (prefix, ...rest) => (listed.push(prefix), list(prefix, ...rest))
  expect(await audit(vault, [...histories.values()], { now: NOW + HOUR })).toMatchObject({ runs: 0, objects: 0 })
  expect(listed).toEqual([])
})

test.each([
  ['archive', 'data'],
  ['catalog', 'catalogs'],
])('a run whose %s is not there does not stand in for older ones', async (_, without) => {
  const { vault, runs } = bucketOf(3, { newestAt: NOW - HOUR - DAY })
  const newest = putRun(vault, PLACE, NOW - HOUR, { without: [without] })
  expect(await audit(vault, [aHistory(HOST, [newest, ...runs])])).toMatchObject({ runs: 0, objects: 0 })
  expect(vault.superseded.size).toBe(0)
})

test('what lies beside a run makes up for nothing that is gone of it', async () => {
  const { vault, runs } = bucketOf(3, { newestAt: NOW - HOUR - DAY })
  const newest = putRun(vault, PLACE, NOW - HOUR, { without: ['data'] })
  putAt(vault, `data/daily/${HOST}/${newest.run}/junk`, NOW - 2 * HOUR, Buffer.alloc(1000))
  expect(await audit(vault, [aHistory(HOST, [newest, ...runs])])).toMatchObject({ runs: 0, objects: 0 })
  expect(vault.superseded.size).toBe(0)
})

test('a run whose manifest cannot be read any more, or is another one, stands in for none', async () => {
  for (const change of [Buffer.from('{}'), undefined]) {
    const { vault, runs } = bucketOf(4)
    const key = manifestKey({ ...PLACE, run: runs[0]!.run })
    if (change) putAt(vault, key, runs[0]!.writtenAt, change)
    else putAt(vault, key, runs[0]!.writtenAt + 60, vault.store.objects.get(key)!.body)
    expect(await audit(vault, [aHistory(HOST, runs)])).toMatchObject({ runs: 0, objects: 0 })
  }
})

test('the oldest are tagged first, and what is too much is left to later passes', async () => {
  const { vault, runs } = bucketOf(30)
  let histories = [aHistory(HOST, runs)]
  const first = await audit(vault, histories, { objectsMax: 5 })
  expect(vault.superseded.has(keysOf(runs.at(-1)!)[0]!)).toBe(true)
  expect(first.runs).toBeGreaterThan(0)
  expect(first.runs + first.waiting).toBe(27)
  for (let pass = 0; pass < 10; pass++) {
    const done = await audit(vault, histories, { objectsMax: 25 })
    histories = [...done.histories.values()]
  }
  expect([...vault.superseded].sort()).toEqual(keysOf(...runs.slice(3)).sort())
})

test('a host with objects without end in a run, or beside its runs, does not take the whole pass', async () => {
  const { vault, runs } = bucketOf(4)
  const old = runs.at(-1)!
  for (let index = 0; index < 2000; index++) {
    putAt(vault, `data/daily/${HOST}/${old.run}/a${index}`, NOW - 5 * DAY)
    putAt(vault, `data/daily/${HOST}/junk/a${index}`, NOW - 30 * DAY)
  }
  for (let hour = 0; hour < 168; hour++) {
    const { objects } = await audit(vault, [aHistory(HOST, runs)], { objectsMax: 20, now: NOW + hour * HOUR })
    expect(objects).toBeLessThan(50)
  }
})

test('a pass that is killed in the middle of a run has tagged its manifest, and the next one does the rest', async () => {
  const { vault, runs } = bucketOf(4)
  const tagged: string[] = []
  const tag = vault.tagSuperseded.bind(vault)
  vault.tagSuperseded = async (key, signal) => {
    if (tagged.push(key) > 2) throw new AgentError('INTERRUPTED', 'killed', { hint: 'x' })
    await tag(key, signal)
  }
  await expect(audit(vault, [aHistory(HOST, runs)])).rejects.toMatchObject({ code: 'INTERRUPTED' })
  const [manifest, ...others] = keysOf(runs[3]!)
  expect(tagged[0]).toBe(manifest)
  expect(vault.superseded.has(manifest!)).toBe(true)
  expect(others.every((key) => vault.superseded.has(key))).toBe(false)
  vault.tagSuperseded = tag
  expect(await audit(vault, [aHistory(HOST, runs)])).toMatchObject({ runs: 1, objects: 5 })
  expect([...vault.superseded].sort()).toEqual(keysOf(runs[3]!).sort())
})

test('of a run that is past its age, the manifest has to be gone before what it names may go', async () => {
  const { vault, runs } = bucketOf(3)
  const old = putRun(vault, PLACE, NOW - 90 * DAY)
  const done = await audit(vault, [aHistory(HOST, [...runs, old])])
  expect(done).toMatchObject({ runs: 1, objects: 1, waiting: 0 })
  const [manifest, ...others] = keysOf(old)
  expect([...vault.superseded]).toEqual([manifest])

  vault.store.objects.delete(manifest!)
  let histories = [aHistory(HOST, runs)]
  for (let hour = 24; hour < 24 + 168; hour++) {
    // Nights go on, so that there are always three.
    const now = NOW + hour * HOUR
    if (hour % 24 === 0)
      histories = [aHistory(HOST, [putRun(vault, PLACE, now - 60), ...histories[0]!.classes[0]!.runs])]
    histories = [...(await audit(vault, histories, { now })).histories.values()]
  }
  expect(others.every((key) => vault.superseded.has(key))).toBe(true)
})

describe('what belongs to no run any more', () => {
  /** One pass in each hour of a week, without any new run. */
  const week = async (vault: MemoryVault, histories: readonly HostHistory[], from = NOW) => {
    for (let hour = 0; hour < 168; hour++) await audit(vault, histories, { now: from + hour * HOUR })
  }
  const debris = (at: number, host = HOST) => objectsOf({ class: 'daily', host, run: runName(at, 'killed') }).slice(1)

  test('is tagged within a week where three good runs are newer, and else left alone', async () => {
    const { vault, runs } = bucketOf(3)
    const [old, recent] = [debris(NOW - 5 * DAY), debris(NOW - 20 * HOUR)]
    for (const key of old) putAt(vault, key, NOW - 5 * DAY)
    for (const key of recent) putAt(vault, key, NOW - 20 * HOUR)
    await week(vault, [aHistory(HOST, runs)])
    expect([...vault.superseded].sort()).toEqual([...old].sort())
  })

  test('is what is found out about a run after it was tagged, once its manifest has expired', async () => {
    const { vault, runs } = bucketOf(3)
    const late = `verdicts/daily/${HOST}/${runName(NOW - 40 * DAY)}/20260225T000000Z.json`
    putAt(vault, late, NOW - 4 * DAY)
    await week(vault, [aHistory(HOST, runs)])
    expect([...vault.superseded]).toEqual([late])
  })

  test('is what a host put beside its runs', async () => {
    const { vault, runs } = bucketOf(3)
    const junk = [`data/daily/${HOST}/junk/a`, `manifests/daily/${HOST}/notes.txt`, `catalogs/daily/${HOST}/x`]
    for (const key of junk) putAt(vault, key, NOW - 30 * DAY)
    await week(vault, [aHistory(HOST, runs)])
    expect([...vault.superseded].sort()).toEqual([...junk].sort())
  })

  test('is nothing of another host whose name begins with the same, and a slash', async () => {
    const { vault, runs } = bucketOf(3, { host: 'web' })
    putRun(vault, { class: 'daily', host: 'web/1' }, NOW - 30 * DAY)
    await week(vault, [aHistory('web', runs)])
    expect(vault.superseded.size).toBe(0)
  })

  test('may be all that there is of a host without a good run, and stays', async () => {
    const { vault, runs } = bucketOf(2)
    for (const key of debris(NOW - 30 * DAY)) putAt(vault, key, NOW - 30 * DAY)
    await week(vault, [aHistory(HOST, runs)])
    expect(vault.superseded.size).toBe(0)
  })
})

test('of a host that an operator said may be forgotten, all is tagged at once, whatever its age', async () => {
  const { vault, runs } = bucketOf(3, { newestAt: NOW - 400 * DAY })
  const leftover = `data/daily/${HOST}/${runName(NOW - 401 * DAY, 'killed')}/x.tar.zst`
  putAt(vault, leftover, NOW - 401 * DAY)
  const memory = {
    host: HOST,
    state: 'gone',
    stateSince: NOW - 300 * DAY,
    expectedSince: {},
    forgottenAt: NOW - 60,
  } as const
  expect(await audit(vault, [aHistory(HOST, runs)], { memories: new Map([[HOST, memory]]) })).toMatchObject({ runs: 3 })
  expect([...vault.superseded].sort()).toEqual([...keysOf(...runs), leftover].sort())
})

test('a run that bears the tag loses it where those that stood in for it are found damaged', async () => {
  const { vault, runs } = bucketOf(6)
  const done = await audit(vault, [aHistory(HOST, runs)])
  const verdict = { by: 'operator', depth: 'stream', ok: false, at: NOW } as const
  const found = runsIn(done).map((run, night) => (night < 2 ? { ...run, verdict } : run))
  const later = await audit(vault, [aHistory(HOST, found)], { now: NOW + HOUR })
  expect(later).toMatchObject({ reprieved: 2, runs: 0 })
  expect([...vault.superseded].sort()).toEqual(keysOf(runs[5]!).sort())
  expect(runsIn(later).map(({ superseded }) => superseded)).toEqual([...Array<undefined>(5), true])
})

test('so does one of which nobody remembers that it bears the tag, once it is old', async () => {
  const { vault, runs } = bucketOf(3, { newestAt: NOW - 10 * DAY })
  for (const key of keysOf(runs[1]!)) vault.superseded.add(key)
  expect(await audit(vault, [aHistory(HOST, runs)])).toMatchObject({ reprieved: 0 })
  expect(await audit(vault, [aHistory(HOST, runs)], { now: NOW + 7 * DAY })).toMatchObject({ reprieved: 1 })
  expect(vault.superseded.size).toBe(0)
})

test('of a class that the configuration does not know, nothing is tagged', async () => {
  const { vault, runs } = bucketOf(6)
  expect(await audit(vault, [aHistory(HOST, runs, 'hourly')])).toMatchObject({ runs: 0, objects: 0 })
})

test('what may not be tagged is a problem, and not asked for twenty thousand times', async () => {
  const { vault, runs } = bucketOf(200)
  let asked = 0
  vault.tagSuperseded = async (key) => {
    asked++
    throw new AgentError('ACCESS_DENIED', `s3:PutObjectTagging on ${key} is denied`, { hint: 'x' })
  }
  const { problems, ...done } = await audit(vault, [aHistory(HOST, runs)])
  expect(done).toMatchObject({ runs: 0, waiting: 197 })
  expect(asked).toBeLessThan(50)
  expect(problems).toEqual([
    expect.stringMatching(/^run .* of arn:.* could not be tagged: s3:PutObjectTagging on manifests.* is denied$/),
    expect.stringMatching(/^\d+ more .* could not be tagged either$/),
  ])
})

test('where tags may not even be read, that is a problem, and the rest of the pass goes on', async () => {
  const { vault, runs } = bucketOf(3, { newestAt: NOW - 30 * DAY })
  const other = 'db-1'
  const more = Array.from({ length: 4 }, (_, night) =>
    putRun(vault, { class: 'daily', host: other }, NOW - HOUR - night * DAY),
  )
  vault.isSuperseded = async () => {
    throw new AgentError('ACCESS_DENIED', 's3:GetObjectTagging is denied', { hint: 'x' })
  }
  const done = await audit(vault, [aHistory(HOST, runs), aHistory(other, more)])
  expect(done).toMatchObject({
    runs: 1,
    problems: [
      expect.stringContaining('s3:GetObjectTagging is denied'),
      '2 more objects or runs could not be tagged either',
    ],
  })
})

test('rules that expire backups without the tag are a problem: the last of a host would go', async () => {
  const { vault, runs } = bucketOf(1)
  vault.rules = [
    { prefix: 'data/daily/', expireAfterDays: 38, needsTag: false, transitions: [] },
    { prefix: 'manifests/daily/', expireAfterDays: 35, needsTag: true, transitions: [] },
  ]
  const { problems } = await audit(vault, [aHistory(HOST, runs)])
  expect(problems).toEqual([expect.stringContaining('expires what is below data/daily/ after 38 days')])
})

test('where the bucket cannot be reached, that is not taken for a problem of one run', async () => {
  const { vault, runs } = bucketOf(6)
  vault.tagSuperseded = async () => {
    throw new AgentError('ENDPOINT_UNREACHABLE', 'no route', { hint: 'x' })
  }
  await expect(audit(vault, [aHistory(HOST, runs)])).rejects.toMatchObject({ code: 'ENDPOINT_UNREACHABLE' })
  expect(vault.superseded.has(manifestKey({ ...PLACE, run: runs[5]!.run }))).toBe(false)
})

describe('runs that hang on a full one', () => {
  const FULL_AT = NOW - HOUR - 5 * DAY
  const config = fleetConfig({ classes: [{ name: 'daily', maxAgeHours: 36, expireAfterDays: 35, fullEveryDays: 7 }] })
  /** A full run, and five nights after it that hang on it, the newest first. */
  const week = (without: readonly string[] = []) => {
    const vault = memoryVault()
    const base = putRun(vault, PLACE, FULL_AT, { without })
    const later = [1, 2, 3, 4, 5].map((night) => putRun(vault, PLACE, FULL_AT + night * DAY, { base: base.run }))
    return { vault, base, runs: [...later.reverse(), base] }
  }

  test('are tagged before it is, and it is kept while one of them is needed', async () => {
    const { vault, runs } = week()
    let histories = [aHistory(HOST, runs)]
    for (let pass = 0; pass < 3; pass++) {
      histories = [...(await audit(vault, histories, { config, now: NOW + pass * HOUR })).histories.values()]
    }
    const tagged = [runs[3]!, runs[4]!].flatMap(({ run }) => objectsOf({ ...PLACE, run }, { isDifferential: true }))
    expect([...vault.superseded].sort()).toEqual(tagged.sort())
  })

  test('let it go an hour after the last of them', async () => {
    const { vault, base, runs } = week()
    const full = [1, 2, 3].map((night) => putRun(vault, PLACE, NOW - HOUR + night * DAY)).reverse()
    const now = NOW + 3 * DAY
    const first = await audit(vault, [aHistory(HOST, [...full, ...runs])], { config, now })
    expect(first).toMatchObject({ runs: 5, problems: [] })
    expect(keysOf(base).some((key) => vault.superseded.has(key))).toBe(false)
    const second = await audit(vault, [...first.histories.values()], { config, now: now + HOUR })
    expect(second.runs).toBe(1)
    expect(runs.every(({ run }) => vault.superseded.has(manifestKey({ ...PLACE, run })))).toBe(true)
    expect(keysOf(base).every((key) => vault.superseded.has(key))).toBe(true)
  })

  test('have what is left of it lose its tag, too, where they are needed again and its manifest has expired', async () => {
    const { vault, base, runs } = week()
    for (const key of keysOf(base)) await vault.tagSuperseded(key, new AbortController().signal)
    vault.store.objects.delete(manifestKey({ ...PLACE, run: base.run }))
    const known = runs.slice(0, -1).map((run) => ({ ...run, superseded: true as const }))
    expect(await audit(vault, [aHistory(HOST, known)], { config })).toMatchObject({ reprieved: 3, problems: [] })
    expect(
      keysOf(base)
        .slice(1)
        .filter((key) => vault.superseded.has(key)),
    ).toEqual([])
  })

  test('are tagged again before it is: a pass that was killed may have taken their tags, and not remembered', async () => {
    const { vault, base, runs } = week()
    const full = [1, 2, 3].map((night) => putRun(vault, PLACE, NOW - HOUR + night * DAY)).reverse()
    const known = runs.map((run) => (run === base ? run : { ...run, superseded: true as const }))
    const order: string[] = []
    const tag = vault.tagSuperseded.bind(vault)
    vault.tagSuperseded = async (key, signal) => (order.push(key), tag(key, signal))
    await audit(vault, [aHistory(HOST, [...full, ...known])], { config, now: NOW + 3 * DAY })
    const manifests = runs.slice(0, -1).map(({ run }) => manifestKey({ ...PLACE, run }))
    expect(order.slice(0, 5).sort()).toEqual(manifests.sort())
    expect(order[5]).toBe(manifestKey({ ...PLACE, run: base.run }))
  })

  test.each(['data', 'catalogs'])('stand in for none without the %s of it', async (prefix) => {
    const { vault, runs } = week([prefix])
    expect(await audit(vault, [aHistory(HOST, runs)], { config })).toMatchObject({ runs: 0, objects: 0 })
  })

  test('keep what it has in the bucket from being taken for a leftover, whatever became of its manifest', async () => {
    const { vault, base, runs } = week()
    const [manifest, ...others] = keysOf(base)
    vault.store.objects.delete(manifest!)
    const left = runs.filter((run) => run !== base)
    for (let hour = 0; hour < 168; hour++) {
      await audit(vault, [aHistory(HOST, left.slice(0, 3))], { config, now: NOW + 10 * DAY + hour * HOUR })
    }
    expect(others.filter((key) => vault.superseded.has(key))).toEqual([])
  })
})

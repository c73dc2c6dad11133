/** Drills, as an operator has them done: what they find, what they record, and that nothing is left of them. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { manifestKey, parseDrillKey } from '../../agent/contract'
import type { Deps, Host } from '../../agent/context'
import type { DrillOutput } from '../../agent/drill/report'
import { AgentError } from '../../agent/errors'
import { SCRATCH_PREFIX } from '../../agent/host/scratch'
import { localHost } from '../../agent/host/run-command.io'
import { neverAborted } from '../../agent/lib/never-aborted'
import type { DrillRequest } from '../../agent/options/commands'
import type { Outcome } from '../../agent/outcome'
import { parseDrill } from '../../agent/run/drill-record'
import { formatManifest } from '../../agent/run/manifest'
import { backedUp, damaged, frozen, stored } from '../restore/fixture'
import { place } from '../support/archives'
import { drill } from '../support/commands'
import { logWarnings } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import { refusalOf } from '../support/refusal'
import { requestOf } from '../support/request'
import { makeTrustedDirectory } from '../support/trusted-directory'

let directory: string
let scratch: string
let warnings: string[]
beforeEach(() => {
  directory = makeTrustedDirectory()
  scratch = join(directory, 'scratch')
  warnings = []
})
afterEach(() => {
  const left = leftovers()
  rmSync(directory, { recursive: true, force: true })
  expect(left).toEqual([])
})
const leftovers = () => {
  try {
    return readdirSync(scratch).filter((name) => name.startsWith(SCRATCH_PREFIX))
  } catch {
    return []
  }
}

function drilled(store: MemoryStore = backedUp(), changes: Partial<DrillRequest> = {}, deps: Partial<Deps> = {}) {
  const request = { ...requestOf('drill', place.host, '--class', place.class, '--scratch', scratch), ...changes }
  const log = logWarnings(warnings)
  const all = { host: localHost, store, log, now: () => new Date(), signal: neverAborted(), ...deps }
  return drill(all, request) as Promise<Outcome & { json: DrillOutput }>
}

/** As whoever reads the bucket sees them. */
const recordsIn = ({ objects }: MemoryStore) =>
  [...objects]
    .filter(([key]) => key.startsWith('drills/'))
    .map(([key, { body, lastModified }]) => parseDrill(body.toString(), lastModified, parseDrillKey(key)!))

/** Does something to what was restored, before it is looked at. */
function meddling(meddle: (restored: string) => void): Host {
  const attempt: Host['attempt'] = async (argv, signal, options) => {
    const result = await localHost.attempt(argv, signal, options)
    const [name] = argv[0] === 'sync' ? leftovers() : []
    if (name !== undefined) meddle(join(scratch, name, 'restored'))
    return result
  }
  return { ...localHost, attempt }
}

function script(text: string): string {
  const file = join(directory, 'check')
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o700 })
  return file
}

test('a whole host comes back, is equal, and that is on record where the report finds it', async () => {
  const store = backedUp()
  const { status, summary, json } = await drilled(store)
  expect(json.problems).toEqual([])
  expect(status).toBe(0)
  expect(summary).toMatch(
    /^Drill of db-1, run 20260131T020000Z-k3xw7a: OK\n {2}restored \d+ entries, .* of \/, \/srv in .*\n {2}compared with its catalog, its archive\n {2}recorded: s3:\/\/memory\/drills\/daily\/db-1\//,
  )
  const [record] = recordsIn(store)
  expect(record).toMatchObject({ ok: true, problem: '', run: place.run, entries: json.entries })
  expect(record!.entries).toBeGreaterThan(30)
  expect(record!.restoredBytes).toBeGreaterThan(5_000_000)
  expect(record!.restoreSeconds).toBeGreaterThan(0)
})

test('a damaged archive makes it fail, and the record says why', async () => {
  const store = damaged()
  const { status, summary, json } = await drilled(store)
  expect(status).toBe(1)
  expect(summary).toMatch(/^Drill of db-1, .*: FAILED\n {2}PROBLEM \/srv was not restored: frame 1 in /)
  expect(summary).toContain('HINT: See "A restore drill failed"')
  expect(json).toMatchObject({ ok: false, volumes: ['/'] })
  const [record] = recordsIn(store)
  expect(record).toMatchObject({ ok: false, problem: expect.stringContaining('app/data/big') as string })
})

test('a run whose manifest nobody can read makes it fail, too', async () => {
  const store = backedUp()
  store.objects.set(manifestKey(place), { ...store.objects.get(manifestKey(place))!, body: Buffer.from('{}') })
  expect(await drilled(store)).toMatchObject({ status: 1, json: { ok: false, entries: 0 } })
  expect(recordsIn(store)).toMatchObject([{ ok: false }])
})

describe('what was restored and is not as it was backed up', () => {
  test('in its content alone, is found by tar', async () => {
    const host = meddling((restored) => {
      const file = join(restored, 'srv/app/app.conf')
      if (!lstatSync(file, { throwIfNoEntry: false })) return
      writeFileSync(file, 'port 81')
      execFileSync('touch', ['--date=@1700000000.123456789', file])
    })
    const { status, json } = await drilled(undefined, {}, { host })
    expect(status).toBe(1)
    expect(json.problems).toEqual(['/srv: ./app/app.conf: Contents differ'])
  })

  test('in its mode, is found by the catalog and by tar', async () => {
    const host = meddling((restored) => {
      const file = join(restored, 'srv/links/first')
      if (lstatSync(file, { throwIfNoEntry: false })) chmodSync(file, 0o666)
    })
    const { json } = await drilled(undefined, { volume: ['/srv'] }, { host })
    expect(json).toMatchObject({ ok: false, share: 'part' })
    expect(json.problems[0]).toMatch(/^3 entries of \/srv not as the catalog says: '\/srv\/links\/first', /)
    expect(json.problems).toContain('/srv: ./links/first: Mode differs')
  })

  test('or is not there at all', async () => {
    const host = meddling((restored) => rmSync(join(restored, 'srv/größe "1"'), { force: true }))
    const { json } = await drilled(undefined, { volume: ['/srv'] }, { host })
    expect(json.problems[0]).toBe(`1 entry of /srv not as the catalog says: '/srv/größe "1"'`)
  })

  test('directories are looked at as well, but for their contents', async () => {
    const host = meddling((restored) => {
      const data = join(restored, 'srv/app/data')
      if (lstatSync(data, { throwIfNoEntry: false })) utimesSync(data, 1, 1)
    })
    const { json } = await drilled(undefined, { volume: ['/srv'] }, { host })
    expect(json.problems).toEqual(["1 entry of /srv not as the catalog says: '/srv/app/data'"])
  })
})

test('a share of each volume is restored, whichever part, and in the end each file is in one', async () => {
  const entries: number[] = []
  for (let part = 1; part <= 12; part++) {
    const store = backedUp()
    const { status, json } = await drilled(store, { share: { count: 1, parts: 3 } })
    expect([json.problems, status]).toEqual([[], 0])
    expect(json.share).toMatch(/^[1-3]\/3$/)
    expect(recordsIn(store)).toMatchObject([{ share: json.share }])
    entries.push(json.entries)
  }
  const { json } = await drilled()
  expect(Math.max(...entries)).toBeLessThan(json.entries)
})

describe('the operator’s check', () => {
  test('is run with the directory that stands for the root of the host, and is told whose it is', async () => {
    const checkScript = script(
      'echo "$SNAPSTREAM_HOST $SNAPSTREAM_CLASS $SNAPSTREAM_RUN"; cat "$1/srv/app/app.conf"; exit 7',
    )
    const { status, json } = await drilled(undefined, { checkScript })
    expect(status).toBe(1)
    expect(json.problems).toEqual([`${checkScript} ended with status 7: db-1 daily ${place.run} | port 80`])
  })

  test('may be content, and is named', async () => {
    const checkScript = script('test -d "$1/srv/app"')
    const { status, summary, json } = await drilled(undefined, { checkScript })
    expect([json.problems, status, json.checkScript]).toEqual([[], 0, checkScript])
    expect(summary).toContain(`compared with its catalog, its archive, ${checkScript}`)
  })

  test('that hangs is ended, with all that it has started', async () => {
    const checkScript = script('sleep 100 & sleep 100')
    const { json } = await drilled(undefined, { checkScript, checkTimeout: 1 })
    expect(json.problems).toEqual([expect.stringMatching(/(took more than 1 s|ended with status 137)/)])
  })

  test('that others may change is refused before anything is restored', async () => {
    const checkScript = script('true')
    chmodSync(checkScript, 0o777)
    const store = backedUp()
    expect(await refusalOf(drilled(store, { checkScript }))).toMatchObject({ code: 'HOOK_FAILED' })
    expect(recordsIn(store)).toEqual([])
  })

  test('cannot run what was restored: it is another host’s', async () => {
    const host = meddling((restored) => {
      writeFileSync(join(restored, 'srv/program'), '#!/bin/sh\n', { mode: 0o755 })
    })
    const { json } = await drilled(undefined, { checkScript: script('"$1/srv/program"'), volume: ['/srv'] }, { host })
    expect(json.problems.at(-1)).toContain('Permission denied')
  })
})

describe('what keeps a drill from its end', () => {
  test('too little room is found before anything is written, and is on record', async () => {
    const small = join(directory, 'small')
    execFileSync('mkdir', ['-m', '0700', small])
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'none', small])
    try {
      const store = backedUp()
      const { status, json } = await drilled(store, { scratch: small })
      expect([status, json.problems]).toEqual([1, [expect.stringMatching(/free, the restore needs .*/)]])
      expect(recordsIn(store)).toMatchObject([{ ok: false }])
      expect(readdirSync(small).filter((name) => name.startsWith(SCRATCH_PREFIX))).toEqual([])
    } finally {
      execFileSync('umount', [small])
    }
  })

  test('Glacier: it is not asked for anything, and what cannot be restored is no proof', async () => {
    const store = frozen()
    expect(await drilled(store)).toMatchObject({
      ...{ status: 1, json: { problems: [expect.stringContaining('have to be thawed first')] } },
    })
    expect([...store.objects.values()].some(({ restore }) => restore)).toBe(false)
  })

  test('a signal: nothing is on record, and nothing is left', async () => {
    const stop = new AbortController()
    const reason = new AgentError('INTERRUPTED', 'stopped by SIGTERM', { hint: 'Again.' })
    const host = meddling(() => stop.abort(reason))
    const store = backedUp()
    expect(await refusalOf(drilled(store, {}, { host, signal: stop.signal }))).toMatchObject({ code: 'INTERRUPTED' })
    expect(recordsIn(store)).toEqual([])
  })

  test('its deadline: what could not be restored in time is a finding', async () => {
    const [stop, deadline] = [new AbortController(), new AbortController()]
    const host = meddling(() => {
      deadline.abort()
      stop.abort(new AgentError('INTERRUPTED', 'stopped by --deadline after 1 s', { hint: 'Give it more time.' }))
    })
    const store = backedUp()
    const { status, json } = await drilled(store, {}, { host, signal: stop.signal, deadline: deadline.signal })
    expect([status, json.problems]).toEqual([1, ['stopped by --deadline after 1 s. Give it more time.']])
    expect(recordsIn(store)).toMatchObject([{ ok: false, problem: expect.stringContaining('--deadline') as string }])
  })

  test('a bucket that cannot be reached is no failure of the run', async () => {
    const store = backedUp()
    const error = new AgentError('ENDPOINT_UNREACHABLE', 'no answer', { hint: 'Check the route.' })
    const broken = { ...store, getRange: () => Promise.reject(error) }
    expect(await refusalOf(drilled(broken))).toMatchObject({ code: 'ENDPOINT_UNREACHABLE' })
    expect(recordsIn(store)).toEqual([])
  })
})

test('credentials that may not record make no success that nobody sees', async () => {
  const store = backedUp()
  const denied = new AgentError('ACCESS_DENIED', 'no', { hint: '' })
  const { status, summary } = await drilled({ ...store, put: () => Promise.reject(denied) })
  expect(status).toBe(3)
  expect(summary).toContain('NOT RECORDED')
  expect(warnings.join()).toContain('may not write drills/daily/db-1/')
})

test('an incomplete run is restored as far as it goes, and is not called good', async () => {
  const failure = { volume: 'vg0-db', mountPoint: '/db', code: 'MOUNT_FAILED', message: 'no', hint: 'x' } as const
  const volumes = [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive: stored.srv.archive })]
  const manifest = formatManifest(manifestOf({ ...place, status: 'incomplete', volumes, failures: [failure] }))
  const store = backedUp()
  store.objects.set(manifestKey(place), { ...store.objects.get(manifestKey(place))!, body: Buffer.from(manifest) })
  const { status, json } = await drilled(store)
  expect([status, json.volumes]).toEqual([1, ['/srv']])
  expect(json.problems.join('\n')).toContain('/db')
})

test('the record is text for people and programs alike', async () => {
  const store = backedUp()
  const { json } = await drilled(store)
  const text = store.objects.get(json.recorded!)!.body.toString()
  expect(JSON.parse(text)).toMatchObject({
    drill: 1,
    ...place,
    drilledOn: readFileSync('/proc/sys/kernel/hostname', 'utf8').trim(),
  })
})

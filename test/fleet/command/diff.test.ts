/** What changed from one run to another, as an operator asks for it. */
import { AgentError } from '../../../agent/errors'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { manifestKey, type RunKey } from '../../../agent/contract'
import { formatManifest, type Manifest } from '../../../agent/run/manifest'
import { tarCreate } from '../../../agent/tar/commands'
import type { CatalogEntry } from '../../../agent/tar/entry'
import { diff } from '../../../fleet/command/diff.io'
import { archiveOf, storeWith } from '../../support/archives'
import { described, fleetDeps, fleetRequestOf } from '../../support/fleet-commands'
import { manifestOf, volumeBackupOf } from '../../support/manifest'
import { refusalOf } from '../../support/refusal'

const MONDAY: RunKey = { class: 'daily', host: 'db-1', run: '20260105T020000Z-aaaaaa' }
const TUESDAY: RunKey = { class: 'daily', host: 'db-1', run: '20260106T020000Z-bbbbbb' }
const ELSEWHERE: RunKey = { class: 'weekly', host: 'db-2', run: '20260107T020000Z-cccccc' }

type Tree = Readonly<Record<string, Partial<CatalogEntry>>>

/** In the archive's order, which is that of the tree. */
function entriesOf(tree: Tree): CatalogEntry[] {
  return Object.entries(tree).map(([path, more], index) => ({
    ...{ path, type: 'file', size: 10, mode: 0o640, uid: 0, gid: 0, mtime: '1767000000', offset: index * 16_384 },
    ...{ bytes: 16_384, ...more },
  }))
}

const ROOT: Tree = { '.': { type: 'directory', size: 0 } }

/** What is stored of a run with these trees. */
function aRun(at: RunKey, trees: Readonly<Record<string, Tree>>, changes: Partial<Manifest> = {}) {
  const archives = Object.entries(trees).map(([mountPoint, tree]) => {
    const entries = entriesOf({ ...ROOT, ...tree })
    const names = { mountPoint, volume: `vg0-${mountPoint.slice(1) || 'root'}` }
    return { names, ...archiveOf(Buffer.alloc(entries.length * 16_384), { at, entries, ...names }) }
  })
  const volumes = archives.map(({ names, archive }) => volumeBackupOf({ ...names, archive }, at))
  return new Map([
    ...archives.flatMap(({ objects }) => [...objects]),
    [manifestKey(at), Buffer.from(formatManifest(manifestOf({ ...at, volumes, ...changes })))] as const,
  ])
}

const before: Tree = {
  'app/data.bin': { size: 5000 },
  'app/old.log': { size: 300 },
  'app/app.conf': {},
  'app/same': {},
  'app/link': { type: 'symlink', size: 0, link: 'app.conf' },
}
// As the next night's archive has it: in another order.
const after: Tree = {
  'app/link': { type: 'symlink', size: 0, link: 'data.bin' },
  'app/same': {},
  'app/new.log': { size: 2048 },
  'app/app.conf': { mode: 0o600 },
  'app/data.bin': { size: 9000, mtime: '1767000001' },
}
const bucket = () => storeWith(new Map([...aRun(MONDAY, { '/srv': before }), ...aRun(TUESDAY, { '/srv': after })]))

const compare = (store: ReturnType<typeof storeWith>, ...argv: string[]) =>
  described('diff', diff(fleetDeps(store), fleetRequestOf('diff', argv)))

test('new, changed and gone, the largest first, whatever the order of the archives', async () => {
  const { status, summary, json } = await compare(bucket(), MONDAY.run, TUESDAY.run)
  expect(status).toBe(0)
  expect(summary.split('\n')).toEqual([
    `From ${MONDAY.run} to ${TUESDAY.run} of db-1: 1 new, 3 changed, 1 gone, 2 the same`,
    '  FILESYSTEM  NEW  CHANGED  GONE  SAME  WRITTEN   FREED',
    '  /srv        1    3        1     2     10.8 KiB  300 B',
    '  all of them:',
    '  changed  4.9 KiB -> 8.8 KiB  /srv/app/data.bin  content, time',
    '  new      2 KiB               /srv/app/new.log',
    '  gone     300 B               /srv/app/old.log',
    '  changed  10 B                /srv/app/app.conf  mode',
    '  changed  symlink             /srv/app/link      target',
  ])
  expect(json).toMatchObject({ totals: { new: 1, changed: 3, gone: 1, same: 2, unknown: 0 }, notCompared: [] })
})

test('of what GNU tar made of a tree, and of its copy in which files lie in another order', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'diff-'))
  const [old, young] = [join(directory, 'old'), join(directory, 'young')]
  const backUp = (at: RunKey, root: string) => {
    const [program, ...args] = tarCreate(root)
    const names = { mountPoint: '/srv', volume: 'vg0-srv' }
    const { archive, objects } = archiveOf(execFileSync(program, args), { at, ...names })
    const manifest = manifestOf({ ...at, volumes: [volumeBackupOf({ ...names, archive }, at)] })
    return [...objects, [manifestKey(at), Buffer.from(formatManifest(manifest))] as const] as const
  }
  try {
    mkdirSync(join(old, 'etc'), { recursive: true })
    const write = (root: string, i: number) => {
      const file = join(root, 'etc', `file-${i}`)
      writeFileSync(file, 'x'.repeat(i))
      utimesSync(file, 1_767_000_000, 1_767_000_000)
    }
    for (let i = 0; i < 50; i++) write(old, i)
    linkSync(join(old, 'etc', 'file-1'), join(old, 'a-link'))
    symlinkSync('etc/file-2', join(old, 'symlink'))
    // Names go into the copy from the last to the first.
    mkdirSync(join(young, 'etc'), { recursive: true })
    for (let i = 49; i >= 0; i--) write(young, i)
    linkSync(join(young, 'etc', 'file-1'), join(young, 'a-link'))
    symlinkSync('etc/file-3', join(young, 'symlink'))
    lutimesSync(join(young, 'symlink'), 1, 1)
    lutimesSync(join(old, 'symlink'), 1, 1)
    rmSync(join(young, 'etc', 'file-7'))
    writeFileSync(join(young, 'etc', 'new'), 'new')
    appendFileSync(join(young, 'etc', 'file-9'), 'more')
    const store = storeWith(new Map([...backUp(MONDAY, old), ...backUp(TUESDAY, young)]))
    const { json } = await compare(store, MONDAY.run, TUESDAY.run)
    const { largest } = json as { largest: { change: string; path: string }[] }
    expect(largest.map(({ change, path }) => `${change} ${path}`).sort()).toEqual([
      'changed /srv/etc/file-9',
      'changed /srv/symlink',
      'gone /srv/etc/file-7',
      'new /srv/etc/new',
    ])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('the other way round, what was new is gone', async () => {
  const { json } = await compare(bucket(), TUESDAY.run, MONDAY.run)
  expect(json).toMatchObject({ totals: { new: 1, changed: 3, gone: 1 }, before: TUESDAY, after: MONDAY })
})

test('only as many as asked for, and all of them in a file that is new', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'diff-'))
  const file = join(directory, 'changes.jsonl')
  try {
    const { summary } = await compare(bucket(), MONDAY.run, TUESDAY.run, '--limit', '1', '--list', file)
    expect(summary).toContain('  the largest 1 of 5:\n')
    expect(summary).toContain(`  all of them are in ${file}`)
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { path: string }).path)).toEqual([
      ...['/srv/app/app.conf', '/srv/app/data.bin', '/srv/app/link', '/srv/app/new.log', '/srv/app/old.log'],
    ])
    writeFileSync(file, 'mine')
    expect((await refusalOf(compare(bucket(), MONDAY.run, TUESDAY.run, '--list', file))).code).toBe('TARGET_UNFIT')
    expect(readFileSync(file, 'utf8')).toBe('mine')
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('runs of two hosts can be compared, such as a host and what it was built again as', async () => {
  const store = storeWith(new Map([...aRun(MONDAY, { '/srv': before }), ...aRun(ELSEWHERE, { '/srv': before })]))
  const { summary } = await compare(store, MONDAY.run, ELSEWHERE.run)
  expect(summary).toContain(
    `From ${MONDAY.run} of db-1 to ${ELSEWHERE.run} of db-2: 0 new, 0 changed, 0 gone, 6 the same`,
  )
})

test('a filesystem that only one run has is not compared, and that is no success', async () => {
  const failure = { volume: 'vg0-var', mountPoint: '/var', code: 'MOUNT_FAILED' as const, message: 'no', hint: 'Do.' }
  const store = storeWith(
    new Map([
      ...aRun(MONDAY, { '/srv': before, '/var': before, '/home': before }),
      ...aRun(TUESDAY, { '/srv': before }, { status: 'incomplete', failures: [failure] }),
    ]),
  )
  const { status, summary } = await compare(store, MONDAY.run, TUESDAY.run)
  expect(status).toBe(3)
  expect(summary).toContain(`  NOT COMPARED /var: its backup failed in ${TUESDAY.run}: no`)
  expect(summary).toContain(`  NOT COMPARED /home: ${TUESDAY.run} does not have it; the other run has 6 entries of it`)
})

test('one filesystem alone', async () => {
  const trees = { '/srv': before, '/var': before }
  const store = storeWith(new Map([...aRun(MONDAY, trees), ...aRun(TUESDAY, trees)]))
  const { json } = await compare(store, MONDAY.run, TUESDAY.run, '--volume', '/var')
  expect(json).toMatchObject({ volumes: [{ mountPoint: '/var', same: 6 }] })
})

test('names that are no text, and names that would move the cursor', async () => {
  const odd = Buffer.from([0x61, 0xff, 0x62])
  const names: Tree = {
    [odd.toString()]: { path64: odd.toString('base64') },
    'a\u001b[2J\nb': {},
  }
  const store = storeWith(new Map([...aRun(MONDAY, { '/srv': {} }), ...aRun(TUESDAY, { '/srv': names })]))
  const { summary, json } = await compare(store, MONDAY.run, TUESDAY.run)
  expect(summary).not.toContain('\u001b')
  expect(summary.split('\n')).toHaveLength(6)
  const { largest } = json as { largest: { path64?: string }[] }
  const [path64] = largest.flatMap((change) => change.path64 ?? [])
  expect(Buffer.from(path64 ?? '', 'base64')).toEqual(Buffer.concat([Buffer.from('/srv/'), odd]))
})

test('an entry that a catalog does not describe is said to be unknown', async () => {
  const undescribed: Tree = { x: { size: 0, mode: 0, mtime: '0', undescribed: 'its name is too long' } }
  const store = storeWith(new Map([...aRun(MONDAY, { '/srv': { x: {} } }), ...aRun(TUESDAY, { '/srv': undescribed })]))
  const { status, summary } = await compare(store, MONDAY.run, TUESDAY.run)
  expect(status).toBe(3)
  expect(summary).toContain('NOT COMPARED 1 entry that a catalog does not describe')
})

test.each([
  [[MONDAY.run], 'USAGE', '1 run is named'],
  [[MONDAY.run, TUESDAY.run, ELSEWHERE.run], 'USAGE', '3 runs are named'],
  [[MONDAY.run, '20260109T020000Z-zzzzzz'], 'UNKNOWN_RUN', 'there is no run'],
  [[MONDAY.run, TUESDAY.run, '--volume', '/none'], 'UNKNOWN_VOLUME', "no volume '/none'"],
])('%j is refused', async (argv, code, message) => {
  expect(await refusalOf(compare(bucket(), ...argv))).toMatchObject({ code, message: expect.stringContaining(message) })
})

test('who may not list the bucket is told which role may', async () => {
  const denied: ReturnType<typeof bucket> = {
    ...bucket(),
    async *list() {
      throw new AgentError('ACCESS_DENIED', 'no', { hint: 'Name the host with --host.' })
    },
  }
  expect(await refusalOf(compare(denied, MONDAY.run, TUESDAY.run))).toMatchObject({
    code: 'ACCESS_DENIED',
    hint: expect.stringContaining('RestorerRole'),
  })
})

test("a name that two hosts have is nobody's", async () => {
  const copy = { ...MONDAY, host: 'db-9' }
  const store = storeWith(
    new Map([...aRun(MONDAY, { '/srv': {} }), ...aRun(copy, { '/srv': {} }), ...aRun(TUESDAY, {})]),
  )
  const { message } = await refusalOf(compare(store, MONDAY.run, TUESDAY.run))
  expect(message).toBe(`several runs are called ${MONDAY.run}: of db-1 (daily), db-9 (daily)`)
})

test('a catalog that is damaged is no difference', async () => {
  const objects = new Map([...aRun(MONDAY, { '/srv': before }), ...aRun(TUESDAY, { '/srv': after })])
  const [key = ''] = [...objects.keys()].filter((each) => each.includes('catalogs/') && each.includes(TUESDAY.run))
  const broken = Buffer.from(objects.get(key) ?? '')
  broken[20] = (broken[20] ?? 0) ^ 1
  expect((await refusalOf(compare(storeWith(objects.set(key, broken)), MONDAY.run, TUESDAY.run))).code).toBe(
    'ARCHIVE_DAMAGED',
  )
})

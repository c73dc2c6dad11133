/** What an operator is told, and the status that a script sees, when a backup is asked for what it does not have. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { find, restore, restorePlan, restoreStatus } from '../support/commands'
import type { Outcome } from '../../agent/outcome'
import { manifestKey, type RunKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import type { Deps } from '../../agent/context'
import { localHost } from '../../agent/host/run-command.io'
import { formatManifest } from '../../agent/run/manifest'
import { formatFailure, formatResult } from '../../agent/options/output'
import { archiveOf, place, storeWith } from '../support/archives'
import { faultyStore, type Fault } from '../support/faulty-store'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import { captured } from '../support/storage'

const { run, host } = place
/** A run of the same day that a later version made. */
const NEWER: RunKey = { ...place, run: '20260131T030000Z-newest' }

let scratch: string
let target: string
let files: ReadonlyMap<string, Buffer>

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'refusals-'))
  const archive = (volume: string, mountPoint: string) => {
    const directory = join(scratch, volume)
    mkdirSync(join(directory, 'app'), { recursive: true })
    writeFileSync(join(directory, 'app/app.conf'), 'port 80')
    const tar = execFileSync('tar', ['-cf', '-', '--format=posix', '-C', directory, '.'])
    return archiveOf(tar, { volume, mountPoint })
  }
  const root = archive('vg0-root', '/')
  const srv = archive('vg0-srv', '/srv')
  const report = (name: 'lvs' | 'vgs' | 'pvs'): unknown => JSON.parse(captured(name))
  const manifest = manifestOf({
    ...place,
    volumes: [
      volumeBackupOf({ volume: 'vg0-root', mountPoint: '/', archive: root.archive }),
      volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive: srv.archive }),
    ],
    status: 'incomplete',
    failures: [
      { volume: 'vg0-db', mountPoint: '/db', code: 'SNAPSHOT_INVALID', message: 'its snapshot overflowed', hint: '' },
    ],
    notBackedUp: [{ mountPoint: '/boot', device: '/dev/sda1', filesystem: 'vfat', reason: 'not on LVM' }],
    system: {
      ...manifestOf().system,
      lvm: { lvs: report('lvs'), vgs: report('vgs'), pvs: report('pvs'), groupConfigurations: {} },
    },
  })
  files = new Map([
    ...root.objects,
    ...srv.objects,
    [manifestKey(place), Buffer.from(formatManifest(manifest))],
    [manifestKey(NEWER), Buffer.from(formatManifest(manifest).replace('"format": 2', '"format": 4'))],
  ])
})
afterAll(() => rmSync(scratch, { recursive: true }))
beforeEach(() => {
  target = mkdtempSync(join(scratch, 'target-'))
})

const COMMANDS = { find, restore, 'restore-plan': restorePlan, 'restore-status': restoreStatus } as unknown as Readonly<
  Record<string, (deps: Deps, request: object) => Promise<Outcome>>
>

/** What the command line prints: on success to standard output, of a failure to standard error. */
async function told(command: string, options: object, store: MemoryStore = storeWith(files)) {
  const request = {
    ...{ command, bucket: 'backups', host, class: 'daily', run, volume: [], path: [], disk: [], mountAt: '/mnt' },
    ...{ pattern: 'app.conf', limit: 20, target, onConflict: 'fail', days: 7 },
    ...options,
  }
  const deps = { host: localHost, store, log: silentLog, now: () => new Date(), signal: new AbortController().signal }
  const plain = { json: false, stdout: false, terminal: false }
  try {
    const { status, stdout } = formatResult(await COMMANDS[command]!(deps, request), plain)
    return { status, said: stdout.trimEnd().split('\n').slice(0, -1) }
  } catch (error) {
    const { status, stderr } = formatFailure(error, plain)
    return { status, said: stderr.trimEnd().split('\n') }
  }
}

const denied = (call: Fault['call']): MemoryStore =>
  faultyStore(storeWith(files), {
    ...{ call, kind: 'before' },
    error: new AgentError('ACCESS_DENIED', 'the bucket refuses to give manifests/…', {
      hint: 'Use the restorer role.',
    }),
  })

describe.each(Object.keys(COMMANDS))('%s', (command) => {
  afterEach(() => expect(readdirSync(target)).toEqual([]))

  test('of an unknown run', async () => {
    expect(await told(command, { run: '20260131T020000Z-k3xw7b' })).toEqual({
      status: 1,
      said: [
        "snapstream: db-1 has no run '20260131T020000Z-k3xw7b' of class 'daily'",
        'HINT: Did you mean 20260131T020000Z-k3xw7a? "snapstream list" shows the runs there are. ' +
          'A run without a manifest did not finish and does not count.',
      ],
    })
  })

  test('of a time before the first run', async () => {
    expect(await told(command, { run: undefined, at: new Date('2025-12-31') })).toEqual({
      status: 1,
      said: [
        'snapstream: db-1 has no run by 2025-12-31T00:00:00.000Z',
        'HINT: Its first run is 20260131T020000Z-k3xw7a.',
      ],
    })
  })

  test('of a host that has none', async () => {
    expect(await told(command, { run: undefined, at: new Date(), host: 'db-2' })).toEqual({
      status: 1,
      said: [
        expect.stringMatching(/^snapstream: db-2 has no run (of class 'daily' )?at all$/),
        'HINT: Check --host and --class; "snapstream list" shows the runs there are.',
      ],
    })
  })

  test('without permission to list', async () => {
    const forbidden: MemoryStore['list'] = async function* () {
      yield* []
      throw new AgentError('ACCESS_DENIED', 'no', { hint: '' })
    }
    expect(await told(command, { run: undefined, at: new Date() }, { ...storeWith(files), list: forbidden })).toEqual({
      status: 1,
      said: [
        'snapstream: these credentials may not list the bucket',
        expect.stringMatching(
          /^HINT: Hosts may not, by design: .* Use the restorer role .* named with --run and --class needs no list\.$/,
        ),
      ],
    })
  })

  test('without permission to read', async () => {
    expect(await told(command, {}, denied('get'))).toEqual({
      status: 1,
      said: ['snapstream: the bucket refuses to give manifests/…', 'HINT: Use the restorer role.'],
    })
  })
})

const NEWER_FORMAT = `${manifestKey(NEWER)} has format 4, this agent reads up to 3`
const INSTALL = 'HINT: Install the version of Snapstream that made the backup, or a later one.'

test.each(['restore', 'restore-plan', 'restore-status'])('%s of a run of a newer version', async (command) => {
  expect(await told(command, { run: NEWER.run })).toEqual({ status: 1, said: [`snapstream: ${NEWER_FORMAT}`, INSTALL] })
})

test('find passes over the run of a newer version, and says so', async () => {
  const { status, said } = await told('find', { run: undefined })
  expect(status).toBe(3)
  expect(said.join('\n')).toContain(NEWER_FORMAT)
  expect(said.join('\n')).toContain('/srv/app/app.conf')
})

test('a catalog of a newer version is not guessed at', async () => {
  const newer = archiveOf(execFileSync('tar', ['-cf', '-', '-C', join(scratch, 'vg0-srv'), '.']), {
    editCatalog: (text) => text.replace('"catalog":2', '"catalog":4'),
  })
  const { archive } = newer
  const manifest = manifestOf({
    ...place,
    volumes: [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })],
  })
  const store = storeWith(new Map([...newer.objects, [manifestKey(place), Buffer.from(formatManifest(manifest))]]))
  expect(await told('restore', {}, store)).toEqual({
    status: 1,
    said: [
      'snapstream: the catalog has format 4, this agent reads up to 3',
      'HINT: It was written by a later version of the agent: read it with that one.',
    ],
  })
})

describe('restore', () => {
  test.each([
    [
      'a path that is not in the catalog',
      { path: ['/srv/app/app.cnf'] },
      1,
      "'/srv/app/app.cnf' is not in this backup of /srv",
      'Did you mean \'/srv/app/app.conf\'? "snapstream find" shows which runs have it.',
    ],
    [
      'a path that is on none of the volumes wanted',
      { volume: ['/srv'], path: ['/etc/hosts'] },
      1,
      `'/etc/hosts' is on no volume of run ${run}`,
      'The run has /, /srv.',
    ],
    [
      'a path that was mounted from elsewhere',
      { path: ['/boot/vmlinuz'] },
      1,
      `'/boot/vmlinuz' is on no volume of run ${run}`,
      '/boot was not backed up: not on LVM.',
    ],
    [
      'the mount point of a volume whose backup failed',
      { path: ['/db'] },
      1,
      `'/db' is on no volume of run ${run}`,
      '/db failed to be backed up: its snapshot overflowed.',
    ],
    [
      'a relative path that could be on several volumes',
      { path: ['app'] },
      2,
      "'app' is relative, and there are 2 volumes it could be on",
      'Give the path as it was on the host, starting with a slash, or name one volume with --volume.',
    ],
    [
      'an unknown volume',
      { volume: ['/sv'] },
      1,
      `run ${run} has no volume '/sv'`,
      'Did you mean /srv? The run has /, /srv.',
    ],
    [
      'a volume whose backup failed',
      { volume: ['/db'] },
      1,
      `run ${run} has no volume '/db'`,
      'Its backup failed: its snapshot overflowed. The run has /, /srv.',
    ],
    [
      'a volume that is never backed up',
      { volume: ['/boot'] },
      1,
      `run ${run} has no volume '/boot'`,
      'It was not backed up: not on LVM. The run has /, /srv.',
    ],
    [
      'a directory to standard output',
      { path: ['/srv/app'], stdout: true },
      2,
      '--stdout prints one file, and this is more than one, or something else',
      'Name one file with --path, or restore into a directory with --target.',
    ],
  ])('%s', async (_, options, status, message, hint) => {
    expect(await told('restore', options)).toEqual({ status, said: [`snapstream: ${message}`, `HINT: ${hint}`] })
    expect(readdirSync(target)).toEqual([])
  })

  test('into a target that is not empty', async () => {
    mkdirSync(join(target, 'srv/app'), { recursive: true })
    writeFileSync(join(target, 'srv/app/app.conf'), 'mine')
    expect(await told('restore', { volume: ['/srv'] })).toEqual({
      status: 1,
      said: [
        `snapstream: ${target}/srv already has these: app/app.conf`,
        'HINT: Restore into an empty directory, or decide with --on-conflict skip, overwrite or newer. ' +
          'To continue an interrupted restore, use --resume.',
      ],
    })
  })

  test.each(['file', 'file/new'])('into %s, where there is a file', async (name) => {
    writeFileSync(join(target, 'file'), '')
    expect(await told('restore', { target: join(target, name) })).toEqual({
      status: 1,
      said: [
        expect.stringMatching(/^snapstream: .*file.* cannot be restored into: .*ENOTDIR/),
        'HINT: Give a directory, or the name of a new one, with --target.',
      ],
    })
  })

  test.each([
    ['all of a run', {}],
    ['a directory above it', { path: ['/'] }],
  ])('of %s tells of what is not in it, and of what should be with status 3', async (_, wanted) => {
    const { status, said } = await told('restore', wanted)
    expect([status, said[0]]).toEqual([3, `Restore of ${run} of db-1: INCOMPLETE, as the run itself is`])
    expect(said.filter((line) => line.startsWith('  not in'))).toEqual([
      '  not in this run: /boot was not backed up: not on LVM',
      '  not in this run: /db failed to be backed up: its snapshot overflowed',
    ])
  })

  test('of one volume has nothing to do with the others', async () => {
    const { status, said } = await told('restore', { volume: ['/srv'] })
    expect([status, said.join('\n')]).toEqual([0, expect.not.stringContaining('not in this run')])
  })

  test('that is only planned tells of it too', async () => {
    const { status, said } = await told('restore', { dryRun: true })
    expect([status, said.join('\n')]).toEqual([0, expect.stringContaining('\n  not in this run: /db failed')])
  })

  test('of an archive that may not be read', async () => {
    expect(await told('restore', {}, denied('getRange'))).toMatchObject({ status: 1 })
  })
})

describe('a segment is missing', () => {
  const damaged = () => {
    const store = storeWith(files)
    store.objects.delete(`data/daily/db-1/${run}/vg0-srv.tar.zst`)
    return store
  }

  test('restore names what is lost with it, and brings back the rest if told to', async () => {
    expect(await told('restore', {}, damaged())).toEqual({
      status: 1,
      said: [
        `snapstream: data/daily/db-1/${run}/vg0-srv.tar.zst is missing; lost with it: '.', 'app', 'app/app.conf'`,
        'HINT: Restore the rest with --best-effort, and look for these in another run with "snapstream find".',
      ],
    })
    expect(readdirSync(target)).toEqual([])
    const { status, said } = await told('restore', { bestEffort: true }, damaged())
    expect(status).toBe(3)
    expect(said.slice(0, 3)).toEqual([
      `Restore of ${run} of db-1: INCOMPLETE, 3 entries are missing or wrong`,
      '  LOST /srv: the archive is damaged there',
      '  LOST /srv/app: the archive is damaged there',
    ])
    expect(readdirSync(join(target, 'app'))).toEqual(['app.conf'])
  })

  test('restore-status does not tell to wait for it', async () => {
    const { status, said } = await told('restore-status', {}, damaged())
    expect(status).toBe(3)
    expect(said.join('\n')).toMatch(/cannot all be read now\n[^]* 1 missing\n[^]*--best-effort/)
  })
})

describe('restore-plan', () => {
  test('says before the disks are touched what would keep the restore from beginning', async () => {
    const store = storeWith(files)
    const [root, srv] = ['vg0-root', 'vg0-srv'].map((volume) => `data/daily/db-1/${run}/${volume}.tar.zst`)
    store.objects.delete(srv!)
    store.objects.set(root!, { ...store.objects.get(root!)!, archived: true, storageClass: 'GLACIER' })
    const { status, said } = await told('restore-plan', {}, store)
    expect(status).toBe(0)
    expect(said.slice(1, 3)).toEqual([
      '  NOTE: 1 object of / is in Glacier: run the last command first, with --thaw bulk, and wait.',
      '  NOTE: 1 object of /srv is missing: the restore needs --best-effort, or another run.',
    ])
  })

  test('for a disk that the host did not have', async () => {
    expect(await told('restore-plan', { disk: ['/dev/sdz=/dev/nvme1n1'] })).toEqual({
      status: 2,
      said: [
        'snapstream: nothing that was backed up was on a disk /dev/sdz',
        'HINT: Give --disk OLD=NEW for these of the host: /dev/ubdb, /dev/ubdc, /dev/ubdd. Those without it keep their names.',
      ],
    })
  })

  test('to a script that is there already', async () => {
    const script = join(target, 'rebuild.sh')
    writeFileSync(script, 'read and corrected')
    expect(await told('restore-plan', { script })).toEqual({
      status: 1,
      said: [
        expect.stringMatching(/^snapstream: cannot write .*rebuild\.sh: .*EEXIST/),
        'HINT: Name a file that does not exist yet, in a directory that can be written to.',
      ],
    })
  })
})

test('find of a pattern that nothing matches is no failure, and says so', async () => {
  const { status, said } = await told('find', { pattern: 'app.cnf' })
  expect(status).toBe(0)
  expect(said[0]).toMatch(/app\.cnf/)
})

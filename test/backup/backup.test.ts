/** Whole backups with real archives, into a store in memory: what LVM and S3 do is in the test's hands. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { backUpHost } from '../../agent/backup/backup.io'
import { ExitStatus, parseManifestKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import type { Deps } from '../../agent/context'
import type { Manifest } from '../../agent/run/manifest'
import { parseManifest } from '../../agent/run/parse-manifest'
import type { Answers } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { lvmHost, type LvmHost } from '../support/lvm-host'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { refusalOf } from '../support/refusal'
import { requestOf } from '../support/request'

/** Each starts threads and a real tar: seconds on a machine that is busy. */
jest.setTimeout(60_000)

let scratch: string
let directories: Record<string, string>

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'backup-'))
  directories = Object.fromEntries(['home', 'mail', 'srv'].map((name) => [name, join(scratch, name)]))
  for (const directory of Object.values(directories)) {
    mkdirSync(directory)
    writeFileSync(join(directory, 'file'), directory.repeat(1000))
  }
})
afterAll(() => rmSync(scratch, { recursive: true }))

interface Scene extends Deps {
  readonly host: LvmHost
  readonly store: MemoryStore
  readonly logged: readonly string[]
}

/** @param onComplete - called with the key of each object once it is complete */
function sceneOf(
  answers: Answers = {},
  signal = new AbortController().signal,
  onComplete: (key: string) => void = () => undefined,
): Scene {
  const store = memoryStore()
  const completing: MemoryStore = {
    ...store,
    async completeUpload(upload, ...rest) {
      const completion = await store.completeUpload(upload, ...rest)
      onComplete(upload.key)
      return completion
    },
  }
  return { ...localDeps(signal), host: lvmHost(directories, answers), store: completing }
}

const requested = (...options: readonly string[]) => requestOf('backup', 'db-1', ...options)

function manifestIn({ objects }: MemoryStore): Manifest | undefined {
  const [key] = [...objects.keys()].filter((name) => name.startsWith('manifests/'))
  return key === undefined ? undefined : parseManifest(objects.get(key)!.body.toString(), parseManifestKey(key)!)
}

/** Tells a run to stop as soon as the archive of that volume is complete. */
function stopAfterVolume(volume: string, name: 'deadline' | 'SIGTERM') {
  const [interruption, deadline] = [new AbortController(), new AbortController()]
  const stop = (key: string) => {
    if (!key.startsWith('catalogs/') || !key.includes(volume)) return
    if (name === 'deadline') deadline.abort()
    interruption.abort(new AgentError('INTERRUPTED', `stopped by ${name}`, { hint: 'Give it more time.' }))
  }
  return { stop, signal: interruption.signal, deadline: deadline.signal }
}

test('a good run leaves nothing on the host and a manifest in the bucket', async () => {
  const scene = sceneOf()
  const { status, summary } = await backUpHost(scene, requested())
  expect([status, scene.host.snapshots(), scene.host.mounts()]).toEqual([ExitStatus.ok, [], []])
  expect(summary).toContain(': OK, ')
  expect(manifestIn(scene.store)?.volumes.map(({ mountPoint }) => mountPoint)).toEqual(['/home', '/mail', '/srv'])
})

test('each snapshot is removed as soon as its volume is done, not when all are', async () => {
  const left: string[][] = []
  const scene: Scene = sceneOf({}, undefined, (key) => {
    if (key.startsWith('catalogs/')) left.push(scene.host.snapshots())
  })
  await backUpHost(scene, requested('--parallel', '1'))
  expect(left).toEqual([['home', 'mail', 'srv'], ['mail', 'srv'], ['srv']])
})

test('the snapshot of a volume that is given up goes before the others are archived', async () => {
  let snapshotsThen: string[] | undefined
  const scene: Scene = sceneOf({}, undefined, (key) => {
    if (key.includes('vg-mail')) snapshotsThen ??= scene.host.snapshots()
  })
  const store: MemoryStore = {
    ...scene.store,
    async completeUpload(upload, ...rest) {
      if (upload.key.includes('vg-home')) throw new AgentError('STORE_FAILED', 'no', { hint: 'Try again.' })
      return await scene.store.completeUpload(upload, ...rest)
    },
  }
  const { status } = await backUpHost({ ...scene, store }, requested('--parallel', '1'))
  expect(status).toBe(ExitStatus.incomplete)
  expect(snapshotsThen).toEqual(['mail', 'srv'])
})

test('a snapshot that cannot be removed is told of, and its archive is good', async () => {
  const hanging = { status: null, hangs: true } as const
  const scene = sceneOf({ lvremove: (argv) => (argv.at(-1)?.endsWith('_1') ? hanging : '') })
  const { status, summary } = await backUpHost(scene, requested())
  expect(status).toBe(ExitStatus.cleanupFailed)
  expect(summary).toMatch(/LEFT BEHIND the snapshot vg\/snapstream_\S+_1 cannot be removed: the command does not end/)
  expect(manifestIn(scene.store)).toMatchObject({ status: 'complete', volumes: [{}, {}, {}] })
})

test('what an earlier run left and cannot be removed does not keep the next one from its backup', async () => {
  const stuck = new AgentError('CLEANUP_FAILED', 'the snapshot vg/snapstream_old_0 cannot be removed: busy', {
    hint: 'x',
  })
  const { status, summary } = await backUpHost(sceneOf(), requested(), [stuck])
  expect(status).toBe(ExitStatus.cleanupFailed)
  expect(summary).toContain('LEFT BEHIND the snapshot vg/snapstream_old_0 cannot be removed: busy')
})

test.each([
  ['deadline', ExitStatus.incomplete],
  ['SIGTERM', ExitStatus.interrupted],
] as const)('what is finished when %s comes is published, and the rest is named', async (name, expected) => {
  const { stop, signal, deadline } = stopAfterVolume('vg-home', name)
  const scene = { ...sceneOf({}, signal, stop), deadline }
  const { status } = await backUpHost(scene, requested('--parallel', '1'))
  expect(status).toBe(expected)
  expect(manifestIn(scene.store)).toMatchObject({
    status: 'incomplete',
    volumes: [{ mountPoint: '/home' }],
    failures: [
      { mountPoint: '/mail', code: 'INTERRUPTED', message: `stopped by ${name}` },
      { mountPoint: '/srv', code: 'INTERRUPTED' },
    ],
  })
  expect([scene.host.snapshots(), scene.host.mounts()]).toEqual([[], []])
})

test('a run that is stopped before any volume is done leaves nothing anywhere', async () => {
  const controller = new AbortController()
  const stopped = new AgentError('INTERRUPTED', 'stopped by SIGTERM', { hint: 'Run it again.' })
  const scene = sceneOf({ mount: () => (controller.abort(stopped), '') }, controller.signal)
  expect(await refusalOf(backUpHost(scene, requested()))).toMatchObject({ code: 'INTERRUPTED' })
  expect([scene.host.snapshots(), scene.host.mounts(), [...scene.store.objects.keys()]]).toEqual([[], [], []])
})

test('a post hook that cannot be started is recorded, and costs neither the backup nor the removal of its snapshots', async () => {
  const busy = new AgentError('COMMAND_FAILED', 'could not start timeout: spawn EAGAIN', { hint: 'Look at the load.' })
  const scene = sceneOf({ timeout: busy, 'systemd-run': busy })
  const request = { ...requested(), postHook: ['/bin/true'] }
  await backUpHost(scene, request)
  expect(manifestIn(scene.store)?.consistency).toMatchObject({
    level: 'crash',
    hooks: [{ path: '/bin/true', stage: 'post', ok: false, message: expect.stringContaining('EAGAIN') }],
  })
  expect(scene.host.snapshots()).toEqual([])
})

test('a volume that is suspended is missing from a run that is good for the others', async () => {
  const host = lvmHost(directories, {}, ([program], usual) =>
    program === 'lvs' && typeof usual === 'string'
      ? usual.replace(/("lv_name":"mail".*?"lv_suspended":)""/, '$1"suspended"')
      : usual,
  )
  const scene = { ...sceneOf(), host }
  const { status } = await backUpHost(scene, requested('--volumes', '/home,/mail'))
  expect(status).toBe(ExitStatus.incomplete)
  expect(manifestIn(scene.store)?.failures).toMatchObject([{ mountPoint: '/mail', code: 'VOLUME_UNSUPPORTED' }])
})

test('a clock that is set back in the middle of a run costs nobody the backup', async () => {
  let setBackBy = 0
  const host = lvmHost(directories, {}, ([program], usual) => {
    if (program === 'mount') setBackBy = 3_600_000
    return usual
  })
  const scene = { ...sceneOf(), host, now: () => new Date(Date.now() - setBackBy) }
  await backUpHost(scene, requested('--volumes', '/home'))
  const { startedAt = '', finishedAt = '', volumes = [] } = manifestIn(scene.store) ?? {}
  expect(volumes[0]?.snapshot.livedSeconds).toBeGreaterThanOrEqual(0)
  expect(finishedAt >= startedAt).toBe(true)
})

test('a manifest that nobody could read is not published', async () => {
  const host = lvmHost(directories, {}, ([program], usual) =>
    program === 'findmnt' && typeof usual === 'string' ? usual.replaceAll('"/home"', '"/ho/../me"') : usual,
  )
  const scene = { ...sceneOf(), host }
  expect(await refusalOf(backUpHost(scene, requested()))).toMatchObject({ code: 'ARCHIVE_FAILED' })
  expect(manifestIn(scene.store)).toBeUndefined()
})

test.each([
  [-600, '600 s ahead of'],
  [7200, '7200 s behind'],
])('a clock that is off by %d s is refused before anything is named by it', async (clockSkewSeconds, said) => {
  const scene = sceneOf()
  const store = {
    ...scene.store,
    readFacts: async () => ({ region: 'x', versioning: 'unknown', clockSkewSeconds }) as const,
  }
  expect(await refusalOf(backUpHost({ ...scene, store }, requested()))).toMatchObject({
    code: 'CLOCK_SKEW',
    message: `this host's clock is ${said} the server's: nothing was backed up`,
    hint: expect.stringContaining('chronyd') as string,
  })
  expect([scene.host.ran, [...scene.store.objects.keys()]]).toEqual([[], []])
})

test('what tar could not read though it ended well makes the run incomplete, and is said', async () => {
  const scene = sceneOf()
  const complaining = 'echo "tar: ./file: Warning: Cannot fgetxattr: Input/output error" >&2; exec "$@"'
  const host: LvmHost = {
    ...scene.host,
    start: (argv, ...rest) => scene.host.start(['sh', '-euc', complaining, 'sh', ...argv], ...rest),
  }
  const { status, summary } = await backUpHost({ ...scene, host }, requested('--volumes', '/home'))
  expect(status).toBe(ExitStatus.incomplete)
  expect(summary).toMatch(/WARNING \/home: .*Cannot fgetxattr/)
  expect(manifestIn(scene.store)).toMatchObject({
    status: 'incomplete',
    volumes: [{ warnings: { count: 1, lines: [expect.stringContaining('Cannot fgetxattr')] } }],
  })
})

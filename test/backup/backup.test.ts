/** Whole backups with real archives, into a store in memory. */
import { backUpHost } from '../support/commands'
import { ExitStatus } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import type { Answers } from '../support/fake-host'
import { lvmHost, type LvmHost } from '../support/lvm-host'
import { refusalOf } from '../support/refusal'
import { manifestIn, requested, sceneWith, volumes } from './scene'

/** Each starts threads and a real tar: seconds on a machine that is busy. */
jest.setTimeout(60_000)

const { directories } = volumes()
const sceneOf = (...rest: readonly [Answers?, AbortSignal?, ((key: string) => void)?]) =>
  sceneWith(directories(), ...rest)

test('a good run leaves nothing on the host and a manifest in the bucket', async () => {
  const scene = sceneOf()
  const { status, summary } = await backUpHost(scene, requested())
  expect([status, scene.host.snapshots(), scene.host.mounts()]).toEqual([ExitStatus.ok, [], []])
  expect(summary).toContain(': OK, ')
  expect(manifestIn(scene.store)?.volumes.map(({ mountPoint }) => mountPoint)).toEqual(['/home', '/mail', '/srv'])
})

test.each([['auto'], ['differential']])('a dry run with --level %s says what it would archive', async (level) => {
  const scene = sceneOf()
  const { summary, json } = await backUpHost(scene, requested('--dry-run', '--level', level, '--volumes', '/home'))
  expect(json).toMatchObject({
    levels: [{ volume: 'vg-home', level: 'full', because: 'there is no index of a full archive yet' }],
  })
  expect(summary).toContain('full: there is no index of a full archive yet')
  expect([...scene.store.objects.keys()]).toEqual([])
})

test('what an earlier run left and cannot be removed does not keep the next one from its backup', async () => {
  const stuck = new AgentError('CLEANUP_FAILED', 'the snapshot vg/snapstream_old_0 cannot be removed: busy', {
    hint: 'x',
  })
  const { status, summary } = await backUpHost(sceneOf(), requested(), [stuck])
  expect(status).toBe(ExitStatus.cleanupFailed)
  expect(summary).toContain('LEFT BEHIND the snapshot vg/snapstream_old_0 cannot be removed: busy')
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

test('a clock that is set back in the middle of a run costs nobody the backup', async () => {
  let setBackBy = 0
  const host = lvmHost(directories(), {}, ([program], usual) => {
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
  const host = lvmHost(directories(), {}, ([program], usual) =>
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

test('a filesystem that is not on LVM fails by the name that its volume would have, which is no path', async () => {
  const beside = { target: '/boot', source: '/dev/nvme0n1p2', fstype: 'ext4', options: 'rw', fsroot: '/' }
  const host = lvmHost(directories(), {}, ([program], usual) => {
    if (program !== 'findmnt' || typeof usual !== 'string') return usual
    const { filesystems } = JSON.parse(usual) as { filesystems: object[] }
    return JSON.stringify({ filesystems: [...filesystems, { ...beside, 'maj:min': '259:2', uuid: null, label: null }] })
  })
  const scene = { ...sceneOf(), host }
  const { status } = await backUpHost(scene, requested('--source', 'auto,/boot=lvm'))
  expect(status).toBe(ExitStatus.incomplete)
  expect(manifestIn(scene.store)?.failures).toMatchObject([
    { volume: 'boot', mountPoint: '/boot', code: 'VOLUME_UNSUPPORTED' },
  ])
})

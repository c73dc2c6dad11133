/** What becomes of each volume of a run, whatever becomes of the others. */
import { backUpHost } from '../support/commands'
import { ExitStatus } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import type { Answers } from '../support/fake-host'
import { lvmHost, type LvmHost } from '../support/lvm-host'
import type { MemoryStore } from '../support/memory-store'
import { refusalOf } from '../support/refusal'
import { manifestIn, requested, sceneWith, stopAfterVolume, volumes, type Scene } from './scene'

/** Each starts threads and a real tar: seconds on a machine that is busy. */
jest.setTimeout(60_000)

const { directories } = volumes()
const sceneOf = (...rest: readonly [Answers?, AbortSignal?, ((key: string) => void)?]) =>
  sceneWith(directories(), ...rest)

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

test('a volume that is suspended is missing from a run that is good for the others', async () => {
  const host = lvmHost(directories(), {}, ([program], usual) =>
    program === 'lvs' && typeof usual === 'string'
      ? usual.replace(/("lv_name":"mail".*?"lv_suspended":)""/, '$1"suspended"')
      : usual,
  )
  const scene = { ...sceneOf(), host }
  const { status } = await backUpHost(scene, requested('--volumes', '/home,/mail'))
  expect(status).toBe(ExitStatus.incomplete)
  expect(manifestIn(scene.store)?.failures).toMatchObject([{ mountPoint: '/mail', code: 'VOLUME_UNSUPPORTED' }])
})

test('a snapshot that cannot be mounted is that volume’s failure alone, and goes at once', async () => {
  let snapshotsThen: string[] | undefined
  const noMount = { status: 32, stderr: 'mount: /mail: wrong fs type' } as const
  const host = lvmHost(directories(), {}, (argv, usual) =>
    argv[0] === 'mount' && argv.at(-1)?.includes('mail') ? noMount : usual,
  )
  const scene = { ...sceneOf({}, undefined, () => (snapshotsThen ??= host.snapshots())), host }
  const { status } = await backUpHost(scene, requested('--parallel', '1'))
  expect(status).toBe(ExitStatus.incomplete)
  expect(manifestIn(scene.store)).toMatchObject({
    volumes: [{ mountPoint: '/home' }, { mountPoint: '/srv' }],
    failures: [{ mountPoint: '/mail', code: 'MOUNT_FAILED' }],
  })
  expect(snapshotsThen).toEqual(['home', 'srv'])
  expect([scene.host.snapshots(), scene.host.mounts()]).toEqual([[], []])
})

test('a tar that fails costs its volume, and nothing of it is in the bucket', async () => {
  const scene = sceneOf()
  const host: LvmHost = {
    ...scene.host,
    start: (argv, ...rest) =>
      scene.host.start(argv.some((word) => word.includes('mail')) ? ['sh', '-c', 'echo tar: oh >&2; exit 2'] : argv, ...rest), // prettier-ignore
  }
  const { status } = await backUpHost({ ...scene, host }, requested())
  expect(status).toBe(ExitStatus.incomplete)
  expect(manifestIn(scene.store)?.failures).toMatchObject([
    { mountPoint: '/mail', code: 'COMMAND_FAILED', message: expect.stringContaining('oh') },
  ])
  expect([...scene.store.objects.keys()].filter((key) => key.includes('vg-mail'))).toEqual([])
  expect([scene.store.uploads.size, scene.host.snapshots()]).toEqual([0, []])
})

test('a snapshot that overflowed is what is reported, and not what that did to the upload', async () => {
  let isInvalid = false
  const host = lvmHost(directories(), {}, ([program], usual) =>
    isInvalid && program === 'lvs' && typeof usual === 'string'
      ? usual.replace(/("lv_name":"snapstream_\w+_1".*?"lv_snapshot_invalid":)""/, '$1"snapshot invalid"')
      : usual,
  )
  const scene = { ...sceneOf(), host }
  const store: MemoryStore = {
    ...scene.store,
    async createUpload(key, ...rest) {
      if (!key.includes('vg-mail')) return scene.store.createUpload(key, ...rest)
      isInvalid = true
      throw new AgentError('STORE_FAILED', 'what came of it', { hint: 'Try again.' })
    },
  }
  const { status } = await backUpHost({ ...scene, store }, requested('--parallel', '1'))
  expect(status).toBe(ExitStatus.incomplete)
  expect(manifestIn(scene.store)?.failures).toMatchObject([{ mountPoint: '/mail', code: 'SNAPSHOT_INVALID' }])
})

test('where no snapshot can be taken, that is the end of the run, and nothing is left', async () => {
  const scene = sceneOf({ lvcreate: { status: 5, stderr: 'insufficient free space' } })
  expect(await refusalOf(backUpHost(scene, requested()))).toMatchObject({ code: expect.any(String) })
  expect([scene.host.snapshots(), scene.host.mounts(), [...scene.store.objects.keys()]]).toEqual([[], [], []])
})

/** What is done, and in what order, to read a filesystem; that it works, test/guest/quiet.system.test.ts shows. */
import type { QuietPlan } from '../../../agent/source/quiet/plan'
import { readIntoMemory } from '../../../agent/source/quiet/read.io'
import { surveyQuiet } from '../../../agent/source/quiet/survey'
import type { Volume } from '../../../agent/source/source'
import { fakeHost, type Answer, type Answers } from '../../support/fake-host'
import { localDeps } from '../../support/host-deps'
import { refusalOf } from '../../support/refusal'
import { snapshotRequestOf } from '../../support/snapshot-request'
import { BOOT_HOST, filesystemAt, quietState } from './quiet-host'

const PATIENCE = { beforeReadingsMs: [0, 0, 0, 0, 0], packagesSeconds: 0 }
const PLACE = '/run/snapstream/20260131T040506Z-abz277'
const LOCKED = JSON.stringify({
  locks: [{ command: 'dpkg', pid: 17, mode: 'WRITE', path: '/var/lib/dpkg/lock' }],
})

function planOf(mountPoint: string): QuietPlan {
  const survey = surveyQuiet(quietState(BOOT_HOST), BOOT_HOST)
  const { volume } = survey.claim(filesystemAt(BOOT_HOST, mountPoint)) as { volume: Volume }
  return survey.plan([volume], snapshotRequestOf())[0] as QuietPlan
}

/** The answers one after another; the last one from then on. */
function inTurn(...answers: readonly Answer[]): () => Answer {
  let index = 0
  return () => answers[Math.min(index++, answers.length - 1)]!
}

/** A host on which all goes well, but for what a test changes. */
function depsWith(changed: Answers = {}) {
  /** By mount point: the device's number. */
  const mounted = new Map<string, string>()
  const numberAt = (place: string) => BOOT_HOST.mounts.findLast(({ target }) => target === place)?.deviceNumber
  const host = fakeHost({
    ...{ cat: 'MemAvailable: 2000000 kB\n', lslocks: '', stat: '1:1\n1:1\n', realpath: '', sync: '', rmdir: '' },
    ...{ 'systemd-run': '', systemctl: '', fsfreeze: '', unshare: '', sha256sum: 'aa  tar\n' },
    findmnt: () => {
      const own = [...mounted].map(([target, number]) => ({ target, source: 'x', fstype: 'x', 'maj:min': number }))
      const others = BOOT_HOST.mounts.map(({ target, source, filesystem, deviceNumber }) => {
        return { target, source, fstype: filesystem, 'maj:min': deviceNumber }
      })
      return JSON.stringify({ filesystems: [...others, ...own] })
    },
    mount: (argv) => (mounted.set(argv.at(-1) ?? '', numberAt(argv[argv.indexOf('--source') + 1] ?? '') ?? '0:99'), ''),
    umount: (argv) => (mounted.delete(argv.at(-1) ?? '') ? '' : { status: 32, stderr: 'not mounted' }),
    ...changed,
  })
  const steps = () => host.ran.filter((line) => /^(mount|umount|fsfreeze|unshare|sha256sum)/.test(line))
  const words = () => steps().map((line) => line.split(' ', line.startsWith('fsfreeze') ? 2 : 1).join(' '))
  return { deps: { ...localDeps(), host }, host, mounted, words }
}

const read = (deps: ReturnType<typeof depsWith>['deps'], mountPoint: string) =>
  readIntoMemory(deps, planOf(mountPoint), PATIENCE)

test('what can be frozen is read once, and held no longer than that; what was read stays until it is given back', async () => {
  const { deps, mounted, words } = depsWith()
  const snapshot = await read(deps, '/boot')
  expect(words()).toEqual(['mount', 'mount', 'fsfreeze --freeze', 'unshare', 'fsfreeze --unfreeze', 'umount'])
  expect(snapshot).toMatchObject({
    source: { kind: 'quiet', consistency: 'frozen' },
    tar: ['cat', '--', `${PLACE}/boot--memory/tar`],
    warnings: { count: 0 },
  })
  expect(snapshot.tarListed).toBeUndefined()
  expect([...mounted.keys()]).toEqual([`${PLACE}/boot--memory`])
  await snapshot[Symbol.asyncDispose]()
  expect([...mounted.keys()]).toEqual([])
})

test('what cannot be is read until two readings agree: a file that changed meanwhile is a difference, too', async () => {
  const { deps, words } = depsWith({
    unshare: inTurn('', { status: 1, stderr: 'tar: ./x: file changed as we read it' }, ''),
    sha256sum: inTurn('aa', 'bb', 'bb'),
  })
  const snapshot = await read(deps, '/boot/efi')
  expect(snapshot.source).toEqual({ kind: 'quiet', consistency: 'stable-read' })
  expect(words().filter((word) => word === 'unshare')).toHaveLength(4)
  expect(words().join()).not.toContain('fsfreeze')
})

test.each<[string, Answers]>([
  ['there is no systemd', { 'systemd-run': { status: 1, stderr: 'not booted with systemd' } }],
  ['somebody else has frozen it', { 'fsfreeze --freeze /boot': { status: 1, stderr: 'Device or resource busy' } }],
  [
    'the reading took longer than that lasted',
    { 'fsfreeze --unfreeze /boot': { status: 1, stderr: 'Invalid argument' } },
  ],
  ['tar had to be killed meanwhile', { unshare: inTurn({ status: null, killedBy: 'SIGKILL' }, '') }],
])('where %s, /boot is read until two readings agree', async (_, changed) => {
  const { deps } = depsWith(changed)
  expect((await read(deps, '/boot')).source).toEqual({ kind: 'quiet', consistency: 'stable-read' })
})

test('what tar lost although it succeeded is a warning of the backup; a socket is none', async () => {
  const stderr = 'tar: ./a: Warning: Cannot llistxattr: Input/output error\ntar: ./s: socket ignored\n'
  const { deps } = depsWith({ unshare: { stderr } })
  expect((await read(deps, '/boot')).warnings).toEqual({
    count: 1,
    lines: ['tar: ./a: Warning: Cannot llistxattr: Input/output error'],
  })
  expect(deps.logged).toEqual(expect.arrayContaining([expect.stringContaining('/boot: tar left out 1 sockets')]))
})

test.each(['/boot', '/boot/efi'])(
  '%s, unmounted while it is read, is not taken for an empty filesystem',
  async (mountPoint) => {
    const { deps, mounted } = depsWith({
      unshare: () => {
        for (const place of mounted.keys()) if (!place.endsWith('--memory')) mounted.delete(place)
        return ''
      },
    })
    expect(await refusalOf(read(deps, mountPoint))).toMatchObject({
      code: 'SNAPSHOT_INVALID',
      message: `${mountPoint} was unmounted while it was read`,
    })
    expect([...mounted.keys()]).toEqual([])
  },
)

test('what a package manager began while it was read is not kept', async () => {
  const { deps, words } = depsWith({ lslocks: inTurn('', LOCKED, '', '') })
  expect((await read(deps, '/boot')).source).toMatchObject({ consistency: 'frozen' })
  expect(words().filter((word) => word === 'unshare')).toHaveLength(2)
})

test.each<[string, string, Answers, string, RegExp]>([
  [
    'memory is short',
    '/boot',
    { cat: 'MemAvailable: 300000 kB\n' },
    'SNAPSHOT_SPACE',
    /200 MiB: 293 MiB are available/,
  ],
  [
    'it never is the same',
    '/boot/efi',
    { sha256sum: inTurn('a', 'b', 'c', 'd', 'e') },
    'VOLUME_BUSY',
    /no two of 5 readings/,
  ],
  [
    'files come and go',
    '/boot/efi',
    { unshare: { status: 1, stderr: 'file changed' } },
    'VOLUME_BUSY',
    /changes all the time/,
  ],
  ['packages are being installed', '/boot', { lslocks: LOCKED }, 'VOLUME_BUSY', /dpkg \(process 17\) holds/],
  [
    'packages are installed again and again',
    '/boot',
    { lslocks: inTurn('', LOCKED, '', LOCKED, '', LOCKED) },
    'VOLUME_BUSY',
    /dpkg/,
  ],
  [
    'its disk is damaged',
    '/boot',
    { unshare: { status: 2, stderr: 'Input/output error' } },
    'ARCHIVE_FAILED',
    /Input\/output error/,
  ],
  [
    'its disk does not answer',
    '/boot/efi',
    { unshare: { status: null, hangs: true } },
    'ARCHIVE_FAILED',
    /tar does not end/,
  ],
  [
    'memory cannot be mounted',
    '/boot',
    { mount: { status: 32, stderr: 'permission denied' } },
    'MOUNT_FAILED',
    /permission denied/,
  ],
])('where %s, that is told, and nothing stays', async (_, mountPoint, changed, code, message) => {
  const { deps, mounted, words } = depsWith(changed)
  const refused = await refusalOf(read(deps, mountPoint))
  expect(refused).toMatchObject({ code, message: expect.stringMatching(message) as string })
  expect(refused.message).toContain(mountPoint)
  expect([...mounted.keys()]).toEqual([])
  expect(words().filter((word) => word === 'fsfreeze --freeze')).toHaveLength(
    words().filter((word) => word === 'fsfreeze --unfreeze').length,
  )
})

test('a run that is stopped while a filesystem is frozen thaws it', async () => {
  const stop = new AbortController()
  const { deps, mounted, words } = depsWith({
    unshare: () => {
      stop.abort(new Error('interrupted'))
      throw stop.signal.reason
    },
  })
  await expect(read({ ...deps, signal: stop.signal }, '/boot')).rejects.toThrow('interrupted')
  expect(words()).toContain('fsfreeze --unfreeze')
  expect([...mounted.keys()]).toEqual([])
})

import { freeze as freezeAll, findPendingThaws } from '../../agent/host/freeze.io'
import { alwaysWritable, mayFreeze, thawLater, thawUnitName } from '../../agent/host/freeze'
import type { Mount } from '../../agent/host/mounts'
import { fakeHost, notInstalled, type Answers } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'

const WRITABLE = alwaysWritable(['/opt/snapstream/agent.cjs', '/data/real/log'])

/** In the order of a mount table: target, type, and the filesystem's number where it is mounted twice. */
function table(...rows: readonly (readonly [target: string, filesystem: string, minor?: number])[]): Mount[] {
  return rows.map(([target, filesystem, minor], index) => ({
    target,
    filesystem,
    ...{ source: '/dev/x', options: 'rw', root: '/', deviceNumber: `8:${minor ?? index + 100}` },
  }))
}

const HOST = table(['/', 'xfs'], ['/boot', 'ext4'], ['/boot/efi', 'vfat'], ['/srv', 'ext4'], ['/srv/db', 'xfs'])

test.each([
  ['/boot', 'a kernel is installed rarely', true],
  ['/srv', 'data', true],
  ['/srv/db', 'data below data', true],
  ['/', 'everything waits', false],
  ['/boot/efi', 'vfat cannot be', false],
  ['/nowhere', 'nothing is mounted there', false],
])('%s: %s', (mountPoint, _, expected) => {
  expect(mayFreeze(mountPoint, HOST, WRITABLE)).toBe(expected)
})

test.each([
  ['/var', '/var'],
  ['/var/log', '/var/log'],
  ['/var/lib', '/var/lib'],
  ['/opt', '/opt, where the agent is'],
  ['/opt/snapstream', 'the directory of the agent'],
  ['/data', '/data, to which a link for the log leads'],
])('a filesystem mounted at %s stays writable: it holds %s', (mountPoint) => {
  expect(mayFreeze(mountPoint, [...HOST, ...table([mountPoint, 'ext4', 7])], WRITABLE)).toBe(false)
})

test('a filesystem counts with all of its mounts', () => {
  const bound = [...HOST, ...table(['/data', 'ext4', 7], ['/var/log', 'ext4', 7])]
  expect(mayFreeze('/data', bound, [])).toBe(true)
  expect(mayFreeze('/data', bound, WRITABLE)).toBe(false)
  expect(mayFreeze('/mnt', [...HOST, ...table(['/mnt', 'xfs', 100])], [])).toBe(false) // the root, once more
})

test('what lies below /var has its own life, and what is covered by another mount is not there', () => {
  expect(mayFreeze('/var/lib/mysql', [...HOST, ...table(['/var/lib/mysql', 'xfs', 7])], WRITABLE)).toBe(true)
  const covered = [...HOST, ...table(['/mnt', 'ext4', 7], ['/mnt', 'vfat', 8])]
  expect(mayFreeze('/mnt', covered, [])).toBe(false)
  // The log is in the later of the two.
  expect(mayFreeze('/elsewhere', [...covered, ...table(['/elsewhere', 'ext4', 7])], ['/mnt/log'])).toBe(true)
})

test('systemd is told the path as it is, and when to thaw', () => {
  const argv = thawLater(thawUnitName('0a'), '/srv/$HOME', 30)
  expect(argv).toEqual(expect.arrayContaining(['--unit=snapstream-thaw-0a', '--on-active=30s']))
  expect(argv.slice(argv.indexOf('--'))).toEqual(['--', 'fsfreeze', '--unfreeze', '/srv/$$HOME'])
})

const FINDMNT_JSON = JSON.stringify({
  filesystems: HOST.map(({ target, filesystem, deviceNumber }) => ({
    ...{ target, fstype: filesystem, source: '/dev/x', options: 'rw', fsroot: '/', 'maj:min': deviceNumber },
  })),
})

/** A host that says yes to everything but what a test changes. */
function hostWith(changed: Answers = {}) {
  const host = fakeHost({
    ...{ findmnt: FINDMNT_JSON, realpath: '', sync: '', 'systemd-run': '', systemctl: '', fsfreeze: '' },
    ...changed,
  })
  return {
    deps: { ...localDeps(), host },
    host,
    steps: () => host.ran.filter((line) => !/^(findmnt|realpath)/.test(line)),
  }
}

const unitsOf = (lines: readonly string[]) =>
  [...lines.join('\n').matchAll(/snapstream-thaw-[0-9a-f]+/g)].map(([name]) => name)

test('every thaw is arranged before the first freeze; the deepest freezes first and thaws last', async () => {
  const { deps, steps } = hostWith()
  const frozen = await freezeAll(deps, ['/srv', '/srv/db'], 30)
  const before = steps()
  expect(before.map((line) => line.replace(/ .*(\/srv.*)$/, ' $1'))).toEqual([
    ...['sync /srv/db', 'sync /srv', 'systemd-run /srv/db', 'systemd-run /srv', 'fsfreeze /srv/db', 'fsfreeze /srv'],
  ])
  expect(await frozen.thaw()).toBe(true)
  const [first, second, ...stops] = steps().slice(before.length)
  expect([first, second]).toEqual(['fsfreeze --unfreeze /srv', 'fsfreeze --unfreeze /srv/db'])
  expect(new Set(unitsOf(stops))).toEqual(new Set(unitsOf(before)))
  const done = steps().length
  await frozen[Symbol.asyncDispose]()
  expect(steps()).toHaveLength(done)
})

test('a freeze that somebody else ended is told', async () => {
  const { deps } = hostWith({
    'fsfreeze --unfreeze /srv': { status: 1, stderr: 'fsfreeze: /srv: unfreeze failed: Invalid argument' },
  })
  await using frozen = await freezeAll(deps, ['/srv', '/srv/db'], 30)
  expect(await frozen.thaw()).toBe(false)
})

test.each<[string, Answers, RegExp]>([
  [
    'one is frozen by somebody else',
    { 'fsfreeze --freeze /srv': { status: 1, stderr: 'Device or resource busy' } },
    /\/srv cannot be frozen: Device or resource busy/,
  ],
  [
    'there is no systemd',
    { 'systemd-run': { status: 1, stderr: 'System has not been booted with systemd' } },
    /systemd would not thaw it without us: .*not been booted/,
  ],
  ['systemd is not installed', { 'systemd-run': notInstalled('systemd-run') }, /could not run systemd-run/],
  ['a disk does not answer', { sync: { status: null, killedBy: 'SIGKILL' } }, /\/srv\/db cannot be frozen/],
  [
    'one may not be frozen',
    { findmnt: FINDMNT_JSON.replace('"/srv/db"', '"/var"') },
    /\/srv\/db cannot be frozen: it is of a type/,
  ],
])('none is frozen where %s, and nothing is left', async (_, changed, message) => {
  const { deps, steps } = hostWith(changed)
  const refused = await refusalOf(freezeAll(deps, ['/srv', '/srv/db'], 30))
  expect(refused).toMatchObject({ code: 'FREEZE_UNAVAILABLE', message: expect.stringMatching(message) as string })
  const ran = steps()
  // What was frozen is thawed, and what was not is not touched: it may be somebody else's.
  const began = ran.filter((line) => line === 'fsfreeze --freeze /srv/db')
  expect(ran.filter((line) => line.includes('--unfreeze') && line.startsWith('fsfreeze'))).toEqual(
    began.map(() => 'fsfreeze --unfreeze /srv/db'),
  )
  const [arranged, stopped] = ['systemd-run', 'systemctl stop'].map(
    (start) => new Set(unitsOf(ran.filter((line) => line.startsWith(start)))),
  )
  expect(stopped).toEqual(arranged)
})

test('a freeze that takes too long is thawed, and left to systemd as well: it may come yet', async () => {
  const { deps, steps } = hostWith({ 'fsfreeze --freeze /srv': { status: null, killedBy: 'SIGKILL' } })
  expect(await refusalOf(freezeAll(deps, ['/srv'], 30))).toMatchObject({
    message: '/srv cannot be frozen: it takes too long',
  })
  expect(steps().slice(-1)).toEqual(['fsfreeze --unfreeze /srv'])
})

test('what cannot be thawed keeps its timer, and is told', async () => {
  const { deps, steps } = hostWith({ 'fsfreeze --unfreeze /srv': { status: null, killedBy: 'SIGKILL' } })
  const frozen = await freezeAll(deps, ['/srv'], 30)
  await expect(frozen.thaw()).rejects.toMatchObject({ code: 'CLEANUP_FAILED' })
  expect(steps().filter((line) => line.startsWith('systemctl'))).toEqual([])
})

test('an interrupted run freezes nothing more', async () => {
  const stop = new AbortController()
  const { deps, steps } = hostWith({
    'fsfreeze --freeze /srv/db': () => {
      stop.abort(new Error('interrupted'))
      return ''
    },
  })
  await expect(freezeAll({ ...deps, signal: stop.signal }, ['/srv', '/srv/db'], 30)).rejects.toThrow('interrupted')
  expect(steps().filter((line) => line.startsWith('fsfreeze'))).toEqual([
    ...['fsfreeze --freeze /srv/db', 'fsfreeze --unfreeze /srv/db'],
  ])
})

test('where systemd lists no timers, nothing is pending', async () => {
  expect(await findPendingThaws(hostWith({ systemctl: notInstalled('systemctl') }).deps)).toEqual([])
  const text =
    'snapstream-thaw-0a1b.timer loaded active waiting Snapstream: thaws /srv/a b\nother.timer loaded active waiting x\n'
  expect(await findPendingThaws(hostWith({ systemctl: text }).deps)).toEqual([
    { unit: 'snapstream-thaw-0a1b', mountPoint: '/srv/a b' },
  ])
})

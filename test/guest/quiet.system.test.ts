/** Small filesystems beside LVM, read in place by the bundle that ships, with a real systemd, dpkg's real lock and real vfat. */
import { readdir, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { manifestKey } from '../../agent/contract'
import { parseManifest } from '../../agent/run/parse-manifest'
import { quietSource } from '../../agent/source/quiet/snapshots.io'
import { testServers } from '../servers/index'
import { testSourceContract } from '../source/source-contract'
import { makeTrustedDirectory } from '../support/trusted-directory'
import { installAgent, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'
import { guestDeps, readMoment } from './guest-host'
import type { GuestCommand } from './guest-link'
import { DISKS_MIB, makeQuietDisks, MOUNT_POINTS } from './quiet-disks'

jest.setTimeout(300_000)

let guest: Guest
let agent: Installation

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: DISKS_MIB, systemd: true })
  await makeQuietDisks(guest)
  agent = await installAgent(guest, testServers().seaweedfs)
})
afterAll(() => guest.stop())
afterEach(expectNothingLeft)

const shell = (script: string, ...words: string[]) => guest.run(['sh', '-euc', script, 'sh', ...words])

/** Nothing in memory, nothing frozen, no timer, no upload: neither in the bucket nor remembered. */
async function expectNothingLeft(): Promise<void> {
  expect(await agent.leftovers()).toEqual([])
  const ours = 'find /run/snapstream /var/lib/snapstream/uploads -mindepth 1 2>/dev/null || true'
  const units = 'systemctl list-units --all --plain --no-legend "snapstream-thaw-*"'
  expect(await shell(`${ours}; ${units}`)).toBe('')
  for (const mountPoint of MOUNT_POINTS) await guest.run(['touch', `${mountPoint}/moment`], { timeoutSeconds: 10 })
}

/** Everything that there is of each file of a filesystem, but for what is mounted in it. */
function describeTree(directory: string): Promise<string> {
  return shell(
    `mount --bind --mkdir "$1" /mnt/tree
cd /mnt/tree
find . -type d -printf '%P %y %m %U:%G %T@\\n' -o -printf '%P %y %m %U:%G %T@ %s %n %l\\n' | sort
find . -type f -exec sha256sum {} + | sort
getfattr --recursive --no-dereference --dump --match='^(user|security)\\.' . | sort
getfacl --recursive --numeric . | sort
cd /
umount /mnt/tree`,
    directory,
  )
}

/** On a disk: memory keeps no attributes of users. */
const RESTORED = '/srv/large/restored'

const sourcesOf = (json: { volumes: { mountPoint: string; source: object }[] }) =>
  Object.fromEntries(json.volumes.map(({ mountPoint, source }) => [mountPoint, source]))
const FROZEN = { kind: 'quiet', consistency: 'frozen' }
const STABLE = { kind: 'quiet', consistency: 'stable-read' }

test('a dry run says how each filesystem would be read, and does not do it', async () => {
  const { status, summary, json } = await agent.run('backup', '--dry-run')
  const snapshots = json.snapshots as { origin: { mountPoint: string }; source: object }[]
  expect({ status, summary }).toEqual({ status: 0, summary: expect.stringContaining('/boot/efi') as string })
  expect(snapshots.map(({ origin, source }) => [origin.mountPoint, source])).toEqual([
    ['/boot', FROZEN],
    ['/boot/efi', STABLE],
    ['/srv', expect.objectContaining({ kind: 'lvm' })],
    ['/srv/large', FROZEN],
  ])
})

test('a host that boots is backed up with what it boots from, and restored to the last attribute', async () => {
  const trees = [await describeTree('/boot'), await describeTree('/boot/efi')]
  const { status, stderr, json } = await agent.run('backup', '--verify', 'source')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(sourcesOf(json)).toMatchObject({
    '/boot': FROZEN,
    '/boot/efi': STABLE,
    '/srv': { kind: 'lvm' },
    '/srv/large': FROZEN,
  })
  const manifest = parseManifest((await agent.read(manifestKey(json))).toString(), json)
  const boot = manifest.volumes.find(({ mountPoint }) => mountPoint === '/boot')
  expect(boot).toMatchObject({
    volume: 'boot',
    level: 'full',
    uuid: expect.stringMatching(/-/) as string,
    label: 'boot',
  })
  expect(boot?.tarCommand).toContain('--file=-')

  expect(await agent.run('verify', '--run', json.run, '--depth', 'stream')).toMatchObject({ status: 0 })
  for (const [index, mountPoint] of ['/boot', '/boot/efi'].entries()) {
    const restore = await agent.run(
      'restore',
      '--run',
      json.run,
      '--volume',
      mountPoint,
      '--target',
      `${RESTORED}-${index}`,
    )
    expect(restore).toMatchObject({ status: 0 })
    // Of vfat, all but the content is what its mount options say.
    expect(await describeTree(`${RESTORED}-${index}${mountPoint}`)).toBe(trees[index])
  }
  await shell(`rm -r ${RESTORED}-*`)
})

test('what is too large is named with its reason, and no failure: nothing else would back it up either', async () => {
  await shell('fallocate --length 1200M /srv/large/blob')
  const { status, summary, json } = await agent.run('backup', '--dry-run')
  expect(status).toBe(0)
  expect(summary).toMatch(/\/srv\/large .*too large to be read in place: 1\.2 GiB used of at most 1 GiB/)
  expect(json.unsupported).toMatchObject([{ mountPoint: '/srv/large' }])
  const named = await agent.run('backup', '--volumes', '/srv/large')
  expect(named).toMatchObject({ status: 1, json: { error: { code: 'VOLUME_UNSUPPORTED' } } })
  expect(named.stderr).toContain('too large to be read in place')
  await shell('rm /srv/large/blob')
})

const QUIET = ['--volumes', '/boot,/boot/efi'] as const

/** Writes to the EFI system partition all the time, and for so many seconds after that has begun to be read. */
function startWriter(seconds: number): GuestCommand {
  const script = `write() { date +%s%N >/boot/efi/state; }
until grep -q ' /run/snapstream/[^ ]*/boot.efi ' /proc/mounts; do write; done
timeout --foreground "$1" sh -c 'while date +%s%N >/boot/efi/state; do :; done' || true`
  return guest.start(['sh', '-c', script, 'sh', String(seconds)])
}

test('a writer on the EFI system partition is waited for', async () => {
  const writer = startWriter(1)
  const { status, stderr } = await agent.run(
    'backup',
    '--volumes',
    '/boot/efi',
    '--verify',
    'source',
    '--log-level',
    'debug',
  )
  await writer.ended
  expect(status).toBe(0)
  expect(stderr).toMatch(/\/boot\/efi: readings [2-4] and [3-5] are the same/)
  await shell('rm /boot/efi/state')
})

test('a writer that never ends is the failure of that volume alone', async () => {
  const writer = startWriter(100)
  const { status, summary, json } = await agent.run('backup', ...QUIET)
  writer.kill('SIGKILL')
  await writer.ended
  expect(status).toBe(3)
  expect(sourcesOf(json)).toEqual({ '/boot': FROZEN })
  expect(json.failures).toMatchObject([{ mountPoint: '/boot/efi', code: 'VOLUME_BUSY' }])
  expect(summary).toContain('/boot/efi changes all the time: no two of 5 readings were the same')
  await shell('rm /boot/efi/state')
})

test('while packages are installed nothing is read, and the backup goes on when that has ended', async () => {
  const hold =
    'open F, ">>", $ARGV[0]; $lock = pack("ssx4qqlx4", 1, 0, 0, 0, 0); fcntl F, 6, $lock or die; open G, ">/root/held"; ' +
    'sleep 1 while -e "/root/held"'
  const packages = guest.start(['perl', '-e', hold, '/var/lib/dpkg/lock-frontend'])
  const until = (condition: string) => shell(`until ${condition}; do sleep 0.2; done`)
  await until('[ -e /root/held ]')
  const running = agent.start('backup', ...QUIET, '--log-level', 'info')
  await until("grep -q ' /run/snapstream/[^ ]*/boot--memory ' /proc/mounts")
  await sleep(5000)
  expect(await shell('find /run/snapstream -type f')).toBe('')
  await shell('rm /root/held')
  const { status, stderr } = await running.ended
  expect(status).toBe(0)
  expect(stderr).toMatch(/waiting: perl \(process \d+\) holds \/var\/lib\/dpkg\/lock-frontend/)
  await packages.ended
})

test('a filesystem that somebody else has frozen is read until two readings agree', async () => {
  await guest.run(['fsfreeze', '--freeze', '/boot'])
  try {
    const { status, json } = await agent.run('backup', '--volumes', '/boot')
    expect({ status, sources: sourcesOf(json) }).toEqual({ status: 0, sources: { '/boot': STABLE } })
  } finally {
    await guest.run(['fsfreeze', '--unfreeze', '/boot'])
  }
})

describe('killed', () => {
  /** An agent that dies when it runs a certain command: before it, or once that has ended. */
  async function backUpAndDie(when: 'before' | 'after', command: string): Promise<void> {
    const preload = `
const child = require('child_process')
const { spawn } = child
const die = () => process.kill(process.pid, 'SIGKILL')
child.spawn = (program, args, options) => {
  const dies = [program, ...args].join(' ').includes(${JSON.stringify(command)})
  if (dies && '${when}' === 'before') die()
  const started = spawn(program, args, options)
  if (dies) started.once('exit', die)
  return started
}`
    await guest.run(['sh', '-euc', 'cat >/root/die.cjs'], { input: preload })
    const { status, killedBy } = await agent.startWith('/root/die.cjs', 'backup', ...QUIET).ended
    expect([status, killedBy]).toEqual([null, 'SIGKILL'])
  }

  test.each([
    ['after', 'mount --types tmpfs'],
    ['after', 'mount --options bind'],
    ['after', 'systemd-run'],
    ['after', 'fsfreeze --freeze'],
    ['before', 'unshare'],
    ['after', 'unshare'],
    ['after', 'fsfreeze --unfreeze'],
    ['before', 'systemctl stop'],
    ['before', 'umount'],
    ['after', 'sha256sum'],
    ['before', 'cat --'],
    ['after', 'cat --'],
  ] as const)('%s "%s", it leaves what cleanup removes', async (when, command) => {
    await backUpAndDie(when, command)
    expect(await agent.run('cleanup')).toMatchObject({ status: 0 })
    await expectNothingLeft()
  })

  test('while an upload is under way, it leaves what the next backup removes', async () => {
    const slow = ['--bandwidth-limit', '500K', '--compression', 'none'] as const
    const running = agent.start('backup', ...QUIET, ...slow)
    for (let tries = 0; (await agent.unfinishedUploads()).length === 0 && tries < 300; tries++) await sleep(100)
    await sleep(500)
    running.kill('SIGKILL')
    await running.ended
    expect((await agent.run('cleanup', '--dry-run')).summary).toMatch(/uploads of boot/)
    expect((await agent.leftovers()).join()).toMatch(/data\/daily\/guest\//)
    expect(await agent.run('backup', ...QUIET)).toMatchObject({ status: 0 })
  })

  test('while a filesystem is frozen, that ends by itself, and with it what waits beyond the reach of SIGKILL', async () => {
    await backUpAndDie('after', 'fsfreeze --freeze')
    const writer = guest.start(['touch', '/boot/moment'])
    await sleep(1000)
    writer.kill('SIGKILL')
    expect(await Promise.race([writer.ended, sleep(2000, 'waits', { ref: false })])).toBe('waits')
    await writer.ended
    expect(await agent.run('cleanup')).toMatchObject({ status: 0 })
  })
})

describe('as a source of snapshots, reading in place', () => {
  const uploads = makeTrustedDirectory()
  const mountPoints = ['/boot', '/boot/efi', '/srv']

  beforeAll(() => shell('fallocate --length 1200M /srv/large/blob'))
  afterAll(async () => {
    await shell('rm /srv/large/blob')
    await rm(uploads, { recursive: true })
  })

  testSourceContract(quietSource(uploads), { moment: 'mounted', apart: false, hasLayout: false }, () => ({
    deps: guestDeps(guest),
    mountPoints,
    foreign: '/srv/large',
    write: async (text) => {
      await shell(`for m in ${mountPoints.join(' ')}; do echo ${text} >$m/moment; done`)
    },
    readMoment: (tar, names) => readMoment(guest, tar, names),
    async left() {
      const files = (await readdir(uploads, { recursive: true })).filter((file) => file.endsWith('.jsonl'))
      const named = files.map((file) => file.replace(/^quiet\/(.*)\/(.*)\.jsonl$/, 'uploads of $2 in run $1'))
      return named.join('\n') + (await shell('find /run/snapstream 2>/dev/null || true'))
    },
  }))
})

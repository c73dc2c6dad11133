/** A host without LVM, as most EC2 instances are: the source against a kernel, and what it is for by the bundle that ships. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ec2Client } from '../../agent/source/ebs/ec2-client.io'
import { ebsSource } from '../../agent/source/ebs/snapshots.io'
import { testServers } from '../servers'
import { HANG_UP, type Settings } from '../servers/ec2'
import { SETTINGS } from '../servers/ec2/account'
import { askEc2 } from '../servers/ec2/ask'
import { testSourceContract } from '../source/source-contract'
import { bundleTrees, type GuestTrees } from '../support/tree/guest-trees'
import { makeTrustedDirectory } from '../support/trusted-directory'
import { MOUNT_POINTS } from './ebs-disks'
import { startEbsHost, type EbsHost } from './ebs-host'
import { guestDeps, readMoment } from './guest-host'
import { BEFORE, DAYS } from './nights'
import { levelsOf, nightsOf, volumesOf, type Nights } from './week'
import type { HostDeps } from '../../agent/context'
import type { SnapshotPlan } from '../../agent/source/source'
import type { AgentResult } from './agent'

jest.setTimeout(300_000)

const PLAIN = '/mnt/plain'
/** How EC2 behaves unless a test has it otherwise; who may do what is the host's policy. */
const AS_USUAL: Partial<Settings> = Object.fromEntries(
  Object.entries(SETTINGS).filter(([setting]) => setting !== 'authorize'),
)
let host: EbsHost

beforeAll(async () => {
  host = await startEbsHost(testServers().seaweedfs)
  // A disk without a serial is none of EBS.
  await host.guest.run(['sh', '-euc', `mkfs.ext4 -q /dev/ubdb; mount --mkdir /dev/ubdb ${PLAIN}`])
})
afterAll(() => host[Symbol.asyncDispose]())
afterEach(() => host.ec2.configure(AS_USUAL))

const sh = (script: string, ...words: readonly string[]) => host.guest.run(['sh', '-euc', script, 'sh', ...words])

/** What is mounted of ours, in the host's view or in another one, and what that was mounted on. */
const leftOnHost = () =>
  sh('grep -hs /run/snapstream /proc/[0-9]*/mounts || true; find /run/snapstream 2>/dev/null || true')
const copies = async () => (await host.marked()).filter((id) => id.startsWith('vol-'))

describe('as a source of snapshots, EBS', () => {
  const directory = makeTrustedDirectory()
  const source = ebsSource({
    ...{ runsDirectory: join(directory, 'runs'), uploadsDirectory: join(directory, 'uploads') },
  })
  let deps: HostDeps

  beforeAll(async () => {
    const { region, accessKeyId, secretAccessKey, endpoint } = host.ec2
    const own = guestDeps(host.guest)
    const client = await ec2Client({
      instance: {
        ...{ instanceId: host.instance.id, arn: host.arn },
        ...{ region, zone: 'us-east-1a', instanceType: 't3.small' },
      },
      credentials: async () => ({ accessKeyId, secretAccessKey }),
      ...{ endpointUrl: endpoint, log: own.log },
    })
    const now = () => new Date('2026-01-31T05:00:00Z') // by the name of the run, in which all of it is kept
    deps = { ...own, now, connectEc2: () => Promise.resolve(client) }
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  /** Detaches the copy of a plan's disk, which nobody would who uses it. */
  async function destroy({ mountPoint }: SnapshotPlan): Promise<void> {
    const unmount = `for mounts in $(grep -ls " $1 " /proc/[0-9]*/mounts); do
      read -r device rest <<LINE
$(grep " $1 " $mounts)
LINE
      pid=\${mounts#/proc/}; nsenter --target=\${pid%/mounts} --mount -- umount --lazy "$1"; echo \${device#/dev/}; done`
    const device = (await sh(unmount, mountPoint)).split('\n')[0] ?? ''
    const serial = (await sh('cat /sys/block/$1/serial', device.replace(/\d+$/, ''))).trim()
    await askEc2(host.ec2, 'DetachVolume', { VolumeId: serial.replace('vol', 'vol-') })
  }

  testSourceContract(source, { moment: 'taken', apart: true, hasLayout: true, refusal: 'ACCESS_DENIED' }, () => ({
    deps,
    mountPoints: MOUNT_POINTS,
    foreign: PLAIN,
    async write(text) {
      await sh(`for m in ${MOUNT_POINTS.join(' ')}; do echo $1 >$m/moment; done`, text)
    },
    async obstruct() {
      host.ec2.configure({ denied: ['CreateSnapshots'] })
      return async () => host.ec2.configure({ denied: [] })
    },
    destroy,
    readMoment: (tar, names) => readMoment(host.guest, tar, names),
    async left() {
      // The last snapshot of each disk stays.
      const found = await source.findLeftovers(deps, true)
      return [...found.map(({ name }) => name), ...(await copies()), await leftOnHost()].join('\n')
    },
  }))
})

describe('by the bundle that ships', () => {
  const SMALL = ['--exclude', '/srv/a/random', '--exclude', '/srv/b/random']
  const backUp = (...options: readonly string[]) => host.agent.run('backup', ...host.options, ...SMALL, ...options)
  const cleanUp = () => host.agent.run('cleanup', ...host.options)

  afterEach(async () => {
    expect(await copies()).toEqual([])
    expect(await leftOnHost()).toBe('')
    // The last one of each disk at most.
    expect((await host.marked()).length).toBeLessThanOrEqual(host.instance.volumeIds.length)
  })

  /** As the last line of JSON has it. */
  interface Volume {
    readonly mountPoint: string
    readonly source: { readonly kind: string; readonly consistency: string; readonly snapshotId: string }
    readonly archive: { readonly segments: readonly { readonly key: string }[] }
  }
  const filesystemsOf = ({ json }: AgentResult) => json.volumes as readonly Volume[]
  const kindsOf = (result: AgentResult) =>
    Object.fromEntries(filesystemsOf(result).map(({ mountPoint, source }) => [mountPoint, source.kind]))
  const consistencyOf = (result: AgentResult) =>
    Object.fromEntries(filesystemsOf(result).map(({ mountPoint, source }) => [mountPoint, source.consistency]))

  async function readFile(result: AgentResult, wanted: string, name: string): Promise<string> {
    const volume = filesystemsOf(result).find(({ mountPoint }) => mountPoint === wanted)!
    const stored = await host.agent.read(volume.archive.segments[0]!.key)
    const tar = execFileSync('zstd', ['-dc'], { input: stored, maxBuffer: 1 << 28 })
    return execFileSync('tar', ['-xO', '--record-size=1M', name], { input: tar }).toString()
  }

  test('a dry run says that EBS has each filesystem, and changes nothing', async () => {
    const before = await host.marked()
    const { status, summary } = await backUp('--dry-run', '--exclude-volumes', PLAIN)
    expect(status).toBe(0)
    for (const mountPoint of MOUNT_POINTS) expect(summary).toContain(` ${mountPoint} `)
    expect(summary).toContain('snapshot in EBS, the last of which is kept')
    expect(await host.marked()).toEqual(before)
  })

  /** Writes a number to one filesystem, and then to the other: the first is never behind, and at most one ahead. */
  const COUNT = `
    const fs = require('node:fs')
    const files = ['/srv/a/count', '/srv/b/count'].map((file) => fs.openSync(file, 'w'))
    for (let count = 1; ; count++) {
      for (const file of files) {
        fs.writeSync(file, String(count).padStart(9, '0'), 0)
        fs.fsyncSync(file)
      }
      if (count === 10) console.error('counting')
    }`

  test('a host is backed up as all of its disks were at one moment, while writers run', async () => {
    const { promise: isCounting, resolve: onStderr } = Promise.withResolvers<string>()
    const counting = host.guest.start(['node', '-e', COUNT], { onStderr })
    await isCounting
    const result = await backUp('--verify', 'source', '--exclude-volumes', PLAIN)
    counting.kill('SIGKILL')
    await counting.ended
    expect(result).toMatchObject({ status: 0, json: { verified: 'source', failures: [] } })
    expect(consistencyOf(result)).toEqual(Object.fromEntries(MOUNT_POINTS.map((mountPoint) => [mountPoint, 'crash'])))
    const [a, b] = [await readFile(result, '/srv/a', './count'), await readFile(result, '/srv/b', './count')].map(
      Number,
    )
    expect(a).toBeGreaterThanOrEqual(10)
    expect([a, a! - 1]).toContain(b)
    // From one copy each, and no more than one request for all of the snapshots.
    expect(new Set(filesystemsOf(result).map(({ source }) => source.snapshotId)).size).toBe(3)
  })

  test('with --freeze, filesystems of data are held still, and those that the host needs are not', async () => {
    const result = await backUp('--freeze', '--volumes', '/srv/a', '--volumes', '/sysroot/boot')
    expect(result.status).toBe(0)
    expect(consistencyOf(result)).toEqual({ '/srv/a': 'frozen', '/sysroot/boot': 'frozen' })
    await sh('echo again >/srv/a/moment; echo again >/sysroot/boot/moment')
  })

  test('without the right to take snapshots it says which is missing', async () => {
    host.ec2.configure({ denied: ['CreateSnapshots'] })
    const { status, json } = await backUp('--volumes', '/srv/a')
    expect(status).toBe(1)
    expect(JSON.stringify(json)).toContain('ec2:CreateSnapshots is denied')
  })

  test('without the right to attach it fails as a volume does, and leaves nothing', async () => {
    host.ec2.configure({ denied: ['AttachVolume'] })
    const { status, json } = await backUp('--volumes', '/srv/a')
    expect([status, json.error.code, json.error.hint]).toEqual([
      1,
      'ACCESS_DENIED',
      expect.stringContaining('hosts: { ebs: true }'),
    ])
  })

  test('slow states, throttled requests and lost answers cost time only', async () => {
    const slow = {
      pendingSeconds: 3,
      creatingSeconds: 1,
      attachingSeconds: 1,
      discoverySeconds: 1,
      detachingSeconds: 2,
    }
    host.ec2.configure({ ...slow, unseenSeconds: 0.5 })
    host.ec2.inject({ action: 'CreateSnapshots', code: 'RequestLimitExceeded', times: 2 })
    host.ec2.inject({ action: 'CreateVolume', code: HANG_UP, takesEffect: true })
    host.ec2.inject({ action: 'AttachVolume', code: 'Unavailable' })
    host.ec2.inject({ action: 'DetachVolume', code: HANG_UP })
    const result = await backUp('--volumes', '/sysroot/boot', '--volumes', '/srv/a')
    expect(result).toMatchObject({ status: 0, json: { failures: [], leftBehind: [] } })
  })

  test('a snapshot that fails is the failure of its volume, and is not kept', async () => {
    host.ec2.configure({ snapshotsEnd: 'error' }) // and so do those that were kept
    const { status, json } = await backUp('--volumes', '/srv/a')
    expect([status, json.error.message]).toEqual([1, expect.stringMatching(/^\/srv\/a failed: .*error/)])
    expect(await host.marked()).toEqual([])
  })

  test('an instance that has as many volumes as it can have says so, and has nothing done to it', async () => {
    const seen = host.ec2.requests.length
    host.ec2.configure({ attachmentsMax: host.instance.volumeIds.length })
    const { status, json } = await backUp('--volumes', '/srv/a')
    expect([status, JSON.stringify(json.error)]).toEqual([1, expect.stringMatching(/attach/)])
    const done = host.ec2.requests.slice(seen).filter(({ code }) => code === undefined)
    expect(done.map(({ action }) => action).filter((action) => !action.startsWith('Describe'))).toEqual([])
  })

  test('a second run does not begin while one is under way', async () => {
    const seen = host.ec2.requests.length
    host.ec2.configure({ pendingSeconds: 5 })
    const first = host.agent.start('backup', ...host.options, ...SMALL, '--volumes', '/srv/a')
    const hasBegun = () =>
      host.ec2.requests.slice(seen).some(({ action, code }) => action === 'CreateSnapshots' && code === undefined)
    while (!hasBegun() && !(await Promise.race([first.ended.then(() => true), sleep(50, false)])));
    expect((await backUp('--volumes', '/srv/a')).status).toBe(11)
    expect((await first.ended).status).toBe(0)
  })

  describe('nights', () => {
    const mountPoints = ['/srv/a', '/srv/b']
    const all = (level: string) => Object.fromEntries(mountPoints.map((mountPoint) => [mountPoint, level]))
    let trees: GuestTrees
    let shared: string
    let nights: Nights
    let first: AgentResult

    beforeAll(async () => {
      trees = await bundleTrees()
      shared = await mkdtemp(join(tmpdir(), 'snapstream-nights-'))
      const { guest, agent, options } = host
      await sh('rm /srv/*/random')
      for (const root of mountPoints) await guest.run(['bash', '-euc', BEFORE], { environment: { ROOT: root } })
      nights = nightsOf({ guest, agent, trees, mountPoints, scratch: `${PLAIN}/scratch`, shared, options })
      first = await nights.backUp()
      expect(levelsOf(first)).toEqual(all('full'))
    })
    afterAll(async () => {
      await sh(`rm -r ${PLAIN}/scratch`)
      await trees[Symbol.asyncDispose]()
      await rm(shared, { recursive: true })
    })

    test.each([
      { one: DAYS[0]!, other: DAYS[1]! },
      { one: DAYS[2]!, other: DAYS[3]! },
    ])('after $one.name, and $other.name', async ({ one, other }) => {
      for (const root of mountPoints)
        for (const { changes } of [one, other])
          await host.guest.run(['bash', '-euc', changes], { environment: { ROOT: root } })
      const night = await nights.backUp()
      expect(levelsOf(night)).toEqual(all('differential'))
      for (const { base } of volumesOf(night)) expect(base?.run).toBe(first.json.run)
      await nights.comesBack(night)
    })
  })

  /** Instead of the filesystem on the last disk: a small one beside a volume of LVM. */
  const MAKE_LVM = `
    umount /srv/b
    disk=/dev/$(grep -l "$1" /sys/block/*/serial | cut -d/ -f4)
    wipefs --quiet --all "$disk"
    sfdisk --quiet "$disk" <<LAYOUT
label: gpt
size=128MiB, type=linux
type=lvm
LAYOUT
    mkfs.ext4 -q "$disk"1
    vgcreate --quiet data "$disk"2
    lvcreate --quiet --yes --size 500M --name home data
    mkfs.xfs -q /dev/data/home
    mount --mkdir "$disk"1 /srv/beside
    mount --mkdir /dev/data/home /srv/home
    for mount_point in /srv/beside /srv/home; do echo before >$mount_point/moment; done`

  test('a host with LVM on one of its disks has each filesystem by the best there is, and LVM first', async () => {
    const withLvm = host.instance.volumeIds.at(-1)!
    await sh(MAKE_LVM, withLvm.replace('-', ''))
    const result = await backUp('--log-level', 'debug', '--verify', 'source', '--exclude-volumes', PLAIN)
    expect(result).toMatchObject({ status: 0, json: { verified: 'source', failures: [] } })
    expect(kindsOf(result)).toEqual({
      ...{ '/sysroot': 'ebs', '/sysroot/boot': 'ebs', '/sysroot/boot/efi': 'ebs', '/srv/a': 'ebs' },
      ...{ '/srv/beside': 'quiet', '/srv/home': 'lvm' },
    })
    for (const mountPoint of ['/srv/a', '/srv/beside', '/srv/home']) {
      expect(await readFile(result, mountPoint, './moment')).toMatch(/^(?:before|again|thawed)\n$/)
    }
    const taken = host.ec2.requests.findLast(({ action, code }) => action === 'CreateSnapshots' && code === undefined)
    expect(Object.values(taken!.parameters)).toContain(withLvm) // as one to leave out
    // A copy that is attached while LVM has snapshots may keep it from removing them.
    const [removed, attached] = [/removed data\/snapstream_/, /vol-\w+ is attached/].map((line) =>
      result.stderr.search(line),
    )
    expect(removed).toBeGreaterThan(0)
    expect(attached).toBeGreaterThan(removed!)
  })

  describe('killed at any point, it leaves what the next run or cleanup removes', () => {
    /** Kills a run as soon as EC2 has done something for it. */
    async function killAfter(action: string): Promise<void> {
      const seen = host.ec2.requests.length
      const deadline = performance.now() + 90_000
      const running = host.agent.start('backup', ...host.options, ...SMALL, '--volumes', '/sysroot/boot')
      const isDone = () => host.ec2.requests.slice(seen).some((one) => one.action === action && one.code === undefined)
      while (!isDone() && performance.now() < deadline) await sleep(5)
      expect(isDone()).toBe(true)
      running.kill('SIGKILL')
      await running.ended
    }

    test.each([
      ['CreateSnapshots', 'cleanup'],
      ['CreateVolume', 'the next run'],
      ['AttachVolume', 'cleanup'],
      ['ModifyInstanceAttribute', 'the next run'],
      ['DetachVolume', 'cleanup'],
      ['DeleteVolume', 'the next run'],
    ])('after %s, by %s', async (action, by) => {
      await killAfter(action)
      const { status } = by === 'cleanup' ? await cleanUp() : await backUp('--volumes', '/sysroot/boot')
      expect(status).toBe(0)
    })

    test('while it reads, and its mount is gone with it', async () => {
      await sh('dd if=/dev/urandom of=/sysroot/boot/random bs=1M count=4 status=none')
      const slow = ['--bandwidth-limit', '64K', '--compression', 'none', '--log-level', 'info']
      const reading = host.agent.start('backup', ...host.options, '--volumes', '/sysroot/boot', ...slow)
      while (!(await leftOnHost()).includes('/sysroot.boot')) await sleep(100)
      await sleep(1000)
      reading.kill('SIGKILL')
      await reading.ended
      await sleep(1000)
      expect(await sh('grep -hs /run/snapstream /proc/[0-9]*/mounts || true')).toBe('')
      expect(await copies()).toHaveLength(1)
      await sh('rm /sysroot/boot/random')
      const { status, json } = await cleanUp()
      expect([status, json.snapshots[0].name]).toEqual([0, expect.stringMatching(/^vol-\w+ of run /)])
    })

    test('while filesystems are frozen, which systemd then thaws', async () => {
      host.ec2.inject({ action: 'CreateSnapshots', delaySeconds: 0 }) // the dry run
      host.ec2.inject({ action: 'CreateSnapshots', delaySeconds: 60 })
      const running = host.agent.start('backup', ...host.options, ...SMALL, '--freeze', '--volumes', '/srv/a')
      const thaws = () => sh("systemctl list-timers --all --no-legend 'snapstream-thaw-*' | wc -l")
      while ((await thaws()).trim() === '0') await sleep(200)
      await sleep(1500)
      running.kill('SIGKILL')
      await running.ended
      const startedAt = performance.now()
      await sh('echo thawed >/srv/a/moment')
      expect((performance.now() - startedAt) / 1000).toBeLessThan(60)
      expect((await cleanUp()).status).toBe(0)
    })
  })
})

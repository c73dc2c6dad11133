import { execFileSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { manifestKey, type RunKey } from '../../agent/contract'
import { parseManifest } from '../../agent/run/parse-manifest'
import { guestEndpoint, testServers } from '../servers/index'
import { serve } from '../support/http-server'
import { installAgent, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'
import { DISKS_MIB, makeVolumes, MOUNT_POINTS, mountVolumes, PLAIN } from './volumes'

const TIMEOUT_MS = 120_000
jest.setTimeout(TIMEOUT_MS)

let guest: Guest
let agent: Installation

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: DISKS_MIB })
  await makeVolumes(guest)
  // Does not compress, so that a limited backup of it takes a while.
  await guest.run(['dd', 'if=/dev/urandom', 'of=/srv/home/random', 'bs=1M', 'count=24', 'status=none'])
  agent = await installAgent(guest, testServers().seaweedfs)
})
afterAll(() => guest.stop())
afterEach(async () => expect(await agent.leftovers()).toEqual([]))

const place = (json: RunKey): RunKey => ({ class: json.class, host: json.host, run: json.run })
const manifests = async () => (await agent.keys()).filter((key) => key.startsWith('manifests/'))

test('a dry run names every volume and changes nothing', async () => {
  const { status, summary } = await agent.run('backup', '--dry-run')
  expect(status).toBe(0)
  for (const mountPoint of MOUNT_POINTS) expect(summary).toContain(` ${mountPoint} `)
  expect(summary).toMatch(/ \/srv\/plain .*read in place until two readings agree .*quiet: not on LVM/)
  expect(await agent.keys()).toEqual([])
})

test('a host is backed up as it was at one moment, verified, listed, and read back without Snapstream', async () => {
  const result = await agent.run('backup', '--verify', 'stream')
  expect(result).toMatchObject({ status: 0, stderr: '' })
  expect(result.summary.split('\n')[0]).toMatch(/^Backup \S+ of guest: OK, read back and verified$/)

  const manifest = parseManifest((await agent.read(manifestKey(place(result.json)))).toString(), place(result.json))
  expect(manifest.volumes.map(({ mountPoint }) => mountPoint)).toEqual([...MOUNT_POINTS, PLAIN].sort())
  expect(Object.keys(manifest.system.lvm!.groupConfigurations)).toEqual(['vg0', 'vg1'])
  expect(JSON.stringify(manifest.system)).not.toContain('snapstream_')
  for (const { archive } of manifest.volumes) {
    const stored = await agent.read(archive.segments[0]!.key)
    expect(stored.length).toBe(archive.segments[0]!.sizeBytes)
    const tar = execFileSync('zstd', ['-dc'], { input: stored, maxBuffer: 1 << 28 })
    expect(tar.length).toBe(archive.rawBytes)
    expect(execFileSync('tar', ['-xO', '--record-size=1M', './moment'], { input: tar }).toString()).toBe('before\n')
  }

  expect(await agent.run('verify', '--run', result.json.run, '--depth', 'stream')).toMatchObject({ status: 0 })
  expect((await agent.run('list')).summary).toContain(result.json.run)
})

test('an uncompressed backup is a plain tar file', async () => {
  const { status, json } = await agent.run('backup', '--compression', 'none', '--volumes', '/srv', '--verify', 'stream')
  expect(status).toBe(0)
  const tar = await agent.read(json.volumes[0].archive.segments[0].key)
  expect(execFileSync('tar', ['-xO', '--record-size=1M', './moment'], { input: tar }).toString()).toBe('before\n')
})

test('a backup tells a URL of its start and its end, a file of its figures, and its manifest of what is new', async () => {
  const pings: string[] = []
  await using server = await serve((request, response) => {
    const index = pings.push(`${request.url} `) - 1
    request.on('data', (chunk: Buffer) => (pings[index] = `${pings[index]!}${chunk.toString()}`))
    request.on('end', () => response.end())
  })
  const config = {
    pingUrl: `${guestEndpoint({ endpoint: server.url })}/5c3f2a9e-secret`,
    metricsFile: '/run/snapstream.prom',
  }
  await guest.run(['sh', '-c', `umask 077; echo '${JSON.stringify(config)}' >/root/told.json`])
  await guest.run(['touch', '--date=2 days ago', '/srv/old'])
  const { status, stderr, summary, json } = await agent.run(
    'backup',
    '--volumes',
    '/srv',
    '--config',
    '/root/told.json',
  )
  expect([status, stderr]).toEqual([0, ''])
  expect(pings).toEqual([
    '/5c3f2a9e-secret/start ',
    expect.stringMatching(/^\/5c3f2a9e-secret snapstream backup: status 0, ok\nBackup \S+ of guest: OK, /),
  ])
  const manifest = (await agent.read(manifestKey(place(json)))).toString()
  expect(summary + manifest).not.toContain('5c3f2a9e')
  const [{ archive, recentEntries }] = json.volumes
  expect(recentEntries).toBe(archive.entries - 1)
  const metrics = await guest.run(['cat', '/run/snapstream.prom'])
  expect(metrics).toContain(`snapstream_last_success_entries{class="daily"} ${archive.entries}\n`)
  expect(metrics).toContain('snapstream_last_run_status{class="daily"} 0\n')
  await guest.run(['rm', '/srv/old'])
})

test('a volume that is not there is asked about by its nearest name', async () => {
  const { status, stderr } = await agent.run('backup', '--volumes', '/srv/hone')
  expect(status).toBe(1)
  expect(stderr).toContain('/srv/home')
})

describe('while a backup runs', () => {
  const startSlow = async () => {
    const running = agent.start(
      'backup',
      '--volumes',
      '/srv/home',
      '--bandwidth-limit',
      '500K',
      '--compression',
      'none',
    )
    // Part of it is on its way.
    for (let tries = 0; (await agent.unfinishedUploads()).length === 0 && tries < 300; tries++) await wait(100)
    await wait(1000)
    return running
  }

  test('a second one is told who is at work, and changes nothing', async () => {
    const running = await startSlow()
    const second = await agent.run('backup')
    running.kill('SIGTERM')
    expect([0, 130]).toContain((await running.ended).status)
    expect(second.status).toBe(11)
    expect(second.stderr).toMatch(/another run holds the lock: process \d+ since/)
  })

  test('SIGTERM ends it with status 130 and nothing left', async () => {
    const before = await manifests()
    const running = await startSlow()
    running.kill('SIGTERM')
    expect(await running.ended).toMatchObject({ status: 130 })
    expect(await manifests()).toEqual(before)
  })

  test('an error that nobody foresaw ends it with status 1 and nothing left', async () => {
    const failing =
      "if (require('worker_threads').isMainThread) setInterval(() => require('fs').existsSync('/root/fail') && " +
      "Promise.reject(new Error('nobody foresaw this')), 100).unref()"
    await guest.run(['sh', '-euc', 'echo "$1" >/root/failing.cjs', 'sh', failing])
    const slow = ['--volumes', '/srv/home', '--bandwidth-limit', '500K', '--compression', 'none'] as const
    const running = agent.startWith('/root/failing.cjs', 'backup', ...slow)
    for (let tries = 0; (await agent.unfinishedUploads()).length === 0 && tries < 300; tries++) await wait(100)
    await guest.run(['touch', '/root/fail'])
    const { status, stderr } = await running.ended
    await guest.run(['rm', '/root/fail'])
    expect([status, stderr]).toEqual([1, expect.stringContaining('nobody foresaw this')])
  })

  test('SIGKILL leaves what the next backup removes, uploads included', async () => {
    const running = await startSlow()
    running.kill('SIGKILL')
    await running.ended
    expect(await agent.leftovers()).not.toEqual([])
    expect(await agent.run('backup', '--volumes', '/srv')).toMatchObject({ status: 0 })
  })

  test('after a power cut, cleanup removes what is left', async () => {
    await startSlow()
    await guest.powerCut()
    await guest.powerOn()
    await mountVolumes(guest)
    expect(await agent.leftovers()).not.toEqual([])
    expect((await agent.run('cleanup', '--dry-run')).summary).toContain('vg0/snapstream_')
    expect(await agent.run('cleanup')).toMatchObject({ status: 0 })
  })

  test('a snapshot that overflows fails its own volume, and only that one', async () => {
    // More than the snapshot can ever hold, and no extent left to extend it with.
    await guest.run(['lvcreate', '--yes', '--extents', '100%FREE', '--name', 'filler', 'vg1'])
    const free = await guest.run(['vgs', '--noheadings', '-o', 'vg_free_count', 'vg0'])
    expect(Number(free)).toBeGreaterThan(0)
    const running = agent.start(
      ...([
        'backup',
        '--volumes',
        '/srv,/srv/home',
        '--bandwidth-limit',
        '2M',
        '--snapshot-size',
        '8M',
        '--compression',
        'none',
      ] as const),
    )
    for (let tries = 0; (await agent.unfinishedUploads()).length < 2 && tries < 300; tries++) await wait(100)
    await guest.run(['lvcreate', '--yes', '--extents', '100%FREE', '--name', 'filler', 'vg0'])
    await guest.run([
      'sh',
      '-c',
      'dd if=/dev/urandom of=/srv/home/new bs=1M count=24 conv=fsync status=none; rm /srv/home/new',
    ])
    const { status, stdout } = await running.ended
    await guest.run(['lvremove', '--yes', 'vg0/filler', 'vg1/filler'])
    const json = JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
    expect(status).toBe(3)
    expect(json.failures).toMatchObject([{ mountPoint: '/srv/home', code: 'SNAPSHOT_INVALID' }])
    expect(json.volumes).toMatchObject([{ mountPoint: '/srv' }])
    const keys = await agent.keys()
    expect(keys.filter((key) => key.includes(json.run) && key.includes('vg0-home'))).toEqual([])
  })
})

test('applications are released although the agent is killed while it holds them', async () => {
  const write = 'printf "#!/bin/sh\\n%s\\n" "$1" >"$2"; chmod +x "$2"'
  // The hook's parent is what limits its time, and that one's parent is the agent.
  await guest.run(['sh', '-euc', write, 'sh', "kill -KILL $(cut -d' ' -f4 /proc/$PPID/stat)", '/root/hold'])
  await guest.run(['sh', '-euc', write, 'sh', 'touch /root/released', '/root/release'])
  const hooks = ['--pre-hook', '/root/hold', '--post-hook', '/root/release', '--hook-timeout', '2s']
  expect((await agent.run('backup', ...hooks)).status).toBeNull()
  await guest.run(['sh', '-euc', 'timeout 30 sh -c "until [ -e /root/released ]; do sleep 0.1; done"'])
})

test('a full volume group is refused before anything is touched, with the arithmetic', async () => {
  await guest.run(['lvcreate', '--yes', '--extents', '100%FREE', '--name', 'filler', 'vg0'])
  const { status, stderr } = await agent.run('backup', '--volumes', '/srv/home')
  await guest.run(['lvremove', '--yes', 'vg0/filler'])
  expect(status).toBe(1)
  expect(stderr).toMatch(/vg0/)
  expect(stderr).toMatch(/HINT: .*vgextend/)
})

test('a backup whose clean-up fails is safe, and says what it left', async () => {
  const running = agent.start('backup', '--volumes', '/srv/home', '--bandwidth-limit', '4M', '--compression', 'none')
  const holder = guest.start([
    'sh',
    '-c',
    'until mountpoint -q /run/snapstream/*/vg0-home && cd /run/snapstream/*/vg0-home; do sleep 0.05; done; exec sleep 120',
  ])
  const { status, stdout } = await running.ended
  holder.kill('SIGKILL')
  await holder.ended
  expect(status).toBe(4)
  expect(stdout.split('\n')[0]).toContain('left behind')
  expect(await agent.leftovers()).not.toEqual([])
  expect(await agent.run('cleanup')).toMatchObject({ status: 0 })
  expect(await agent.run('verify', '--run', JSON.parse(stdout.trimEnd().split('\n').at(-1)!).run)).toMatchObject({
    status: 0,
  })
})

/** As nobody, in a directory of theirs: a file of 9 PiB, one with 300 attributes of almost 64 KiB, a path that no call takes. */
const MISCHIEF = `
mkdir --mode=0777 /srv/plain/db/nobody
cd /srv/plain/db/nobody
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
as_nobody truncate --size=9P huge
as_nobody touch many
as_nobody perl -e 'print "# file: many\\n"; print "user.a$_=\\"", "x" x 65000, "\\"\\n" for 1 .. 300' | as_nobody setfattr --restore=-
as_nobody perl -e 'for (1 .. 3000) { mkdir "d" or die $!; chdir "d" or die $! }'
sync
`

test('what users do to have the backup of a volume fail is backed up, and does not keep others from their files', async () => {
  await guest.run(['sh', '-euc', MISCHIEF])
  const { status, json, stderr } = await agent.run('backup', '--volumes', '/srv/plain/db', '--verify', 'stream')
  expect([status, json.error, json.volumes?.[0].warnings]).toEqual([0, undefined, undefined])
  expect(json.volumes[0].longPaths).toBeGreaterThan(900)
  expect(stderr).toContain('longer than')
  const restored = ['restore', '--run', json.run, '--path', '/srv/plain/db/moment', '--stdout'] as const
  expect((await agent.start(...restored).ended).stdout).toBe('before\n')
  await guest.run(['rm', '--recursive', '/srv/plain/db/nobody'], { timeoutSeconds: 240 })
}, 400_000)

/** Restoring to disks that do not take it, and over what is in use; from a real S3 server, by the bundle that ships. */
import { parseLastLine } from '../support/last-line'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { plainClient, testServers } from '../servers/index'
import { installAgent, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'

jest.setTimeout(120_000)

let guest: Guest
let agent: Installation
let run: string

/** A cached volume with a program, long links that take a block each which no size tells of, and 29 MB of text that is told by its lines. */
const MAKE = `
vgcreate --quiet vg0 "$1" "$2"
lvcreate --quiet --size 128M --name srv vg0
lvcreate --quiet --quiet --yes --type cache --size 32M --name fast vg0/srv
mkfs.ext4 -q -b 4096 -N 8192 /dev/vg0/srv
mount --mkdir /dev/vg0/srv /srv
lvcreate --quiet --yes --type raid1 --mirrors 1 --size 16M --name mirror vg0
mkfs.ext4 -q /dev/vg0/mirror
mount --mkdir /dev/vg0/mirror /mirror
echo twice >/mirror/file
mkdir /srv/bin /srv/links
cp "$(command -v sleep)" /srv/bin/server
seq 1 4000000 >/srv/numbers
node -e 'for (let n = 1; n <= 1500; n++) fs.symlinkSync("0".repeat(200), "/srv/links/" + n)'
sync
`

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: [256, 256] })
  await guest.run(['sh', '-euc', MAKE, 'sh', ...guest.disks])
  agent = await installAgent(guest, testServers().seaweedfs)
  const { status, summary, json } = await agent.run('backup')
  if (status !== 0) throw new Error(summary)
  run = json.run
})
afterAll(() => guest.stop())

const restore = (...options: readonly string[]) => agent.run('restore', '--class', 'daily', '--run', run, ...options)

/** A filesystem to restore into, mounted at /mnt/NAME, until the test is over. */
async function filesystem(name: string, lvcreate: readonly string[], inodes = 8192): Promise<AsyncDisposable> {
  await guest.run(['lvcreate', '--quiet', '--yes', '--name', name, ...lvcreate, 'vg0'])
  await guest.run(['mkfs.ext4', '-q', '-b', '4096', '-N', String(inodes), `/dev/vg0/${name}`])
  await guest.run(['mount', '--mkdir', `/dev/vg0/${name}`, `/mnt/${name}`])
  return {
    async [Symbol.asyncDispose]() {
      await guest.run(['umount', `/mnt/${name}`])
      await guest.run(['lvremove', '--quiet', '--yes', `vg0/${name}`])
    },
  }
}

const entries = async (directory: string) =>
  (await guest.run(['ls', '-A', directory])).split('\n').filter((name) => name !== '' && name !== 'lost+found')

test('cached and mirrored volumes are backed up as any other', async () => {
  const layouts = await guest.run(['lvs', '--noheadings', '-o', 'lv_layout', 'vg0/srv', 'vg0/mirror'])
  expect(layouts.trim().split(/\s+/).sort()).toEqual(['cache', 'raid,raid1'])
  const { status, json } = await restore('--target', '/tmp/elsewhere', '--path', '/srv/bin', '--path', '/mirror/file')
  expect([status, json.volumes.length]).toEqual([0, 2])
  expect(await guest.run(['cat', '/tmp/elsewhere/mirror/file'])).toBe('twice\n')
  await guest.run(['/tmp/elsewhere/srv/bin/server', '0'])
})

describe('a target that is full', () => {
  test('is refused with the arithmetic, and stays empty', async () => {
    await using _ = await filesystem('small', ['--size', '24M'])
    const { status, json } = await restore('--target', '/mnt/small', '--volume', '/srv')
    expect([status, json.error.code]).toEqual([1, 'TARGET_UNFIT'])
    expect(json.error.message).toMatch(
      /^the filesystem of \/mnt\/small\/srv has [\d.]+ MiB free, the restore needs 29\.\d MiB$/,
    )
    expect(await entries('/mnt/small')).toEqual([])
  })

  test('of files is refused, too', async () => {
    await using _ = await filesystem('few', ['--size', '32M'], 256)
    const { status, json } = await restore('--target', '/mnt/few', '--path', '/srv/links')
    expect([status, json.error.code]).toEqual([1, 'TARGET_UNFIT'])
    expect(json.error.message).toMatch(/^the filesystem of \/mnt\/few\/srv has \d+ inodes free, 150\d are needed$/)
    expect(await entries('/mnt/few')).toEqual([])
  })

  test('in spite of the arithmetic is no success: what failed is counted and named', async () => {
    await using _ = await filesystem('tight', ['--size', '8M'])
    const { status, summary, json } = await restore('--target', '/mnt/tight', '--path', '/srv/links')
    expect(status).toBe(3)
    expect(summary).toMatch(
      /^Restore of .*: INCOMPLETE, \d+ entries are missing or wrong\n {2}FAILED \/srv\/links\/\d+\n/,
    )
    expect(summary).toContain('No space left on device')
    const [{ failedEntries }] = json.volumes
    const restored = await entries('/mnt/tight/srv/links')
    expect(restored.length).toBeGreaterThan(0)
    expect(failedEntries).toBe(1500 - restored.length)
  })

  test('only once its thin pool takes no more is no success either, though tar saw nothing of it', async () => {
    await guest.run(['lvcreate', '--quiet', '--yes', '--type', 'thin-pool', '--size', '16M', '--name', 'pool', 'vg0'])
    await guest.run(['lvchange', '--quiet', '--errorwhenfull', 'y', 'vg0/pool'])
    {
      await using _ = await filesystem('thin', ['--type', 'thin', '--thinpool', 'pool', '--virtualsize', '96M'])
      const { status, json } = await restore('--target', '/mnt/thin', '--path', '/srv/numbers')
      expect(status).toBe(1)
      expect(json.error).toMatchObject({
        code: 'TARGET_UNFIT',
        message: expect.stringMatching(
          /^what was restored to \/mnt\/thin\/srv is not all on disk: .*(No space|Input\/output)/,
        ),
        hint: expect.stringMatching(/thin pool/),
      })
    }
    await guest.run(['lvremove', '--quiet', '--yes', 'vg0/pool'])
  })
})

test('a target that is mounted read-only is refused', async () => {
  await using _ = await filesystem('fixed', ['--size', '64M'])
  await guest.run(['mount', '-o', 'remount,ro', '/mnt/fixed'])
  const { status, stderr } = await restore('--target', '/mnt/fixed', '--volume', '/srv')
  expect(status).toBe(1)
  expect(stderr).toMatch(
    /^snapstream: \/mnt\/fixed\/srv cannot be written to: .*EROFS.*\nHINT: Choose another --target/,
  )
})

test('in place, what is in use is replaced under it', async () => {
  const paths = ['--path', '/srv/numbers', '--path', '/srv/bin']
  const server = guest.start(['/srv/bin/server', '600'])
  await guest.run(['sh', '-euc', 'printf broken >/srv/numbers; touch /srv/bin/server'])
  const { status, summary } = await restore('--in-place', '--on-conflict', 'overwrite', ...paths)
  const running = await guest.exec(['pgrep', '-f', '^/srv/bin/server'])
  server.kill('SIGKILL')
  expect([status, summary]).toEqual([0, expect.stringMatching(/: OK\n/)])
  expect(running.status).toBe(0)
  expect(await guest.run(['tail', '-n', '1', '/srv/numbers'])).toBe('4000000\n')
  await guest.run(['/srv/bin/server', '0'])
})

describe('to standard output', () => {
  const numbers = Array.from({ length: 4_000_000 }, (_, index) => `${index + 1}\n`).join('')
  const print = (...more: string[]) =>
    agent.start('restore', '--class', 'daily', '--run', run, '--stdout', '--path', '/srv/numbers', ...more).ended

  test('goes the file, and nothing else', async () => {
    const { status, stdout, stderr } = await print()
    expect([status, stdout === numbers]).toEqual([0, true])
    expect(parseLastLine('restore', stderr)).toMatchObject({ run })
  })

  test('goes its beginning, and nothing else, where its middle is damaged', async () => {
    const server = testServers().seaweedfs
    const client = plainClient(server)
    const key = (await agent.keys()).find((name) => name.startsWith('data/') && name.includes('vg0-srv'))!
    const object = { Bucket: agent.bucket, Key: key }
    const body = Buffer.from(await (await client.send(new GetObjectCommand(object))).Body!.transformToByteArray())
    const middle = body.length >> 1
    const damaged = Buffer.from(body)
    damaged[middle]! ^= 0xff
    await client.send(new PutObjectCommand({ ...object, Body: damaged }))
    // It is younger than its manifest now, which would be refused by itself.
    const { status, stdout, stderr } = await print('--trust-times')
    await client.send(new PutObjectCommand({ ...object, Body: body }))
    expect(status).toBe(1)
    expect(stdout.length).toBeGreaterThan(0)
    expect(stdout.length).toBeLessThan(numbers.length)
    expect(numbers.startsWith(stdout)).toBe(true)
    expect(stderr).toMatch(/^snapstream: frame \d+ in .* is damaged: .*; lost with it: 'numbers'\nHINT: /)
    expect(parseLastLine('restore', stderr)).toMatchObject({ error: { code: 'ARCHIVE_DAMAGED' } })
  })
})

/** A host installed by hand, from the archive of a release, by the commands of docs/install.md as they stand there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { findAgentFiles } from '../../infra/agent-files'
import { formatSums, makeArchive, type Architecture } from '../../scripts/release/archive'
import { packagingFiles } from '../../scripts/release/packaging'
import { createBucket, guestEndpoint, plainClient, testServers } from '../servers/index'
import { bootGuest, type Guest } from './guest'
import type { GuestResult } from './guest-link'

jest.setTimeout(300_000)

const ROOT = resolve(__dirname, '../..')
const ARCHITECTURE = process.arch as Architecture
const MAKE_VOLUME = `
vgcreate vg0 /dev/ubdb
lvcreate --size 64M --name srv vg0
mkfs.ext4 -q /dev/vg0/srv
mount --mkdir /dev/vg0/srv /srv
echo precious >/srv/file
[ -s /etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >/etc/machine-id
systemctl start systemd-journald.service
`

const server = testServers().seaweedfs
let releases: string
let bucket: string
let guest: Guest

beforeAll(async () => {
  releases = mkdtempSync(join(tmpdir(), 'snapstream-releases-'))
  await release('9.8.7')
  await release('9.8.8')
  writeFileSync(join(releases, 'SHA256SUMS'), formatSums(releases, [archive('9.8.7'), archive('9.8.8')]))
  bucket = await createBucket(server, { versioned: true })
  guest = await bootGuest({ disksMiB: [256], systemd: true })
  await guest.run(['sh', '-euc', MAKE_VOLUME])
})
afterAll(async () => {
  await guest.stop()
  rmSync(releases, { recursive: true })
})

const archive = (version: string) => `snapstream-${version}-linux-${ARCHITECTURE}.tar.gz`

async function release(version: string): Promise<void> {
  const { bundle, runtimes } = findAgentFiles(ROOT, 'bundled')
  const runtime = runtimes![`node-linux-${ARCHITECTURE}`]
  const inputs = { version, architecture: ARCHITECTURE, time: new Date(0), bundle, runtime, level: 0 }
  await makeArchive({ ...inputs, ...packagingFiles(ROOT) }, releases)
}

/** The commands below a heading, block by block. */
function documented(heading: string): string[] {
  const text = readFileSync(join(ROOT, 'docs/install.md'), 'utf8')
  const [, section] = text.split(new RegExp(`^## ${heading}$`, 'm'))
  const blocks = [...(section ?? '').split(/^## /m)[0]!.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!)
  if (blocks.length === 0) throw new Error(`docs/install.md has no commands below "${heading}"`)
  return blocks
}

/** Runs commands as the operator would, in the directory that the releases were downloaded to. */
function type(commands: string, version = '9.8.7'): Promise<GuestResult> {
  const environment = {
    ...{ VERSION: version, ARCHITECTURE, BUCKET: bucket, REGION: server.region, HOST: 'guest' },
    ...{ ENDPOINT: guestEndpoint(server), KEY_ID: server.accessKeyId, SECRET: server.secretAccessKey },
  }
  return guest.exec(['sh', '-euc', `cd ${releases}\n${commands}`], { environment, timeoutSeconds: 120 })
}

async function typed(commands: string, version?: string): Promise<string> {
  const { status, stdout, stderr } = await type(commands, version)
  if (status !== 0) throw new Error(`status ${status ?? '?'}: ${stderr}${stdout}`)
  return stdout
}

async function manifests(): Promise<string[]> {
  const { Contents = [] } = await plainClient(server).send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: 'manifests/' }),
  )
  return Contents.map(({ Key }) => Key!)
}

const isEnabled = async () => (await type('systemctl is-enabled snapstream-backup.timer')).stdout.trim()

test('the download is checked, and installed without being enabled', async () => {
  expect(await typed(documented('Verify the download')[0]!)).toContain(`${archive('9.8.7')}: OK`)
  const said = await typed(documented('Install')[0]!)
  expect(said).toMatch(/^snapstream 9\.8\.7-[0-9a-f]{12} is installed\nnext: name a bucket in /)
  expect(await typed('readlink -f /usr/local/bin/snapstream')).toMatch(/^\/opt\/snapstream\/9\.8\.7-[0-9a-f]{12}\/snap/)
  expect(await isEnabled()).toBe('disabled')
})

test('systemd has nothing to say against the units', async () => {
  const { status, stderr } = await type(
    'systemd-analyze verify --man=no snapstream-backup.service snapstream-backup.timer snapstream-boot-cleanup.service 2>&1 | ' +
      'grep snapstream >&2 || :',
  )
  expect([status, stderr]).toEqual([0, ''])
})

test('without a configuration the service fails, and says what is missing', async () => {
  expect((await type('systemctl start snapstream-backup.service')).status).not.toBe(0)
  expect(await typed('journalctl --unit snapstream-backup.service --no-pager')).toContain('--bucket')
})

test('the first backup is in the bucket, and its summary in the journal', async () => {
  const [, environment, otherServer] = documented('Configure')
  await typed(`${environment!}\n${otherServer!}`)
  expect(await typed('stat --format=%a /etc/snapstream/*')).toBe('600\n600\n')
  const said = await typed(documented('Back up for the first time')[0]!)
  const [manifest, ...others] = await manifests()
  expect([manifest, others]).toEqual([expect.stringMatching(/^manifests\/daily\/guest\/.+\.json$/), []])
  const run = /([^/]+)\.json$/.exec(manifest!)![1]!
  expect(said.split('\n').filter((line) => line.includes(run)).length).toBeGreaterThan(1)
})

describe('when the host boots', () => {
  /** Asks systemd for what a boot asks it for. @returns what the agent said, if it was started */
  async function boot(): Promise<string> {
    await typed('systemctl start snapstream-boot-cleanup.service')
    return typed('journalctl _SYSTEMD_UNIT=snapstream-boot-cleanup.service --output cat --no-pager')
  }

  test('multi-user.target wants the clean-up', async () => {
    expect(await typed('systemctl show --property=Wants multi-user.target')).toContain(
      'snapstream-boot-cleanup.service',
    )
  })

  test('nothing is started where no backup left anything', async () => {
    expect(await boot()).not.toContain('{')
    await typed('mkdir -p /var/lib/snapstream/ebs-runs')
    expect(await boot()).not.toContain('{')
  })

  test('what a killed backup left is cleaned up by the configuration of the host', async () => {
    const run = '20260131T020000Z-k3xw7a'
    await typed(
      `mkdir -p /run/snapstream/${run}/srv /var/lib/snapstream/ebs-runs && touch /var/lib/snapstream/ebs-runs/${run}`,
    )
    await typed(`mount -t tmpfs left-behind /run/snapstream/${run}/srv`)
    expect(await boot()).toContain(`/run/snapstream/${run}/srv`)
    expect((await type(`mountpoint /run/snapstream/${run}/srv`)).status).not.toBe(0)
    await typed('rm -rf /var/lib/snapstream/ebs-runs')
  })
})

test('the timer waits for the night', async () => {
  expect(await typed(documented('Back up every night')[0]!)).toMatch(
    / snapstream-backup.timer +snapstream-backup.service/,
  )
  expect(await isEnabled()).toBe('enabled')
})

test('an upgrade keeps configuration, timer and the version before, and finds the backups', async () => {
  const before = await typed('cat /etc/snapstream/*')
  expect(await typed(documented('Install')[0]!, '9.8.8')).toMatch(/^snapstream 9\.8\.8-[0-9a-f]{12} is installed\n$/)
  expect(await typed('cat /etc/snapstream/*')).toBe(before)
  expect(await isEnabled()).toBe('enabled')
  expect(await typed(documented('Upgrade, and go back')[0]!)).toMatch(/9\.8\.7-.+\n.*9\.8\.8-.+\n$/)
  const [manifest] = await manifests()
  expect(await typed('set -a; . /etc/snapstream/environment; set +a; snapstream list')).toContain(
    /([^/]+)\.json$/.exec(manifest!)![1]!,
  )
})

test('what was removed is gone, and the backups are not', async () => {
  await typed(`set -a; . /etc/snapstream/environment; set +a\n${documented('Remove')[0]!}`)
  expect((await type('command -v snapstream; ls -d /opt/snapstream')).stdout).toBe('')
  expect((await type('systemctl cat snapstream-backup.timer')).status).not.toBe(0)
  expect((await type('systemctl cat snapstream-boot-cleanup.service')).status).not.toBe(0)
  expect(await typed('find /usr/local/lib/systemd -name "snapstream*"')).toBe('')
  expect((await type('systemctl list-timers --all --no-pager')).stdout).not.toContain('snapstream')
  expect(await typed('ls /etc/snapstream')).toBe('config.json\nenvironment\n')
  expect(await manifests()).toHaveLength(1)
})

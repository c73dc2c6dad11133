/** A host with partitions is lost, and built again from its backup on other disks: no id, and no entry, is another. */
import { resolve } from 'node:path'
import { manifestKey } from '../../agent/contract'
import { parseManifest } from '../../agent/run/parse-manifest'
import { guestEndpoint, testServers } from '../servers/index'
import { compareTrees } from '../support/tree/compare'
import type { Entry } from '../support/tree/entry'
import { bundleTrees, type GuestTrees } from '../support/tree/guest-trees'
import { installAgent } from './agent'
import { bootGuest, type Guest } from './guest'
import { describeHost, DISKS_MIB, makeHost, MOUNT_POINTS, mountAll, ROOTS, TREES } from './lost-disks'

const TIMEOUT_MS = 300_000
jest.setTimeout(TIMEOUT_MS)

const server = testServers().seaweedfs
const SCRIPT = '/root/rebuild.sh'
const OLD = ['/dev/ubdb', '/dev/ubdc', '/dev/ubdd']
const NEW = ['/dev/ubdc', '/dev/ubdd', '/dev/ubde']

let lost: { bucket: string; run: string; fstab: string; description: string[]; trees: Entry[][] }
let trees: GuestTrees
/** The machine that the host is rebuilt on. Its first disk is its own, and holds something. */
let rescue: Guest

const walkAll = async (guest: Guest) => {
  const entries: Entry[][] = []
  for (const root of ROOTS) entries.push(await trees.walk(guest, root))
  return entries
}

beforeAll(async () => {
  trees = await bundleTrees()
  {
    await using host = await bootGuest({ disksMiB: DISKS_MIB })
    await makeHost(host)
    for (const directory of TREES) await trees.build(host, 'hostile', directory)
    const agent = await installAgent(host, server)
    const { status, summary, json } = await agent.run('backup', '--volumes', MOUNT_POINTS.join())
    if (status !== 0) throw new Error(summary)
    const { system } = parseManifest((await agent.read(manifestKey(json))).toString(), json)
    lost = {
      ...{ bucket: agent.bucket, run: json.run, fstab: system.fstab },
      ...{ description: await describeHost(host, OLD), trees: await walkAll(host) },
    }
    // Here the host is gone, and its disks with it.
  }
  rescue = await bootGuest({ disksMiB: [64, 608, 224, 320] })
  const launcher = `#!/bin/sh\nexec node ${resolve(__dirname, '../../dist/agent.cjs')} "$@"\n`
  const install = `
    cat >/usr/local/bin/snapstream
    chmod +x /usr/local/bin/snapstream
    modprobe -a vfat nls_cp437 nls_iso8859-1 nls_utf8
    mkfs.ext4 -q /dev/ubdb
    mount --mkdir /dev/ubdb /rescue
    echo mine >/rescue/keep`
  await rescue.run(['sh', '-euc', install], { input: launcher })
})
afterAll(async () => {
  await (rescue as Guest | undefined)?.stop()
  await trees[Symbol.asyncDispose]()
})

const shell = (command: string) =>
  rescue.exec(['sh', '-c', command], {
    environment: {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      SNAPSTREAM_ENDPOINT_URL: guestEndpoint(server),
      SNAPSTREAM_REGION: server.region,
    },
    timeoutSeconds: TIMEOUT_MS / 1000,
  })

async function rebuildOn(disks: readonly string[]) {
  const place = `--bucket ${lost.bucket} --host guest --class daily --run ${lost.run}`
  const pairs = OLD.map((disk, index) => `--disk ${disk}=${disks[index] ?? ''}`).join(' ')
  const plan = await shell(`rm -f ${SCRIPT}; snapstream restore-plan ${place} ${pairs} --script ${SCRIPT}`)
  const run = await shell(`sh ${SCRIPT}`)
  return { plan, ...run, ran: run.stderr.split('\n').filter((line) => line.startsWith('+ ')) }
}

const isUntouched = async () => (await rescue.run(['wipefs', '--noheadings', ...NEW])) === ''

test.each<[string, () => Promise<unknown>, readonly string[], string]>([
  ['is mounted', async () => undefined, ['/dev/ubdb', NEW[1]!, NEW[2]!], '/dev/ubdb holds something'],
  [
    'has partitions',
    () => rescue.run(['sh', '-c', 'echo ,,L | sfdisk --quiet --label dos /dev/ubdd']),
    NEW,
    '/dev/ubdd holds something',
  ],
  ['is missing', async () => undefined, [NEW[0]!, NEW[1]!, '/dev/nvme9n1'], '/dev/nvme9n1: not a block device'],
])('the script changes nothing where one of the disks %s', async (_, prepare, disks, message) => {
  await prepare()
  const { status, stderr, ran } = await rebuildOn(disks)
  expect(status).not.toBe(0)
  expect(stderr).toContain(message)
  expect(ran.filter((line) => !/^\+ (?:lsblk|sh) /.test(line))).toEqual([])
  await rescue.run(['wipefs', '--all', '--quiet', '/dev/ubdd'])
  expect(await isUntouched()).toBe(true)
  expect(await rescue.run(['cat', '/rescue/keep'])).toBe('mine\n')
})

test('the plan says which disks are too small', async () => {
  const { plan } = await rebuildOn(['/dev/ubdb', '/dev/ubdd', '/dev/ubde'])
  expect(plan.stdout).toMatch(/NOTE: TOO SMALL: \/dev\/ubdb of this machine has 64 MiB for what needs 5\d\d MiB\./)
})

test('the script makes partitions, LVM in one of them, and filesystems, and restores all of them', async () => {
  const { status, stdout, stderr } = await rebuildOn(NEW)
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^Restore of .* of guest: OK$/m)
})

test('run again, it changes nothing', async () => {
  const { status, ran } = await rebuildOn(NEW)
  expect(status).not.toBe(0)
  expect(ran.filter((line) => !/^\+ (?:lsblk|sh) /.test(line))).toEqual([])
})

test('after a reboot, all that the fstab names is found, with every id and entry that it had', async () => {
  await rescue.run(['sync'])
  await rescue.powerCut()
  await rescue.powerOn()
  await mountAll(rescue, lost.fstab)
  expect(await describeHost(rescue, NEW)).toEqual(lost.description)
  expect(lost.trees.flat().length).toBeGreaterThan(200)
  const found = await walkAll(rescue)
  for (const [index, expected] of lost.trees.entries()) {
    expect(compareTrees(expected, found[index]!)).toEqual([])
  }
})

/** The drill of docs/runbook.md on real LVM: a host is lost, and built again from its backup on other disks. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { manifestKey } from '../../agent/contract'
import { parseManifest } from '../../agent/run/parse-manifest'
import { guestEndpoint, testServers } from '../servers/index'
import { compareTrees } from '../support/tree/compare'
import type { Entry } from '../support/tree/entry'
import { bundleTrees, type GuestTrees } from '../support/tree/guest-trees'
import { installAgent } from './agent'
import { bootGuest, type Guest } from './guest'
import { describeHost, DISKS_MIB, makeHost, mountAll, ROOTS, TREES } from './lost-host'

const TIMEOUT_MS = 240_000
jest.setTimeout(TIMEOUT_MS)

const server = testServers().seaweedfs
const SCRIPT = '/root/rebuild.sh'

/** What the backup has to bring back, and where it is. */
let lost: { bucket: string; run: string; fstab: string; layout: string[]; trees: Entry[][] }
let trees: GuestTrees
/** The machine that the host is rebuilt on. Its first disk is its own. */
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
    const { status, summary, json } = await agent.run('backup')
    if (status !== 0) throw new Error(summary)
    const { system } = parseManifest((await agent.read(manifestKey(json))).toString(), json)
    lost = {
      ...{ bucket: agent.bucket, run: json.run, fstab: system.fstab },
      ...{ layout: await describeHost(host), trees: await walkAll(host) },
    }
    // Here the host is gone, and its disks with it.
  }
  rescue = await bootGuest({ disksMiB: [64, 352, 352, 544, 64] })
  await setUp(rescue)
})
afterAll(async () => {
  await rescue.stop()
  await trees[Symbol.asyncDispose]()
})

/** A rescue system: the agent is installed, credentials are in the environment, and a disk of its own is mounted. */
async function setUp(guest: Guest): Promise<void> {
  const [own = ''] = guest.disks
  const launcher = `#!/bin/sh\nexec node ${resolve(__dirname, '../../dist/agent.cjs')} "$@"\n`
  const install = `
    cat >/usr/local/bin/snapstream
    chmod +x /usr/local/bin/snapstream
    blkid ${own} >/dev/null || mkfs.ext4 -q ${own}
    mount --mkdir ${own} /rescue
    [ -e /rescue/keep ] || echo mine >/rescue/keep`
  await guest.run(['sh', '-euc', install], { input: launcher })
}

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

/** The commands of the drill as the runbook has them, with the names of this host and these disks. */
function drill(): string[] {
  const [, section = ''] =
    /^## A host is lost: the drill$(.*?)^## /ms.exec(readFileSync('docs/runbook.md', 'utf8')) ?? []
  const names: Readonly<Record<string, string>> = {
    ...{ BUCKET: lost.bucket, HOST: 'guest', RUN: lost.run },
    ...{ '/dev/sdb': '/dev/ubdb', '/dev/sdc': '/dev/ubdc', '/dev/sdd': '/dev/ubdd' },
    ...{ '/dev/nvme1n1': '/dev/ubdc', '/dev/nvme2n1': '/dev/ubdd', '/dev/nvme3n1': '/dev/ubde' },
  }
  return [...section.matchAll(/^ *```sh\n(.*?)^ *```$/gms)]
    .flatMap(([, block = '']) => block.trim().split(/\n */))
    .map((line) => line.replace(/BUCKET|HOST|RUN|\/dev\/\w+/g, (name) => names[name] ?? name))
}

/** A plan for other disks than those of the drill; the script is run, and gone. */
async function rebuildOn(...disks: readonly string[]) {
  const pairs = disks.map((disk, index) => `--disk ${['/dev/ubdb', '/dev/ubdc', '/dev/ubdd'][index]}=${disk}`)
  const place = `--bucket ${lost.bucket} --host guest --class daily --run ${lost.run}`
  const plan = await shell(`snapstream restore-plan ${place} ${pairs.join(' ')} --script ${SCRIPT}`)
  const run = await shell(`sh ${SCRIPT}; status=$?; rm ${SCRIPT}; exit $status`)
  return { plan, ...run, ran: run.stderr.split('\n').filter((line) => line.startsWith('+ ')) }
}

/** Gives the disks back as they came. */
const clear = () =>
  rescue.run([
    'sh',
    '-c',
    'vgremove --force --yes vg0 tank-1; for disk in /dev/ubd[cdef]; do pvremove -y $disk; done; true',
  ])

describe('a script that is run on the wrong disks', () => {
  afterEach(async () => {
    expect(await rescue.run(['cat', '/rescue/keep'])).toBe('mine\n')
    await clear()
  })

  test('stops before anything if one is missing', async () => {
    const { status, ran, stderr } = await rebuildOn('/dev/ubdc', '/dev/ubdd', '/dev/nvme1n1')
    expect(status).not.toBe(0)
    expect(ran).toEqual([expect.stringMatching(/^\+ lsblk /)])
    expect(stderr).toContain('/dev/nvme1n1: not a block device')
  })

  test('stops at one that is mounted', async () => {
    const { status, ran, stderr } = await rebuildOn('/dev/ubdb', '/dev/ubdd', '/dev/ubde')
    expect([status, ran.at(-1)]).toEqual([5, '+ pvcreate /dev/ubdb'])
    expect(stderr).toContain("Can't open /dev/ubdb exclusively.  Mounted filesystem?")
  })

  test('stops at one that holds something, and leaves it there', async () => {
    await rescue.run([
      'sh',
      '-euc',
      'mkfs.ext4 -q /dev/ubdd; mount --mkdir /dev/ubdd /x; echo precious >/x/file; umount /x',
    ])
    const { status, ran, stderr } = await rebuildOn('/dev/ubdc', '/dev/ubdd', '/dev/ubde')
    expect([status, ran.at(-1)]).toEqual([5, '+ pvcreate /dev/ubdd'])
    expect(stderr).toContain('existing signature left on the device')
    expect(ran.some((line) => line.startsWith('+ vgcreate'))).toBe(false)
    expect(await rescue.run(['sh', '-euc', 'mount /dev/ubdd /x; cat /x/file; umount /x'])).toBe('precious\n')
    // As the script says, where it may go.
    await rescue.run(['wipefs', '--all', '--quiet', '/dev/ubdd'])
  })

  test('stops at one that is too small, which the plan has said before', async () => {
    const { plan, status, ran, stderr } = await rebuildOn('/dev/ubdc', '/dev/ubdf', '/dev/ubde')
    expect(plan.stdout).toMatch(
      /NOTE: TOO SMALL: \/dev\/ubdc and \/dev\/ubdf .* have 400 MiB for vg0, which needs 528 MiB/,
    )
    expect([status, ran.at(-1)]).toEqual([5, expect.stringMatching(/^\+ lvcreate .* vg0$/)])
    expect(stderr).toMatch(/insufficient free space/)
    expect(ran.some((line) => line.startsWith('+ mkfs'))).toBe(false)
  })

  test('stops at a volume group that is there already', async () => {
    await rescue.run(['vgcreate', '--quiet', 'vg0', '/dev/ubdf'])
    await rescue.run(['lvcreate', '--quiet', '--name', 'theirs', '--size', '8M', 'vg0'])
    const { status, ran, stderr } = await rebuildOn('/dev/ubdc', '/dev/ubdd', '/dev/ubde')
    expect(status).not.toBe(0)
    expect(ran.at(-1)).toMatch(/^\+ vgcreate .* vg0 /)
    expect(stderr).toMatch(/vg0.* already exists/)
    expect(await rescue.run(['lvs', '--noheadings', '-o', 'lv_full_name'])).toMatch(/^\s+vg0\/theirs\n$/)
  })
})

describe('the drill', () => {
  test('plans, and changes nothing', async () => {
    const [plan = ''] = drill()
    const before = await describeHost(rescue)
    const { status, stdout } = await shell(plan)
    expect(status).toBe(0)
    expect(stdout).toMatch(/^Rebuild of guest as in run .*: \d+ commands, none of which has been run\n/)
    expect(stdout).not.toContain('TOO SMALL')
    expect(await describeHost(rescue)).toEqual(before)
    expect(await rescue.run(['stat', '--format=%a', SCRIPT])).toBe('700\n')
    expect(await rescue.run(['head', '--lines=3', SCRIPT])).toMatch(/^#!\/bin\/sh\n# Rebuilds .*\n# It DESTROYS /)
  })

  test('rebuilds and restores everything, by the script as it was written', async () => {
    const [, ...commands] = drill()
    expect(commands.at(-1)).toBe(`sh ${SCRIPT}`)
    for (const command of commands) {
      const { status, stdout, stderr } = await shell(command)
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
      if (command === `sh ${SCRIPT}`) expect(stdout).toMatch(/^Restore of .* of guest: OK$/m)
    }
  })

  test('cannot be run twice: the second time, nothing is touched', async () => {
    const { status, stderr } = await shell(`sh ${SCRIPT}`)
    expect(status).toBe(5)
    expect(stderr).toMatch(/Can't initialize physical volume "\/dev\/ubd." of volume group ".*" without -ff/)
    expect(stderr.match(/^\+ .*$/gm)).toHaveLength(2)
  })

  test('after a reboot, everything is mounted by its UUID, as it was', async () => {
    await rescue.run(['sync'])
    await rescue.powerCut()
    await rescue.powerOn()
    await mountAll(rescue, lost.fstab)
    expect(await describeHost(rescue)).toEqual(lost.layout)
    const found = await walkAll(rescue)
    for (const [index, expected] of lost.trees.entries()) {
      expect(expected.length).toBeGreaterThan(100)
      expect(compareTrees(expected, found[index]!)).toEqual([])
    }
  })

  test("and the rescue system's own disk is as it was", async () => {
    await setUp(rescue)
    expect(await rescue.run(['cat', '/rescue/keep'])).toBe('mine\n')
  })
})

/** Comparing what S3 gives back with the snapshot, all of it or part by part, while something on the host breaks archives. */
import { parseManifest } from '../../agent/run/parse-manifest'
import { manifestKey, SAMPLES_FILE } from '../../agent/contract'
import { testServers } from '../servers/index'
import { bundleTrees, type GuestTrees } from '../support/tree/guest-trees'
import { installAgent, type AgentResult, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'

jest.setTimeout(240_000)

let guest: Guest
let trees: GuestTrees
let agent: Installation

/** Many directories with a file each, all of them one more name of a file in the first. */
const MAKE = `
vgcreate --quiet vg0 "$1"
lvcreate --quiet --size 96M --name srv vg0
mkfs.ext4 -q -b 4096 /dev/vg0/srv
mount --mkdir /dev/vg0/srv /srv
`
const FILL = `
cd /srv
mkdir -p app/first
echo one file >app/first/name
for directory in 2 3 4 5 6 7 8; do
  mkdir app/$directory
  echo "what is right in $directory" >app/$directory/text
  ln app/first/name app/$directory/link
done
sync
`

beforeAll(async () => {
  trees = await bundleTrees()
  guest = await bootGuest({ disksMiB: [256] })
  await guest.run(['sh', '-euc', MAKE, 'sh', ...guest.disks])
  await trees.build(guest, 'hostile', '/srv')
  await guest.run(['sh', '-euc', FILL])
  agent = await installAgent(guest, testServers().seaweedfs)
})
afterAll(async () => {
  await guest.stop()
  await trees[Symbol.asyncDispose]()
})
afterEach(async () => expect(await agent.leftovers()).toEqual([]))

const backup = (...options: readonly string[]) => agent.run('backup', '--verify', 'source', ...options)

async function manifestOf({ json }: AgentResult) {
  const place = { class: json.class, host: json.host, run: json.run }
  return parseManifest((await agent.read(manifestKey(place))).toString(), place)
}

const partOf = async (result: AgentResult) => (await manifestOf(result)).volumes[0]!.sampled!.part

test('all of a hostile tree is what the snapshot has', async () => {
  const result = await backup()
  expect(result).toMatchObject({ status: 0 })
  expect(result.summary.split('\n')[0]).toMatch(/: OK, verified against the source$/)
  const { verified, volumes } = await manifestOf(result)
  expect([verified, volumes[0]!.sampled]).toEqual(['source', undefined])
})

test('half of it in one run, the other half in the next, and no run says more than that', async () => {
  const [first, second] = [await backup('--sample', '1/2'), await backup('--sample', '1/2')]
  expect([first, second].map(({ status }) => status)).toEqual([0, 0])
  expect(first.stderr).toContain(`${SAMPLES_FILE} is not there (yet): comparing the first part of each volume`)
  expect(second.stderr).not.toContain(SAMPLES_FILE)
  expect(first.summary.split('\n')[0]).toMatch(/: OK, checksums confirmed by S3, source 1\/2 compared$/)

  const manifests = [await manifestOf(first), await manifestOf(second)]
  const samples = manifests.map(({ volumes }) => volumes[0]!.sampled!)
  expect(samples.map(({ part, parts }) => `${part}/${parts}`)).toEqual(['1/2', '2/2'])
  expect(manifests.map(({ verified }) => verified)).toEqual(['checksum', 'checksum'])
  // Some entries are in both, as other names of theirs are.
  expect(samples[0]!.entries + samples[1]!.entries).toBeGreaterThanOrEqual(manifests[0]!.volumes[0]!.archive.entries)
  expect(samples[0]!.entries).toBeLessThan(manifests[0]!.volumes[0]!.archive.entries)
  expect((await agent.run('list')).summary).toMatch(/ checksum, source 2\/2 +\/srv/)
})

describe('with a host that changes what passes through its memory', () => {
  /** Once where it is told to, and only in this one file. */
  const TAR = `#!/bin/sh
if rm /tmp/break 2>/dev/null; then
  /usr/bin/tar "$@" | LC_ALL=C sed 's/what is right in 5/what is wrong in 5/'
else
  exec /usr/bin/tar "$@"
fi
`
  beforeAll(() => guest.run(['sh', '-euc', 'printf %s "$1" >"$2"; chmod +x "$2"', 'sh', TAR, '/usr/local/sbin/tar']))
  afterAll(() => guest.run(['rm', '/usr/local/sbin/tar']))

  /** Breaks what is archived as soon as its snapshot is mounted: before that, tar only tells of itself. */
  const HOOK = '/root/break'
  beforeAll(() => guest.run(['sh', '-euc', `printf '#!/bin/sh\ntouch /tmp/break\n' >${HOOK}; chmod +x ${HOOK}`]))
  const broken = (...options: readonly string[]) => agent.run('backup', '--post-hook', HOOK, ...options)

  test('S3 confirms what it was given, and the comparison finds what it was not', async () => {
    expect(await broken('--verify', 'stream')).toMatchObject({ status: 0 })
    const { status, json } = await broken('--verify', 'source')
    expect([status, json.error.code]).toEqual([1, 'VERIFY_FAILED'])
    expect(json.error.message).toMatch(/'app\/5\/text' is not what the snapshot has: its content or attributes differ/)
  })

  test('so does a sample when it comes to that, and it comes to it again until it is mended', async () => {
    const sampled = ['--verify', 'source', '--sample', '1/2']
    const first = await broken(...sampled)
    const found = first.status === 0 ? await broken(...sampled) : first
    for (const { status, json } of [found, await broken(...sampled)]) {
      expect([status, json.error.code]).toEqual([1, 'VERIFY_FAILED'])
      expect(json.error.message).toMatch(/'app\/5\/text' is not what the snapshot has/)
    }
    const mended = await backup('--sample', '1/2')
    expect(mended).toMatchObject({ status: 0 })
    if (first.status === 0) expect(await partOf(mended)).not.toBe(await partOf(first))
  })
})

test('what is remembered is damaged: the first part again, with a warning', async () => {
  await guest.run(['sh', '-euc', `echo '{' >${SAMPLES_FILE}`])
  const result = await backup('--sample', '1/2')
  expect([result.status, await partOf(result)]).toEqual([0, 1])
  expect(result.stderr).toContain(`${SAMPLES_FILE} is damaged`)
})

test('a share of what is not compared is refused', async () => {
  const { status, stderr } = await agent.run('backup', '--sample', '1/2')
  expect(status).toBe(2)
  expect(stderr).toMatch(/HINT: Give --verify source too/)
})

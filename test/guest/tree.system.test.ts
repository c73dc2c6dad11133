/** What tar brings back with the agent's flags, on real filesystems; and that no loss would go unseen. */
import { formatArgv } from '../../agent/host/argv'
import { tarCreate, tarExtract } from '../../agent/tar/commands'
import { compareTrees, type Difference } from '../support/tree/compare'
import { countEntries } from '../support/tree/entry'
import { bundleTrees, type GuestTrees } from '../support/tree/guest-trees'
import { bootGuest, type Guest } from './guest'
import type { Argv } from '../../agent/context'

jest.setTimeout(180_000)

let guest: Guest
let trees: GuestTrees

beforeAll(async () => {
  trees = await bundleTrees()
  guest = await bootGuest({ disksMiB: [4096] })
  await guest.run(['vgcreate', '--quiet', 'vg0', ...guest.disks])
})
afterAll(async () => {
  await guest.stop()
  await trees[Symbol.asyncDispose]()
})

/** Each entry that loses something, what it loses, and how. */
const LOSSES: readonly (readonly [path: string, what: string, damage: string])[] = [
  ['metadata/modes/none', 'mode', 'chmod 0100 "$ROOT/metadata/modes/none"'],
  ['metadata/set-id/setuid', 'mode', 'chmod u-s "$ROOT/metadata/set-id/setuid"'],
  ['metadata/owners/beyond octal', 'owner', 'chown 2999999999 "$ROOT/metadata/owners/beyond octal"'],
  ['metadata/owners/of a link', 'group', 'chgrp --no-dereference 1003 "$ROOT/metadata/owners/of a link"'],
  ['metadata/acl', 'access ACL', 'setfacl --modify user:1001:- "$ROOT/metadata/acl"'],
  ['metadata/acl by default', 'default ACL', 'setfacl --remove-default "$ROOT/metadata/acl by default"'],
  ['metadata/label', 'SELinux label', 'setfattr --name security.selinux --value lost "$ROOT/metadata/label"'],
  ['metadata/label of a link', 'SELinux label', 'setfattr -h -x security.selinux "$ROOT/metadata/label of a link"'],
  ['metadata/ping', 'capabilities', 'setcap cap_net_raw=ep "$ROOT/metadata/ping"'],
  ['metadata/attributes', 'attribute user.empty', 'setfattr -x user.empty "$ROOT/metadata/attributes"'],
  [
    'metadata/attributes of a fifo',
    'attribute trusted.fifo',
    'setfattr --name trusted.fifo --value to "$ROOT/metadata/attributes of a fifo"',
  ],
  ['times/nanoseconds', 'modification time', 'touch --date=@1234567890.987654322 "$ROOT/times/nanoseconds"'],
  ['times/of a link', 'modification time', 'touch -h --date=@1111111111.11 "$ROOT/times/of a link"'],
  [
    'links/another pair (2)',
    'hard link',
    'cp -a --remove-destination "$ROOT/links/another pair" "$ROOT/x"; mv "$ROOT/x" "$ROOT/links/another pair (2)"',
  ],
  ['links/dangling', 'link target', 'ln --symbolic --force no/such/fil "$ROOT/links/dangling"'],
  ['special/null', 'device number', 'rm "$ROOT/special/null"; mknod "$ROOT/special/null" c 1 5'],
  ['special/fifo', 'kind', 'rm "$ROOT/special/fifo"; touch "$ROOT/special/fifo"'],
  ['special/a block', 'content', 'printf x | dd of="$ROOT/special/a block" seek=99 bs=1 conv=notrunc status=none'],
  ['special/one byte', 'size', 'printf y >> "$ROOT/special/one byte"'],
  [
    'sparse/leading hole',
    'holes',
    'dd if=/dev/zero of="$ROOT/sparse/leading hole" bs=4096 seek=9 count=1 conv=notrunc status=none',
  ],
  [
    'sparse/zeros, not holes',
    'holes',
    'fallocate --punch-hole --offset 0 --length 4096 "$ROOT/sparse/zeros, not holes"',
  ],
  ['names/*', 'missing', 'rm "$ROOT/names/*"'],
  ['names/not there before', 'extra', 'touch "$ROOT/names/not there before"'],
]

/** What else shows a loss from LOSSES: the directories in which it happened, and the other name of the pair. */
const ALSO = new Set(['.', 'names', 'links', 'special', 'links/another pair'])

describe.each(['ext4', 'xfs'] as const)('%s', (filesystem) => {
  const source = `/mnt/${filesystem}`
  const restored = `/mnt/${filesystem}-restored`

  beforeAll(async () => {
    await makeVolume(filesystem, source)
    await makeVolume(filesystem, restored)
    await trees.build(guest, 'hostile', source)
    await archiveAndExtract(source, restored)
  })

  test('everything comes back, from content to the last nanosecond', async () => {
    const before = await trees.walk(guest, source)
    expect(Object.keys(countEntries(before))).toHaveLength(16) // none of the kinds is missing in what is compared
    expect(compareTrees(before, await trees.walk(guest, restored))).toEqual([])
  })

  test('what tar cannot keep is only this', async () => {
    const [from, to] = [`${source}/beyond-tar`, `${restored}/beyond-tar`]
    await guest.run(['mkdir', from, to])
    await trees.build(guest, 'beyond-tar', from)
    await archiveAndExtract(from, to)
    const differences = compareTrees(await trees.walk(guest, from), await trees.walk(guest, to))
    expect(differences.map(({ path, what }) => `${path}: ${what}`)).toEqual([
      'fifo: number of names',
      'fifo (2): number of names',
      'fifo (2): hard link',
      'label: SELinux label',
      'socket: missing',
    ])
    await guest.run(['rm', '-r', from, to])
  })

  describe('a loss does not go unseen', () => {
    let differences: Difference[]

    beforeAll(async () => {
      for (const [, , damage] of LOSSES) await guest.run(['sh', '-ec', damage], { environment: { ROOT: restored } })
      differences = compareTrees(await trees.walk(guest, source), await trees.walk(guest, restored))
    })

    test.each(LOSSES)('%s: %s', (path, what) => {
      expect(differences).toContainEqual(expect.objectContaining({ path, what }))
    })

    test('and nothing else is reported', () => {
      const expected = new Set(LOSSES.map(([path]) => path))
      expect(differences.map(({ path }) => path).filter((path) => !expected.has(path) && !ALSO.has(path))).toEqual([])
    })
  })
})

async function makeVolume(filesystem: 'ext4' | 'xfs', mountPoint: string): Promise<void> {
  const name = mountPoint.replace('/mnt/', '')
  await guest.run(['lvcreate', '--quiet', '--name', name, '--size', '512M', 'vg0'])
  await guest.run([`mkfs.${filesystem}`, '-q', `/dev/vg0/${name}`])
  await guest.run(['mkdir', mountPoint])
  await guest.run(['mount', `/dev/vg0/${name}`, mountPoint])
}

/** As by hand: the flags are the agent's, the pipe is not. */
async function archiveAndExtract(from: string, to: string): Promise<void> {
  const pipe: Argv[] = [tarCreate(from), ['zstd', '-q'], ['zstd', '-d'], tarExtract(to)]
  await guest.run(['bash', '-o', 'pipefail', '-ec', pipe.map(formatArgv).join(' | ')])
}

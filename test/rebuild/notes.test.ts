/** What the commands of a rebuild leave to do: whoever does not read it here finds it out at the first boot. */
import { notesOnArchives } from '../../agent/rebuild/notes'
import { planRebuild } from '../../agent/rebuild/rebuild'
import { manifest, options, volume, withSystem } from './fixture'

const plan = planRebuild(manifest, options)

describe('what no command does is said', () => {
  test.each([
    ['what was not on LVM', '/boot was not backed up: it is not on LVM.'],
    ['what becomes another kind of volume', 'vg0/srv was striped; here it becomes linear.'],
    ['a filesystem that stays empty', '/dev/mapper/vg1-mail was not backed up: here its xfs filesystem is empty.'],
    ['a volume that stays empty', '/dev/mapper/vg0-secret was not backed up: here it is empty, without a filesystem.'],
    [
      'what fstab misses',
      'fstab has UUID=1234-ABCD for /boot/efi, which is not created here: without it, the boot may stop.',
    ],
    ['what to compare', 'Compare /mnt/etc/fstab with blkid before the first boot.'],
  ])('%s', (_, note) => expect(plan.notes).toContain(note))

  test('the boot loader, on a host whose root is restored', () => {
    expect(plan.notes).toContainEqual(expect.stringMatching(/^The boot loader is not on a volume: .*grub-install/))
  })

  test('the lines of fstab, on a host whose root is not', () => {
    const { notes } = planRebuild({ ...manifest, volumes: [volume('vg0-srv', '/srv', 'xfs')] }, options)
    expect(notes.at(-1)).toMatch(/^The root of the host is not among these volumes: add the lines of its fstab/)
  })

  test('labels, on a system with SELinux', () => {
    const { notes } = planRebuild(withSystem({ osRelease: 'ID="rhel"\n' }), options)
    expect(notes).toContainEqual(expect.stringContaining('touch /mnt/.autorelabel'))
  })

  test('partitions', () => {
    const partition = { name: 'ubdd', type: 'part' }
    const blockDevices = { blockdevices: [{ name: 'sda', type: 'disk', children: [partition] }] }
    expect(planRebuild(withSystem({ blockDevices }), options).notes).toContain(
      '/dev/ubdd was of type part: create it first, or give a whole disk with --disk.',
    )
  })

  test('nothing about what is made as it was', () => {
    expect(plan.notes.filter((note) => /swap|vg0-home|fstab has \/dev\/vg0\/srv/.test(note))).toEqual([])
  })
})

test('volumes that failed to be backed up come first, with where to look for them', () => {
  const failure = {
    volume: 'vg1-mail',
    mountPoint: '/mail',
    code: 'ARCHIVE_FAILED' as const,
    message: 'its snapshot overflowed',
    hint: '',
  }
  const { notes } = planRebuild({ ...manifest, status: 'incomplete', failures: [failure] }, options)
  expect(notes[0]).toBe('The backup of /mail failed: its snapshot overflowed. An earlier run may have it.')
})

test.each([
  ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', '(Debian GNU/Linux 12 (bookworm), Linux 6.1.0)'],
  ['ID=debian\nPRETTY_NAME=Debian\n', '(Debian, Linux 6.1.0)'],
  ['', '(Linux 6.1.0)'],
])('the release whose mkfs to use is named as far as it is known: %j', (osRelease, name) => {
  const { notes } = planRebuild(withSystem({ osRelease }), options)
  expect(notes).toContainEqual(expect.stringContaining(`the host's own release ${name}:`))
})

test.each([
  ['ID="rhel"\n', true],
  ['ID=rocky\nID_LIKE="rhel centos fedora"\n', true],
  ['ID="amzn"\n', true],
  ['ID=debian\n', false],
  ['ID=ubuntu\nID_LIKE=debian\nHOME_URL="https://rhel.example"\n', false],
])('labels are a matter of %j: %s', (osRelease, isIt) => {
  const { notes } = planRebuild(withSystem({ osRelease }), options)
  expect(notes.some((note) => note.includes('.autorelabel'))).toBe(isIt)
})

test.each([
  [{ missing: 0, frozen: 0 }, []],
  [{ missing: 1, frozen: 0 }, ['1 object of /srv is missing: the restore needs --best-effort, or another run.']],
  [
    { missing: 2, frozen: 3 },
    [
      '2 objects of /srv are missing: the restore needs --best-effort, or another run.',
      '3 objects of /srv are in Glacier: run the last command first, with --thaw bulk, and wait.',
    ],
  ],
])('what would keep the restore at the end from beginning is told before disks are emptied: %j', (counts, notes) => {
  expect(
    notesOnArchives([
      { mountPoint: '/', missing: 0, frozen: 0 },
      { mountPoint: '/srv', ...counts },
    ]),
  ).toEqual(notes)
})

test('a report of devices that has none in it ends no plan', () => {
  const blockDevices = { blockdevices: [null, 1, 'sda', { children: [null, { name: 'ubdb', type: 'part' }] }] }
  const { notes } = planRebuild(withSystem({ blockDevices }), options)
  expect(notes.filter((note) => note.includes('was of type'))).toEqual([
    expect.stringContaining('/dev/ubdb was of type part'),
  ])
})

test('an fstab of empty lines takes no longer than any other of its size', () => {
  const fstab = `${'\n'.repeat(1_000_000)}${'\t'.repeat(1_000_000)}\nUUID=lost /lost ext4 defaults 0 2`
  const { notes } = planRebuild(withSystem({ fstab }), options)
  expect(notes).toContain('fstab has UUID=lost for /lost, which is not created here: without it, the boot may stop.')
})

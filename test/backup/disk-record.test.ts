import { readBoot, readPartitionTables, readSignatures } from '../../agent/backup/disk-record.io'
import { AgentError } from '../../agent/errors'
import { fakeHost, notInstalled, type Answers } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { gptTable } from '../support/partition-tables'
import { refusalOf } from '../support/refusal'

const warnings: string[] = []
beforeEach(() => void (warnings.length = 0))
const depsWith = (answers: Answers) => ({
  ...localDeps(),
  host: fakeHost(answers),
  log: { ...localDeps().log, warn: (message: string) => void warnings.push(message) },
})

const part = (name: string) => ({ name, type: 'part' })
const REPORT = {
  blockdevices: [
    { name: 'nvme0n1', type: 'disk', children: [part('nvme0n1p1'), part('nvme0n1p2')] },
    { name: 'nvme1n1', type: 'disk' },
    { name: 'sda', type: 'disk', children: [part('sda1')] },
    { name: 'sr0', type: 'rom' },
    { name: 'sdb', type: 'disk', children: [{ name: 'vg0-home', type: 'lvm' }] },
  ],
}
const dumpOf = (disk = '') => gptTable(disk)

describe('partition tables', () => {
  test('are read of every disk that has partitions, and of nothing else', async () => {
    const deps = depsWith({ sfdisk: (argv) => dumpOf(argv.at(-1)) })
    expect(await readPartitionTables(deps, REPORT)).toEqual({
      '/dev/nvme0n1': dumpOf('/dev/nvme0n1'),
      '/dev/sda': dumpOf('/dev/sda'),
    })
    expect(warnings).toEqual([])
  })

  test('of one disk may be missing, which is said', async () => {
    const deps = depsWith({
      sfdisk: (argv) => (argv.at(-1) === '/dev/nvme0n1' ? { status: 1, stderr: 'cannot open\n' } : dumpOf('/dev/sda')),
    })
    expect(Object.keys(await readPartitionTables(deps, REPORT))).toEqual(['/dev/sda'])
    expect(warnings).toEqual(['the partition table of /dev/nvme0n1 is not in the manifest: cannot open'])
  })

  test('that no rebuild could use are not kept, which is said', async () => {
    const deps = depsWith({ sfdisk: (argv) => dumpOf(argv.at(-1)).replace('gpt', 'sun') })
    expect(await readPartitionTables(deps, REPORT)).toEqual({})
    expect(warnings[0]).toMatch(/^the partition table of \/dev\/nvme0n1 is not in the manifest: .*label: sun$/)
  })

  test.each<[string, Answers[string]]>([
    ['where sfdisk is not installed', notInstalled('sfdisk')],
    ['after a disk that does not answer', { status: null, hangs: true }],
  ])('are not asked for any further %s', async (_, sfdisk) => {
    const deps = depsWith({ sfdisk })
    expect(await readPartitionTables(deps, REPORT)).toEqual({})
    expect(deps.host.ran).toHaveLength(1)
    expect(warnings).toHaveLength(1)
  })

  test('are not asked for any longer by who was told to stop', async () => {
    const interrupted = new AgentError('INTERRUPTED', 'stopped', { hint: 'Start again.' })
    expect(await refusalOf(readPartitionTables(depsWith({ sfdisk: interrupted }), REPORT))).toMatchObject({
      code: 'INTERRUPTED',
    })
  })
})

describe('signatures', () => {
  test('are of the devices of sources, and, asked for apart, of partitions and whole disks', async () => {
    const deps = depsWith({ blkid: (argv) => `DEVNAME=${argv.at(-1) ?? ''}\n` })
    expect(await readSignatures(deps, ['/dev/mapper/vg0-home', '/dev/nvme0n1p2'], REPORT)).toBe(
      'DEVNAME=/dev/nvme0n1p2\n\nDEVNAME=/dev/sda1\n',
    )
    expect(deps.host.ran).toEqual([
      'blkid -c /dev/null -o export /dev/mapper/vg0-home /dev/nvme0n1p2',
      'blkid -c /dev/null -o export /dev/nvme0n1p1 /dev/nvme1n1 /dev/sda1',
    ])
  })

  test('of a disk that does not answer cost those of sources nothing', async () => {
    const deps = depsWith({ blkid: (argv) => (argv.at(-1) === '/dev/sda1' ? { status: null, hangs: true } : 'X=1\n') })
    expect(await readSignatures(deps, ['/dev/mapper/vg0-home'], REPORT)).toBe('X=1\n')
  })
})

describe('how a host starts', () => {
  test('is told by the files that are there, whatever find says of those that are not', async () => {
    const deps = depsWith({ find: { status: 1, stdout: '/sys/firmware/efi\n', stderr: 'find: /efi: No such file' } })
    expect(await readBoot(deps)).toMatchObject({ firmware: 'uefi' })
  })

  test('is not guessed at where it cannot be told', async () => {
    expect(await readBoot(depsWith({ find: { status: null, hangs: true, stdout: '' } }))).toBeUndefined()
    expect(await readBoot(depsWith({ find: notInstalled('find') }))).toBeUndefined()
  })
})

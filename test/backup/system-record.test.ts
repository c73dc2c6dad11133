import { getPriority, setPriority } from 'node:os'
import { lowerPriority, readDiskSizes, readSystem, readTools } from '../../agent/backup/system-record.io'
import { AgentError } from '../../agent/errors'
import { TAR_FEATURES, TAR_VERSION } from '../../agent/tar/commands'
import { fakeHost, notInstalled, type Answers } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'

const depsWith = (answers: Answers) => ({ ...localDeps(), host: fakeHost(answers) })
const interrupted = new AgentError('INTERRUPTED', 'stopped', { hint: 'Start again.' })

describe('the programs that make archives', () => {
  const tarSays = (version: string, stderr = '') =>
    readTools(depsWith({ [TAR_VERSION.join(' ')]: version, [TAR_FEATURES.join(' ')]: { stderr } }))

  test('are told by their versions', async () => {
    expect(await tarSays('tar (GNU tar) 1.34\n')).toMatchObject({ node: process.version, tar: '1.34' })
  })

  test.each([
    ['tar (GNU tar) 1.28\n', 'TOOL_TOO_OLD'],
    ['bsdtar 3.7.2 - libarchive\n', 'OUTPUT_UNREADABLE'],
  ])('are refused where they would lose something: %j', async (version, code) => {
    expect(await refusalOf(tarSays(version))).toMatchObject({ code })
  })
})

describe('the record of a host without volumes of any source', () => {
  const usual: Answers = {
    lsblk: '{"blockdevices": [{"name": "sda1", "type": "part"}]}',
    find: '',
    blkid: 'DEVNAME=/dev/sda1\nTYPE=swap\n',
  }

  test('says what it is, and what is on its disks', async () => {
    expect(await readSystem(depsWith(usual), [])).toMatchObject({
      ...{ hostname: expect.any(String) as string, blockDevices: { blockdevices: [{ name: 'sda1', type: 'part' }] } },
      ...{ signatures: 'DEVNAME=/dev/sda1\nTYPE=swap\n', filesystems: {} },
    })
  })

  test('says which instance of EC2 it was, where it was one', async () => {
    const instance = { instanceType: 'm7g.large', imageId: 'ami-0abc1234', availabilityZone: 'eu-west-1a', securityGroupIds: [] } // prettier-ignore
    const readInstance = () => Promise.resolve(instance)
    expect(await readSystem({ ...depsWith(usual), readInstance }, [])).toMatchObject({ instance })
    expect(await readSystem(depsWith(usual), [])).not.toHaveProperty('instance')
  })

  test('goes without what would be read from devices where one does not answer', async () => {
    const deps = depsWith({
      ...usual,
      lsblk: (argv) => (argv.join().includes('UUID') ? { status: null, hangs: true } : '{"blockdevices": [1]}'),
    })
    expect(await readSystem(deps, [])).toMatchObject({ blockDevices: { blockdevices: [1] } })
  })

  test('takes what blkid has said before it had to be stopped', async () => {
    const deps = depsWith({ ...usual, blkid: { status: null, hangs: true, stdout: 'DEVNAME=/dev/sda1\n' } })
    expect(await readSystem(deps, [])).toMatchObject({ signatures: 'DEVNAME=/dev/sda1\n' })
  })
})

describe('the sizes of disks', () => {
  test('are of those that this host has, and that are understood', async () => {
    const sizes: Answers = {
      lsblk: (argv) => ({ '/dev/sdb': '4096\n', '/dev/sdc': '4G\n' })[argv.at(-1)!] ?? notInstalled('lsblk'),
    }
    expect(await readDiskSizes(depsWith(sizes), ['/dev/sdb', '/dev/sdc', '/dev/sdd'])).toEqual(
      new Map([['/dev/sdb', 4096]]),
    )
  })

  test('are not asked for any longer by who was told to stop', async () => {
    expect(await refusalOf(readDiskSizes(depsWith({ lsblk: interrupted }), ['/dev/sdb']))).toMatchObject({
      code: 'INTERRUPTED',
    })
  })
})

test('a priority that was lowered is that of this process', () => {
  const before = getPriority()
  lowerPriority(Math.max(before, 7))
  const after = getPriority()
  setPriority(before)
  expect(after).toBe(Math.max(before, 7))
})

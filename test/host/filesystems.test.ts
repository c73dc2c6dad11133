import { readFilesystems, readMounts, readUsedInodes } from '../../agent/host/filesystems.io'
import { DF, DF_INODES, FINDMNT, findmntWithIds, LSBLK } from '../../agent/host/mounts'
import { fakeHost, type Answers } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { captured } from '../support/storage'

const row = (target: string, source: string, ids: object = {}) => ({
  ...{ target, source, fstype: 'ext4', options: 'rw', 'maj:min': '254:0', fsroot: '/' },
  ...ids,
})
const findmnt = (...filesystems: readonly object[]) => JSON.stringify({ filesystems })
const words = (argv: readonly string[]) => argv.join(' ')

const HOME = row('/home', '/dev/mapper/vg-home')
const DEAD = row('/dead', '/dev/mapper/vg-dead')
const NFS = row('/nfs', 'server:/export')

function depsWith(answers: Answers) {
  const usual: Answers = {
    [words(FINDMNT)]: findmnt(HOME, DEAD, NFS),
    [words(LSBLK)]: captured('lsblk'),
    [words(DF)]: 'Filesystem Used\n/dev/mapper/vg-home 4096\n',
  }
  return { ...localDeps(), host: fakeHost({ ...usual, ...answers }) }
}

test('the ids of all filesystems are read at once where all devices answer', async () => {
  const withIds = findmnt({ ...HOME, uuid: 'u-1', label: 'data' }, DEAD, NFS)
  const deps = depsWith({ [words(findmntWithIds())]: withIds })
  const { mounts, devices } = await readFilesystems(deps)
  expect(mounts.map(({ target, uuid }) => [target, uuid])).toEqual([
    ['/home', 'u-1'],
    ['/dead', undefined],
    ['/nfs', undefined],
  ])
  expect(devices.length).toBeGreaterThan(0)
  expect(deps.host.ran).toHaveLength(4)
})

test('one dead disk costs its own ids alone, and no server is asked', async () => {
  const deps = depsWith({
    [words(findmntWithIds())]: { status: null, hangs: true },
    [words(findmntWithIds('/dev/mapper/vg-home'))]: findmnt({ ...HOME, uuid: 'u-1', label: 'data' }),
    [words(findmntWithIds('/dev/mapper/vg-dead'))]: { status: null, hangs: true },
  })
  const { mounts } = await readFilesystems(deps)
  expect(mounts).toMatchObject([
    { target: '/home', uuid: 'u-1', label: 'data' },
    { target: '/dead', source: '/dev/mapper/vg-dead' },
    { target: '/nfs' },
  ])
  expect(mounts[1]).not.toHaveProperty('uuid')
  expect(deps.logged.join()).toContain('a device does not answer')
})

test('a device with two mount points is asked once', async () => {
  const deps = depsWith({
    [words(FINDMNT)]: findmnt(HOME, { ...HOME, target: '/again' }),
    [words(findmntWithIds())]: { status: 1 },
    [words(findmntWithIds('/dev/mapper/vg-home'))]: findmnt({ ...HOME, uuid: 'u-1' }),
  })
  expect((await readFilesystems(deps)).mounts).toMatchObject([
    { target: '/home', uuid: 'u-1' },
    { target: '/again', uuid: 'u-1' },
  ])
  expect(deps.host.ran.filter((line) => line.includes('--source'))).toHaveLength(1)
})

test('the mount table is read without touching a device', async () => {
  const deps = depsWith({})
  expect((await readMounts(deps)).map(({ target }) => target)).toEqual(['/home', '/dead', '/nfs'])
  expect(deps.host.ran).toEqual([words(FINDMNT)])
})

test('where df cannot tell, nothing is known, and nothing fails', async () => {
  expect(await readUsedInodes(depsWith({ [words(DF_INODES)]: { status: 1, stderr: 'no' } }))).toEqual(new Map())
})

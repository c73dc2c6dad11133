import { claimFilesystem } from '../../../agent/source/quiet/claim'
import { BOOT_HOST, filesystemAt, quietHost, quietState } from './quiet-host'

const claimAt = (mountPoint: string, host = BOOT_HOST, changes: Parameters<typeof quietState>[1] = {}) =>
  claimFilesystem(host, quietState(host, changes), filesystemAt(host, mountPoint))

test('what a host boots from is a volume, called by where it is mounted', () => {
  expect(claimAt('/boot')).toEqual({
    volume: {
      ...{ kind: 'quiet', volume: 'boot', device: '/dev/sda1', mountPoint: '/boot', filesystem: 'ext4' },
      ...{ sizeBytes: 1024 ** 3, usedBytes: 200 * 1024 ** 2, uuid: '0a-1b', label: 'boot', mountOptions: 'rw' },
    },
  })
  expect(claimAt('/boot/efi')).toMatchObject({ volume: { volume: 'boot.efi', filesystem: 'vfat', uuid: '' } })
})

test.each([
  [1024, undefined],
  [1025, /^too large to be read in place: 1 GiB used of at most 1 GiB$/],
  [1434, /^too large to be read in place: 1\.4 GiB used of at most 1 GiB$/],
])('with %d MiB used: %s', (usedMiB, reason) => {
  const claim = claimAt('/data', quietHost({ target: '/' }, { target: '/data', usedMiB }))
  if (reason) expect(claim).toEqual({ reason: expect.stringMatching(reason) as string })
  else expect(claim).toHaveProperty('volume')
})

test.each([
  ['the root', '/', quietHost({ target: '/' })],
  ['what the log is on', '/var', quietHost({ target: '/' }, { target: '/var' })],
  [
    'a part of what the log is on',
    '/data',
    quietHost({ target: '/' }, { target: '/data', deviceNumber: '8:9' }, { target: '/var/log', deviceNumber: '8:9' }),
  ],
])('%s is written to all the time, however small it is', (_, mountPoint, host) => {
  expect(claimAt(mountPoint, host)).toEqual({ reason: expect.stringContaining('too busy') as string })
})

test.each([
  ['another type', { filesystem: 'btrfs' }, /btrfs/],
  ['another type', { filesystem: 'f2fs' }, /f2fs is not supported, only ext2, ext3, ext4, xfs, vfat/],
  ['a part of one', { root: '/sub' }, /only its directory \/sub is mounted/],
])('%s is not read', (_, mount, reason) => {
  expect(claimAt('/data', quietHost({ target: '/' }, { target: '/data', ...mount }))).toEqual({
    reason: expect.stringMatching(reason) as string,
  })
})

test('what df or the device say nothing of is not read', () => {
  const unknown = { ...BOOT_HOST, usedBytes: new Map<string, number>() }
  expect(claimAt('/boot', unknown)).toEqual({ reason: 'df does not say how much of it is used' })
  expect(claimAt('/boot', BOOT_HOST, { sizesBytes: new Map() })).toEqual({
    reason: 'its device does not say how large it is',
  })
})

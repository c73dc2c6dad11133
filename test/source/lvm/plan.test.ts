import { capturedStorage, planAll, thick, thin, type HostStorage } from '../../support/storage'

const run = '20260131T040506Z-abz277'

const plan = (host: HostStorage) => planAll(host, { kind: 'auto' }, run)

test('a thick snapshot is taken writable, so that its journal can be replayed, and mounted read-only', () => {
  const [first] = plan(thick(10_240, 10_240))
  expect(first).toMatchObject({
    source: { kind: 'lvm', group: 'vg', name: 'lv0', snapshot: { type: 'thick' } },
    name: 'snapstream_20260131T040506Z_abz277_0',
    device: '/dev/vg/snapstream_20260131T040506Z_abz277_0',
    mountPoint: `/run/snapstream/${run}/vg-lv0`,
  })
  expect(first?.create.join(' ')).toBe(
    'lvcreate --yes --snapshot --extents 512 --permission rw ' +
      '--name snapstream_20260131T040506Z_abz277_0 --addtag snapstream ' +
      '--addtag snapstream.run=20260131T040506Z-abz277 vg/lv0',
  )
  expect(first?.mount.join(' ')).toBe(
    'mount --types ext4 --options ro,nosuid,nodev,noexec,X-mount.mkdir=0700 ' +
      `--source /dev/vg/snapstream_20260131T040506Z_abz277_0 --target /run/snapstream/${run}/vg-lv0`,
  )
})

test('a thin snapshot takes no space, and is active now but not after a reboot', () => {
  const [first] = plan(thin({ dataPercent: 50 }))
  expect(first).toMatchObject({ source: { snapshot: { type: 'thin', sizeBytes: 0 } } })
  expect(first?.create).toEqual(expect.arrayContaining(['--activate', 'y', '--ignoreactivationskip']))
  expect(first?.create).not.toContain('--extents')
})

test('XFS is told to mount the id of its origin a second time', () => {
  const plans = plan(capturedStorage())
  expect(plans.map(({ mount }) => mount.join(' ').includes('nouuid'))).toEqual([false, true, false, true])
})

test('snapshots are mounted side by side, so that each mount point below is archived as the directory it is', () => {
  const plans = plan(capturedStorage())
  expect(plans.map(({ origin, mountPoint }) => [origin.mountPoint, mountPoint])).toEqual([
    ['/srv', `/run/snapstream/${run}/vg0-srv`],
    ['/srv/home', `/run/snapstream/${run}/vg0-home`],
    ['/srv/home/mail', `/run/snapstream/${run}/vg1-mail`],
    ['/srv/plain/db', `/run/snapstream/${run}/vg1-db--1`],
  ])
})

import { AgentError, describeError, hasCode } from '../../agent/errors'
import { findLeftovers, removeLeftovers } from '../../agent/source/leftovers.io'
import { formatUploadTag } from '../../agent/source/lvm/leftovers'
import { lvremove } from '../../agent/source/lvm/plan'
import { fakeHost } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { memoryStore, type MemoryStore } from '../support/memory-store'

const NAME = 'snapstream_20260131T040506Z_abz277_0'
const volume = {
  ...{ vg_name: 'vg0', lv_name: NAME, lv_uuid: 'a', lv_dm_path: `/dev/mapper/vg0-${NAME}`, lv_size: '4194304' },
  ...{ lv_kernel_major: '254', lv_kernel_minor: '1', lv_layout: 'linear', lv_tags: 'snapstream', origin: 'home' },
  ...{ pool_lv: '', data_percent: '1.00', metadata_percent: '', lv_snapshot_invalid: '', lv_health_status: '' },
}

const unreachable = () => ({
  ...memoryStore(),
  async *listUploads() {
    throw new AgentError('ENDPOINT_UNREACHABLE', 'no way there', { hint: 'Find one.' })
  },
})

test('a bucket that cannot be reached keeps no snapshot on the host, and is told of all the same', async () => {
  const host = fakeHost({
    lvs: JSON.stringify({ report: [{ lv: [volume] }] }),
    vgs: JSON.stringify({ report: [{ vg: [] }] }),
    findmnt: JSON.stringify({ filesystems: [] }),
    lvremove: '',
  })
  const store = unreachable()
  const removal = removeLeftovers({ ...localDeps(), host, store }, { dryRun: false, class: 'daily', host: 'db-1' })
  await expect(removal).rejects.toMatchObject({ code: 'ENDPOINT_UNREACHABLE' })
  expect(host.ran).toContain(lvremove('vg0', NAME).join(' '))
})

test('a snapshot that stays is told of although the bucket cannot be reached either', async () => {
  const host = fakeHost({
    lvs: JSON.stringify({ report: [{ lv: [volume] }] }),
    vgs: JSON.stringify({ report: [{ vg: [] }] }),
    findmnt: JSON.stringify({ filesystems: [] }),
    lvremove: { status: null, hangs: true },
  })
  const scope = { dryRun: false, class: 'daily', host: 'db-1' }
  const failure: unknown = await removeLeftovers({ ...localDeps(), host, store: unreachable() }, scope).catch(
    (error: unknown) => error,
  )
  expect(hasCode(failure, 'ENDPOINT_UNREACHABLE')).toBe(true)
  expect(describeError(failure)).toEqual(
    expect.arrayContaining([
      'no way there',
      expect.stringMatching(`^during clean-up: the snapshot vg0/${NAME} cannot be removed`),
    ]),
  )
})

test('an upload that a run elsewhere may be at work on is left alone, whatever our clock says', async () => {
  const store = memoryStore()
  const { signal } = new AbortController()
  const begun = (host: string) => store.createUpload(`data/daily/${host}/run/vg0-srv.tar.zst`, undefined, signal)
  const [young, old] = [await begun('db-1'), await begun('db-1')]
  store.uploads.set(old.uploadId, {
    ...store.uploads.get(old.uploadId)!,
    initiated: new Date(Date.now() - 49 * 3_600_000),
  })
  const behind = { ...store, readFacts: async () => ({ ...(await store.readFacts(signal)), clockSkewSeconds: 0 }) }
  const host = fakeHost({
    lvs: JSON.stringify({ report: [{ lv: [] }] }),
    vgs: JSON.stringify({ report: [{ vg: [] }] }),
    findmnt: JSON.stringify({ filesystems: [] }),
  })
  const scope = { dryRun: false, class: 'daily', host: 'db-1' }
  await removeLeftovers({ ...localDeps(), host, store: behind }, scope)
  expect([...store.uploads.keys()]).toEqual([young.uploadId])

  // A clock that is two years ahead makes nothing old.
  const ahead = { ...store, readFacts: async () => ({ ...(await store.readFacts(signal)), clockSkewSeconds: -63e6 }) }
  await removeLeftovers({ ...localDeps(), host, store: ahead }, scope)
  expect([...store.uploads.keys()]).toEqual([young.uploadId])
})

test('what a killed run left goes in the order in which it hangs together: uploads, mounts, then snapshots', async () => {
  const store = memoryStore()
  const upload = await store.createUpload(
    'data/daily/db-1/run/vg0-home.tar.zst',
    undefined,
    new AbortController().signal,
  )
  const done: string[] = []
  const mounted = new Set(['/run/snapstream/run/vg0-home'])
  const host = fakeHost({
    lvs: JSON.stringify({ report: [{ lv: [{ ...volume, lv_tags: `snapstream,${formatUploadTag(upload)}` }] }] }),
    vgs: JSON.stringify({ report: [{ vg: [] }] }),
    findmnt: () => JSON.stringify({ filesystems: [...mounted].map((target) => ({ target })) }),
    umount: ([, , target = '']) => (mounted.delete(target), done.push('umount'), ''),
    rmdir: '',
    lvremove: () => (done.push('lvremove'), ''),
  })
  const abortUpload: MemoryStore['abortUpload'] = (...args) => (done.push('abort'), store.abortUpload(...args))
  const deps = { ...localDeps(), host, store: { ...store, abortUpload } }
  expect(await removeLeftovers(deps, { dryRun: false })).toMatchObject({ uploads: [upload], leftBehind: [] })
  expect([done, store.uploads.size]).toEqual([['abort', 'umount', 'lvremove'], 0])
})

test('mounts come deepest first, and only those below our directory', async () => {
  const targets = [
    '/',
    '/run',
    '/run/snapstream/r',
    '/run/snapstream/r/srv/a',
    '/run/snapstream/r/srv',
    '/run/snapstream-x',
  ]
  const host = fakeHost({
    lvs: JSON.stringify({ report: [{ lv: [] }] }),
    vgs: JSON.stringify({ report: [{ vg: [] }] }),
    findmnt: JSON.stringify({ filesystems: targets.map((target) => ({ target })) }),
  })
  const { mounts } = await findLeftovers({ ...localDeps(), host })
  expect(mounts).toEqual(['/run/snapstream/r/srv/a', '/run/snapstream/r/srv', '/run/snapstream/r'])
})

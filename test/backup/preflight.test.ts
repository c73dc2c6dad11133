import { crc32 } from 'node:zlib'
import { preflight } from '../support/commands'
import { AgentError, type ErrorCode } from '../../agent/errors'
import type { BucketOfHost, EndpointInfo } from '../../agent/bucket/connect.io'
import { DF_INODES } from '../../agent/host/mounts'
import { planRoute } from '../../agent/bucket/proxy'
import type { Check } from '../../agent/backup/preflight-checks'
import type { PreflightRequest } from '../../agent/options/commands'
import { fakeHost, notInstalled, type Answer } from '../support/fake-host'
import { memoryStore, type MemoryStore } from '../support/memory-store'

const GIB = 1024 ** 3
const HOST = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc'

const request: PreflightRequest = {
  command: 'preflight',
  bucket: 'memory',
  class: 'daily',
  host: undefined,
  volumes: [],
  excludeVolumes: [],
  source: [],
  snapshotSize: { kind: 'auto' },
  freeze: false,
  ebsKeepLast: 'yes',
  ebsEngine: 'snapshot',
  ec2EndpointUrl: undefined,
  preHook: [],
  postHook: [],
  probeUpload: false,
  region: undefined,
  endpointUrl: undefined,
  json: false,
  logLevel: undefined,
  config: '/etc/snapstream/config.json',
}

/** A logical volume `vg0/home` of 4 GiB, mounted on /home; /boot is a partition. */
function storageOf({ freeBytes = 8 * GIB, tags = '', inodes = 100_000 } = {}): Record<string, Answer> {
  const volume = (changes: Record<string, string>) => ({
    vg_name: 'vg0',
    lv_name: 'home',
    lv_uuid: 'a',
    lv_dm_path: '/dev/mapper/vg0-home',
    lv_kernel_major: '254',
    lv_kernel_minor: '0',
    lv_size: String(4 * GIB),
    lv_layout: 'linear',
    lv_tags: '',
    origin: '',
    pool_lv: '',
    data_percent: '',
    metadata_percent: '',
    lv_snapshot_invalid: 'unknown',
    lv_health_status: '',
    ...changes,
  })
  const group = {
    vg_name: 'vg0',
    vg_uuid: 'b',
    vg_size: String(12 * GIB),
    vg_free: String(freeBytes),
    vg_extent_size: '4194304',
  }
  const disk = {
    pv_name: '/dev/sdb',
    pv_uuid: 'c',
    vg_name: 'vg0',
    pv_size: String(12 * GIB),
    pv_free: String(freeBytes),
  }
  const mount = (target: string, source: string, fstype: string, device: string) => ({
    target,
    source,
    fstype,
    options: 'rw',
    'maj:min': device,
    fsroot: '/',
    uuid: 'd',
    label: null,
  })
  const lvs = [volume({})]
  if (tags !== '')
    lvs.push(
      volume({ lv_name: 'snapstream_20260101T000000Z_abcdef_0', lv_tags: tags, origin: 'home', lv_kernel_minor: '1' }),
    )
  return {
    lvs: JSON.stringify({ report: [{ lv: lvs }] }),
    vgs: JSON.stringify({ report: [{ vg: [group] }] }),
    pvs: JSON.stringify({ report: [{ pv: [disk] }] }),
    findmnt: JSON.stringify({
      filesystems: [
        mount('/home', '/dev/mapper/vg0-home', 'ext4', '254:0'),
        mount('/boot', '/dev/sda1', 'ext4', '8:1'),
      ],
    }),
    [DF_INODES.join(' ')]: `IUsed Filesystem\n${inodes} /dev/mapper/vg0-home\n`,
    df: `Used Filesystem\n${GIB} /dev/mapper/vg0-home\n${1.5 * GIB} /dev/sda1\n`,
    lsblk: JSON.stringify({
      blockdevices: [
        { name: 'sda1', 'maj:min': '8:1', type: 'part' },
        { name: 'vg0-home', 'maj:min': '254:0', type: 'lvm' },
      ],
    }),
  }
}

const TOOLS = [
  'lvcreate',
  'lvchange',
  'lvextend',
  'lvremove',
  'vgcfgbackup',
  'mount',
  'umount',
  'flock',
  'prlimit',
  'blkid',
  'timeout',
  'rmdir',
]
const INSTALLED = { ...Object.fromEntries(TOOLS.map((name) => [name, ''])), tar: 'tar (GNU tar) 1.34\n' }

const DIRECTLY: EndpointInfo = {
  endpoint: 'https://backups.s3.eu-west-1.amazonaws.com',
  settings: [],
  proxy: undefined,
  caBundle: undefined,
}

interface World {
  readonly commands?: Readonly<Record<string, Answer>>
  readonly store?: Partial<MemoryStore>
  readonly open?: () => Promise<BucketOfHost>
  readonly way?: EndpointInfo
  readonly isRoot?: boolean
  readonly preHook?: readonly string[]
  readonly probeUpload?: boolean
}

async function look(world: World = {}) {
  const { commands = {}, store = {}, open, isRoot = true, preHook = [], way = DIRECTLY, probeUpload = false } = world
  const bucket = { ...memoryStore(), ...store }
  const outcome = await preflight(
    {
      host: fakeHost({ ...INSTALLED, ...storageOf(), ...commands }),
      log: { debug: () => {}, info: () => {}, warn: () => {} },
      now: () => new Date('2026-02-02T05:05:06Z'),
      signal: new AbortController().signal,
      isRoot,
      availableBytes: GIB,
      open:
        open ??
        (async () => ({
          store: bucket,
          host: HOST,
          region: 'eu-west-1',
          readCaller: async () => 'arn:aws:sts::1:assumed-role/r/i',
          readEndpointInfo: async () => way,
        })),
    },
    { ...request, preHook, probeUpload },
  )
  const { checks } = outcome.json as { checks: readonly Check[] }
  return { ...outcome, bucket, check: (name: string) => checks.find((found) => found.name === name) }
}

const denied = (code: ErrorCode, message: string) => async () => {
  throw new AgentError(code, message, { hint: `What to do about ${code}.` })
}

test('a host that is ready, but for /boot, which is not on LVM and too large to be read in place', async () => {
  const { status, summary, bucket, check } = await look()
  expect(status).toBe(0)
  expect(summary).toBe(`Preflight: READY, 1 warning
  WARN  other filesystems  not backed up: /boot (not on LVM, not on EBS, too large to be read in place: 1.5 GiB used of at most 1 GiB)
        HINT: Back them up by other means, or move each to a logical volume of LVM with a mounted ext2, ext3, ext4 or xfs filesystem, or a mounted ext2, ext3, ext4, xfs or vfat filesystem on a disk of EBS, or a mounted ext2, ext3, ext4, xfs or vfat filesystem beside the root, with at most 1 GiB used. With --require-all a backup ends with status 3.
  OK    root               runs as root
  OK    node               version ${process.versions.node}
  OK    tools              LVM, mount and flock are there
  OK    tar                GNU tar 1.34 keeps all metadata
  OK    storage            LVM and the mount table answer
  OK    volumes            1 to back up: /home (ext4, 1 GiB used)
  OK    space              ${check('space')!.what}
  OK    memory             1 GiB available, a backup takes 358 MiB at most
  OK    hooks              none: a backup is what a power cut would leave, which journals repair
  OK    leftovers          none
  OK    identity           ${HOST}, in eu-west-1
  OK    network            https://backups.s3.eu-west-1.amazonaws.com directly
  OK    credentials        arn:aws:sts::1:assumed-role/r/i
  OK    bucket             memory is there, in us-east-1
  OK    writing            may write the backups of this host, class daily
  OK    checksums          not tried: S3 is documented to refuse data that does not match the checksum sent with it
  OK    versioning         on: deleted objects can be brought back
  OK    clock              agrees with the server's`)
  expect(check('space')!.what).toMatch(/^vg0: 1 thick, taking .* of 8 GiB free$/)
  expect({ objects: bucket.objects.size, uploads: bucket.uploads.size }).toEqual({ objects: 0, uploads: 0 })
})

test('not root', async () => {
  const { status, check } = await look({ isRoot: false })
  expect(status).toBe(1)
  expect(check('root')).toMatchObject({
    status: 'fail',
    what: 'not running as root',
    fix: expect.stringContaining('sudo'),
  })
})

test('the probe of the bucket leaves nothing, even where it is refused half-way', async () => {
  const { check, bucket } = await look({ store: { uploadPart: denied('ACCESS_DENIED', 's3:PutObject is denied') } })
  expect(check('writing')).toEqual({
    name: 'writing',
    status: 'fail',
    what: 's3:PutObject is denied',
    fix: 'What to do about ACCESS_DENIED.',
  })
  expect(bucket.uploads.size).toBe(0)
})

test('what is missing is named with its packages', async () => {
  const { status, check } = await look({
    commands: { lvcreate: notInstalled('lvcreate'), flock: notInstalled('flock') },
  })
  expect(status).toBe(1)
  expect(check('tools')).toEqual({
    name: 'tools',
    status: 'fail',
    what: 'not installed, or not in PATH: lvcreate, flock',
    fix: 'Install lvm2, util-linux with the package manager of this system.',
  })
})

test('a tool that only the record of the host, or the clean-up, needs is missed before the first backup', async () => {
  const { check } = await look({ commands: { blkid: notInstalled('blkid'), rmdir: notInstalled('rmdir') } })
  expect(check('tools')?.what).toBe('not installed, or not in PATH: rmdir, blkid')
})

test.each([
  [notInstalled('tar'), 'could not run tar'],
  ['tar (GNU tar) 1.28\n', 'tar 1.28 is older than 1.29'],
  ['bsdtar 3.7.2 - libarchive\n', "tar is not GNU tar: it says 'bsdtar 3.7.2 - libarchive'"],
])('tar: %s', async (tar, what) => {
  const { status, check } = await look({ commands: { tar } })
  expect(status).toBe(1)
  expect(check('tar')).toMatchObject({ status: 'fail', what, fix: expect.stringMatching(/tar/) })
})

test('without LVM the bucket is looked at all the same, and the reason told once', async () => {
  const { status, check } = await look({ commands: { lvs: notInstalled('lvs') } })
  expect(status).toBe(1)
  expect(check('storage')).toMatchObject({ status: 'fail', what: 'could not run lvs' })
  expect(check('volumes')).toBeUndefined()
  expect(check('space')).toBeUndefined()
  expect(check('writing')).toMatchObject({ status: 'ok' })
})

test('memory that may not do for so many files is a warning, before tar runs out of it', async () => {
  const { status, check } = await look({ commands: storageOf({ inodes: 20_000_000 }) })
  expect(status).toBe(0)
  expect(check('memory')).toMatchObject({
    status: 'warn',
    what: expect.stringMatching(/^1 GiB available, a backup takes 1\.8 GiB at most: .* all 20,000,000 files/),
    fix: expect.stringContaining('swap'),
  })
})

test('a hook that is not there would keep every backup from starting', async () => {
  const { status, check } = await look({ preHook: ['/no/such/hook'] })
  expect(status).toBe(1)
  expect(check('hooks')).toMatchObject({ status: 'fail', what: expect.stringContaining('/no/such/hook') })
})

test('a volume group without room fails with the arithmetic and the ways out', async () => {
  const { status, check } = await look({ commands: storageOf({ freeBytes: 0 }) })
  expect(status).toBe(1)
  expect(check('space')).toMatchObject({
    status: 'fail',
    what: expect.stringContaining('vg0'),
    fix: expect.stringMatching(/vgextend/),
  })
  expect(check('volumes')).toMatchObject({ status: 'ok' })
})

test('what a killed run left is a warning: the next run removes it', async () => {
  const { status, check } = await look({ commands: storageOf({ tags: 'snapstream' }) })
  expect(status).toBe(0)
  expect(check('leftovers')).toMatchObject({
    status: 'warn',
    what: expect.stringMatching(/^1 snapshots, 0 mounts, 0 uploads/),
  })
})

test('outside EC2, without --host, everything on the host is still looked at', async () => {
  const open = async () => {
    throw new AgentError('ENDPOINT_UNREACHABLE', 'the instance metadata service gave no answer', {
      hint: 'Give --host.',
    })
  }
  const { status, check } = await look({ open })
  expect(status).toBe(1)
  expect(check('identity')).toMatchObject({ status: 'fail', fix: 'Give --host.' })
  expect(check('bucket')).toBeUndefined()
  expect(check('space')).toMatchObject({ status: 'ok' })
})

test('a bucket that does not exist is told once', async () => {
  const missing = denied('BUCKET_MISSING', 'bucket memory does not exist')
  const { check } = await look({ store: { readFacts: missing, createUpload: missing } })
  expect(check('bucket')).toMatchObject({ status: 'fail', what: 'bucket memory does not exist' })
  expect(check('versioning')).toBeUndefined()
  expect(check('clock')).toBeUndefined()
})

test.each([
  [{ versioning: 'Off' as const }, 'versioning', 'warn', /^off: a deleted backup is gone at once$/],
  [{ versioning: 'unknown' as const }, 'versioning', 'warn', /may not read/],
  [{ clockSkewSeconds: 90 }, 'clock', 'warn', /90 s behind/],
  [{ clockSkewSeconds: -600 }, 'clock', 'fail', /600 s ahead of/],
])('a bucket with %j', async (facts, name, status, what) => {
  const readFacts = async () => ({ region: 'eu-west-1', versioning: 'Enabled' as const, clockSkewSeconds: 0, ...facts })
  const { check } = await look({ store: { readFacts } })
  expect(check(name)).toMatchObject({ status, what: expect.stringMatching(what), fix: expect.any(String) })
})

test('versioning is switched on by a command that can be pasted', async () => {
  const readFacts = async () => ({ region: 'eu-west-1', versioning: 'Off' as const, clockSkewSeconds: 0 })
  const { check } = await look({ store: { readFacts } })
  expect(check('versioning')?.fix).toBe(
    'Switch it on: aws s3api put-bucket-versioning --bucket memory --region eu-west-1 ' +
      '--versioning-configuration Status=Enabled',
  )
})

describe('the way to the bucket', () => {
  test('may be straight', async () => {
    const { check } = await look()
    expect(check('network')).toMatchObject({
      status: 'ok',
      what: 'https://backups.s3.eu-west-1.amazonaws.com directly',
    })
  })

  test('may lead through a proxy to a FIPS endpoint, with an authority of the company', async () => {
    const proxy = planRoute({ HTTPS_PROXY: 'http://alice:secret@proxy:3128' })({ protocol: 'https:', hostname: 's3' })
    const { check } = await look({ way: { ...DIRECTLY, settings: ['FIPS'], proxy, caBundle: '/etc/pki/company.pem' } })
    expect(check('network')?.what).toBe(
      'https://backups.s3.eu-west-1.amazonaws.com through the proxy http://proxy:3128 (HTTPS_PROXY), FIPS, ' +
        'trusting /etc/pki/company.pem too',
    )
  })
})

describe("on a server that is not AWS's, it is tried what the server compares", () => {
  const way: EndpointInfo = { ...DIRECTLY, endpoint: 'https://s3.example.com' }
  const KEY = `data/daily/${HOST}/19700101T000000Z-checks/preflight.tar`
  const left = ({ objects, uploads }: MemoryStore) => ({ objects: [...objects.keys()], uploads: uploads.size })

  test('and what is wrong is refused: nothing stays', async () => {
    const { status, check, bucket } = await look({ way })
    expect(status).toBe(0)
    expect(check('checksums')).toEqual({
      name: 'checksums',
      status: 'ok',
      what: 'a part and an upload of two parts are refused if their checksums are wrong',
    })
    expect(left(bucket)).toEqual({ objects: [], uploads: 0 })
  })

  test('one that takes a part with a wrong checksum compares nothing, and nothing stays', async () => {
    const { status, check, bucket } = await look({ way, store: memoryStore({ keepsChecksums: false }) })
    expect(status).toBe(0)
    expect(check('checksums')).toMatchObject({ status: 'warn', fix: expect.stringContaining('--verify stream') })
    expect(left(bucket)).toEqual({ objects: [], uploads: 0 })
  })

  test('one that says of a wrong checksum that it is right makes every backup a false success', async () => {
    const completeUpload = async () => ({ confirmed: true })
    const { status, check } = await look({ way, store: { completeUpload } })
    expect(status).toBe(1)
    expect(check('checksums')).toMatchObject({ status: 'fail', what: expect.stringContaining('confirmed') })
  })

  test('one that compares parts and not the whole keeps one object, however often it is looked at', async () => {
    const store = memoryStore()
    const completeUpload: MemoryStore['completeUpload'] = async (upload, parts, { sizeBytes }, signal) => {
      const body = Buffer.concat([...(store.uploads.get(upload.uploadId)?.parts.values() ?? [])])
      await store.completeUpload(upload, parts, { sizeBytes, crc32: crc32(body) }, signal)
      return { confirmed: false }
    }
    const first = await look({ way, store: { ...store, completeUpload } })
    expect(first.check('checksums')).toMatchObject({ status: 'warn', what: expect.stringContaining('only the size') })
    const second = await look({ way, store: { ...store, completeUpload } })
    expect(second.check('checksums')).toMatchObject({
      status: 'warn',
      fix: expect.stringContaining('delete the object'),
    })
    expect([first.status, second.status]).toEqual([0, 0])
    expect(left(store)).toEqual({ objects: [KEY], uploads: 0 })
  })

  test('one that stores what is wrong and says so is found out by every backup', async () => {
    const { status, check } = await look({
      way,
      store: {
        completeUpload: denied('CHECKSUM_MISMATCH', 'it has CRC32 1, sent was 2'),
        head: async (key) => ({ key, sizeBytes: 1, lastModified: new Date(), storageClass: 'STANDARD', crc32: 1 }),
      },
    })
    expect(status).toBe(0)
    expect(check('checksums')).toMatchObject({ status: 'ok', what: expect.stringContaining(`${KEY} stays`) })
  })

  test('one that refuses every completion is found out before the first backup', async () => {
    const completeUpload = denied('STORE_FAILED', 'Value for x-amz-checksum-crc32 header is invalid')
    const { status, check, bucket } = await look({ way, store: { completeUpload } })
    expect(status).toBe(1)
    expect(check('checksums')).toMatchObject({
      status: 'fail',
      what: 'Value for x-amz-checksum-crc32 header is invalid',
      fix: expect.stringContaining('"snapstream help servers"'),
    })
    expect(left(bucket)).toEqual({ objects: [], uploads: 0 })
  })

  test('and nothing where nothing may be written, which is told once', async () => {
    const store = { createUpload: denied('ACCESS_DENIED', 's3:PutObject is denied') }
    const { check } = await look({ way, store })
    expect(check('writing')).toMatchObject({ status: 'fail' })
    expect(check('checksums')).toBeUndefined()
  })
})

describe('--probe-upload', () => {
  test('completes an upload as a backup does, which cannot be overwritten, and says what stays', async () => {
    const { status, check, bucket } = await look({ probeUpload: true })
    const [[key = '', object] = []] = bucket.objects
    expect(key).toMatch(new RegExp(`^data/daily/${HOST}/20260202T050506Z-[a-z0-9]{6}/preflight\\.`))
    expect(object?.body).toHaveLength(5 * 1024 * 1024 + 1)
    expect({ status, objects: bucket.objects.size, uploads: bucket.uploads.size }).toEqual({
      ...{ status: 0, objects: 1, uploads: 0 },
    })
    expect(check('completing')).toEqual({
      name: 'completing',
      status: 'ok',
      what: `${key}, in two parts, is confirmed with its checksum and cannot be overwritten; it stays until it expires`,
    })
  })

  test('finds a server that refuses completions with a checksum, before the first backup does', async () => {
    const completeUpload = denied('STORE_FAILED', 'Value for x-amz-checksum-crc32 header is invalid')
    const { status, check, bucket } = await look({ probeUpload: true, store: { completeUpload } })
    expect(check('writing')).toMatchObject({ status: 'ok' })
    expect(check('completing')).toMatchObject({
      status: 'fail',
      what: 'Value for x-amz-checksum-crc32 header is invalid',
      fix: expect.stringContaining('"snapstream help servers"'),
    })
    expect({ status, uploads: bucket.uploads.size }).toEqual({ status: 1, uploads: 0 })
  })

  test('warns where checksums are not kept, as every backup will be read back', async () => {
    const { status, check } = await look({ probeUpload: true, store: memoryStore({ keepsChecksums: false }) })
    expect(status).toBe(0)
    expect(check('completing')).toMatchObject({ status: 'warn', fix: expect.stringContaining('read back') })
  })

  test('finds a server on which a second object takes the place of the first', async () => {
    const { status, check } = await look({ probeUpload: true, store: { put: async () => {} } })
    expect(status).toBe(1)
    expect(check('completing')).toMatchObject({ status: 'fail', what: expect.stringContaining('overwritten') })
  })

  test('is not tried where nothing may be written, which is told once', async () => {
    const store = { createUpload: denied('ACCESS_DENIED', 's3:PutObject is denied') }
    const { check } = await look({ probeUpload: true, store })
    expect(check('writing')).toMatchObject({ status: 'fail' })
    expect(check('completing')).toBeUndefined()
  })
})

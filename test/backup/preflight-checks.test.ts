import {
  describeHooks,
  describeVolumes,
  describeWay,
  formatChecks,
  judgeClock,
  judgeFailure,
  judgeLeftovers,
  judgeOthers,
  judgeRoot,
  judgeSpace,
  judgeTools,
  judgeVersioning,
  TOOLS,
  type Check,
} from '../../agent/backup/preflight-checks'
import { AgentError } from '../../agent/errors'
import { selectVolumes } from '../../agent/source/select'
import { storage, surveyOf } from '../support/storage'
import { snapshotRequestOf } from '../support/snapshot-request'

const request = snapshotRequestOf()
const unplugged = new AgentError('ENDPOINT_UNREACHABLE', 'no way there', { hint: 'Find one.' })

test('root may do all, and anybody else is told to use sudo', () => {
  expect(judgeRoot(true)).toBe('runs as root')
  expect(judgeRoot(false)).toMatchObject({ status: 'fail', fix: expect.stringContaining('sudo') as string })
})

test.each<[string, unknown, string, string]>([
  ['ours', unplugged, 'no way there', 'Find one.'],
  ['ours, before its clean-up failed', new SuppressedError(new Error('busy'), unplugged), 'no way there', 'Find one.'],
  ['nobody’s', new RangeError('odd'), 'RangeError: odd', expect.stringContaining('report it') as string],
])('an error that is %s fails the check', (_, error, what, fix) => {
  expect(judgeFailure(error)).toEqual({ status: 'fail', what, fix })
})

test('missing tools are named, and each package once', () => {
  const [timeout, df, , mount] = TOOLS
  expect(judgeTools([], ['LVM'])).toBe('LVM, mount and flock are there')
  expect(judgeTools([timeout!, df!, mount!], ['LVM'])).toEqual({
    status: 'fail',
    what: 'not installed, or not in PATH: timeout, df, mount',
    fix: 'Install coreutils, util-linux with the package manager of this system.',
  })
})

test.each([
  [0, 'ok', "agrees with the server's"],
  [0.4, 'ok', "agrees with the server's"],
  [60, 'ok', '60 s behind'],
  [-61, 'warn', '61 s ahead of'],
  [300, 'warn', '300 s behind'],
  [301, 'fail', '301 s behind'],
])('a clock with %d s of skew: %s', (skew, status, said) => {
  const judgement = judgeClock(skew)
  expect(typeof judgement === 'string' ? ['ok', judgement] : [judgement.status, judgement.what]).toEqual([
    status,
    expect.stringContaining(said),
  ])
})

describe('versioning', () => {
  const there = { bucket: 'backups', region: 'eu-west-1' }

  test('that is on is as it should be', () => {
    expect(judgeVersioning('Enabled', there)).toMatch(/^on: /)
  })

  test.each([
    ['Off', 'off: a deleted backup is gone at once'],
    ['Suspended', 'suspended: a deleted backup is gone at once'],
  ] as const)('that is %s is switched on by a command that can be pasted', (versioning, what) => {
    expect(judgeVersioning(versioning, { ...there, endpointUrl: 'https://s3.example.net' })).toEqual({
      status: 'warn',
      what,
      fix:
        'Switch it on: aws s3api put-bucket-versioning --bucket backups --region eu-west-1 ' +
        '--endpoint-url https://s3.example.net --versioning-configuration Status=Enabled',
    })
  })

  test('that cannot be seen is no proof of either', () => {
    expect(judgeVersioning('unknown', there)).toMatchObject({
      status: 'warn',
      fix: expect.stringContaining('s3:GetBucketVersioning') as string,
    })
  })
})

test.each([
  [{ settings: [], proxy: undefined, caBundle: undefined }, 'directly'],
  [
    {
      settings: ['FIPS'],
      proxy: {
        ...{ protocol: 'http:' as const, hostname: 'proxy', port: 3128, authorization: 'Basic c2VjcmV0' },
        ...{ url: 'http://proxy:3128', variable: 'HTTPS_PROXY' },
      },
      caBundle: '/etc/ca.pem',
    },
    'through the proxy http://proxy:3128 (HTTPS_PROXY), FIPS, trusting /etc/ca.pem too',
  ],
])('the way to the bucket, with no secret in it: %#', (way, said) => {
  expect(describeWay({ endpoint: 'https://s3.example.net', ...way })).toBe(`https://s3.example.net ${said}`)
})

test.each([
  [[], [], expect.stringMatching(/^none: .*power cut/)],
  [['/opt/freeze'], [], 'before the snapshots /opt/freeze; after them none'],
  [['/opt/a', '/opt/b'], ['/opt/thaw'], 'before the snapshots /opt/a, /opt/b; after them /opt/thaw'],
])('hooks %j and %j', (pre, post, said) => {
  expect(describeHooks({ pre, post })).toEqual(said)
})

describe('of a host with a full group and a partition', () => {
  const host = storage({
    freeMiB: 0,
    logicalVolumes: [
      { name: 'a' },
      { name: 'b', thinPool: 'pool', group: 'other' },
      { name: 'pool', group: 'other', dataPercent: 99 },
    ],
    mounts: [
      { of: 0, target: '/a' },
      { of: 1, target: '/b' },
      { of: '/dev/nvme0n1p1', target: '/boot', deviceNumber: '259:1' },
    ],
  })
  const survey = surveyOf(host)
  const selection = selectVolumes(survey)

  test('the volumes are named with what they hold', () => {
    expect(describeVolumes(selection)).toBe('2 to back up: /a (ext4, 0 B used), /b (ext4, 0 B used)')
  })

  test('what cannot be backed up is a warning, with where to move it', () => {
    expect(judgeOthers(survey, selection)).toEqual({
      status: 'warn',
      what: 'not backed up: /boot (not on LVM)',
      fix: expect.stringMatching(/move each to a logical volume of LVM .* --require-all/) as string,
    })
    expect(judgeOthers(survey, { ...selection, unsupported: [] })).toMatch(/^snapshots can be taken of all/)
  })

  test('all groups without room are named at once', () => {
    expect(judgeSpace(survey, selection.volumes, request)).toMatchObject({
      status: 'fail',
      what: expect.stringMatching(/^volume group vg has .*; thin pool other\/pool has no room/) as string,
      fix: expect.stringMatching(/vgextend.*lvextend/) as string,
    })
  })

  test('one group without room hides no other that has some', () => {
    const roomy = surveyOf({ ...host, groups: host.groups.map((group) => ({ ...group, freeBytes: 1024 ** 3 })) })
    expect(judgeSpace(roomy, selection.volumes, request)).toMatchObject({
      what: expect.stringMatching(/^thin pool other\/pool/) as string,
    })
    expect(judgeSpace(roomy, selection.volumes.slice(0, 1), request)).toMatch(/^vg: 1 thick, taking /)
  })
})

test('what a killed run left is a warning, and a clean host has none', () => {
  expect(judgeLeftovers({ mounts: [], snapshots: [], uploads: [] })).toBe('none')
  const upload = { key: 'data/x', uploadId: 'u' }
  expect(judgeLeftovers({ mounts: ['/run/snapstream/r/a'], snapshots: [], uploads: [upload, upload] })).toMatchObject({
    status: 'warn',
    what: expect.stringMatching(/^0 snapshots, 1 mounts, 2 uploads /) as string,
  })
})

describe('the report', () => {
  const ok: Check = { name: 'root', status: 'ok', what: 'runs as root' }
  const warn: Check = { name: 'clock', status: 'warn', what: '90 s behind', fix: 'Set it.' }
  const fail: Check = { name: 'bucket', status: 'fail', what: 'is missing', fix: 'Make it.' }

  test('begins with the verdict, then with what is wrong: the end may be cut off', () => {
    expect(formatChecks([ok, warn, fail]).trimEnd().split('\n')).toEqual([
      'Preflight: NOT READY, 1 of 3 checks failed, 1 warning',
      expect.stringMatching(/^ +FAIL +bucket +is missing$/),
      '        HINT: Make it.',
      expect.stringMatching(/^ +WARN +clock +90 s behind$/),
      '        HINT: Set it.',
      expect.stringMatching(/^ +OK +root +runs as root$/),
    ])
  })

  test.each([
    [[ok], 'Preflight: READY'],
    [[ok, warn, warn], 'Preflight: READY, 2 warnings'],
  ])('is ready where nothing failed: %#', (checks, verdict) => {
    expect(formatChecks(checks).split('\n')[0]).toBe(verdict)
  })
})

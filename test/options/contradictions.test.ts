import type { AnyRequest, CommandName } from '../../agent/options/commands'
import { findContradiction } from '../../agent/options/contradictions'
import { requestOf } from '../support/request'

const RUN = '20260131T020000Z-k3xw7a'

/** A request as it would be if nobody had looked for contradictions: the parser lets none through. */
function request(command: CommandName, changes: object, ...options: readonly string[]): AnyRequest {
  return { ...requestOf(command, 'db1', ...options), ...changes }
}

test.each<[string, AnyRequest, string]>([
  [
    'volumes to back up, and volumes to leave out',
    request('backup', { volumes: ['/'], excludeVolumes: ['/srv'] }),
    '--volumes and --exclude-volumes are both given',
  ],
  [
    'the same, asked of preflight',
    request('preflight', { volumes: ['/'], excludeVolumes: ['/srv'] }),
    '--volumes and --exclude-volumes are both given',
  ],
  ...(['find', 'restore', 'restore-plan', 'restore-status'] as const).map((command): [string, AnyRequest, string] => {
    const options = { find: ['*.conf'], restore: ['--in-place'], 'restore-plan': [], 'restore-status': [] }[command]
    return [
      `a run and a time, asked of ${command}`,
      request(command, { run: RUN, at: new Date() }, ...options),
      '--run and --at are both given',
    ]
  }),
  [
    'two sources for all filesystems',
    request('backup', { source: ['lvm', 'ebs'] }),
    '--source is given twice for all filesystems',
  ],
  [
    'two sources for one filesystem',
    request('preflight', { source: ['/srv=lvm', 'auto', '/srv=ebs'] }),
    '--source is given twice for /srv',
  ],
  [
    'reading back what was archived at once',
    request('backup', { verify: 'stream', storageClass: 'GLACIER' }),
    '--verify stream cannot read back what --storage-class GLACIER has archived',
  ],
  [
    'comparing what was archived at once',
    request('backup', { verify: 'source', storageClass: 'DEEP_ARCHIVE' }),
    '--verify source cannot read back what --storage-class DEEP_ARCHIVE has archived',
  ],
  ...(['checksum', 'stream', 'none'] as const).map((verify): [string, AnyRequest, string] => [
    `a sample with --verify ${verify}`,
    request('backup', { sample: { count: 1, parts: 7 }, verify }),
    `--sample is given, and --verify ${verify} compares nothing with the source`,
  ]),
  ...(
    [
      ['--run', { run: RUN }],
      ['--volume', { volume: ['/srv'] }],
      ['--path', { path: ['/srv/x'] }],
    ] as const
  ).map(([flag, changes]): [string, AnyRequest, string] => [
    `a drill of whichever host, with ${flag}`,
    request('drill', { host: undefined, ...changes }),
    `${flag} is given, and no host`,
  ]),
  [
    'a share of some paths',
    request('drill', { share: { count: 1, parts: 7 }, path: ['/srv'] }),
    '--share and --path are both given',
  ],
  ['hosts and debris', request('list', { hosts: true, debris: true }), '--hosts and --debris are both given'],
  ['a limit to debris', request('list', { debris: true, limit: 5 }), '--debris and --limit are both given'],
  [
    'deleted debris',
    request('list', { debris: true, includeDeleted: true }),
    '--debris and --include-deleted are both given',
  ],
  ['times of debris', request('list', { debris: true, trustTimes: true }), '--debris and --trust-times are both given'],
])('%s', (_, asked, what) => {
  expect(findContradiction(asked)).toEqual({ what, fix: expect.stringMatching(/\.$/) as string })
})

test.each<[string, AnyRequest]>([
  ['volumes alone', request('backup', { volumes: ['/'] })],
  ['volumes to leave out alone', request('backup', { excludeVolumes: ['/'] })],
  ['a run alone', request('restore-status', { run: RUN })],
  ['a time alone', request('restore-status', { at: new Date() })],
  ['reading back what can be read at once', request('backup', { verify: 'stream', storageClass: 'GLACIER_IR' })],
  ['archiving at once what only S3 looks at', request('backup', { verify: 'checksum', storageClass: 'GLACIER' })],
  ['a sample that is compared', request('backup', { sample: { count: 1, parts: 7 }, verify: 'source' })],
  ['debris alone', request('list', { debris: true })],
  ['so many of all hosts', request('list', { hosts: true, limit: 5 })],
])('no contradiction: %s', (_, asked) => {
  expect(findContradiction(asked)).toBeUndefined()
})

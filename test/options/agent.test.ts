import { AGENT, resolveRequest, type CommandLine } from '../../agent/options/agent'
import { parseArguments } from '../../agent/options/parse-argv'
import { CONFIG_FILE } from '../../agent/contract'
import { refusal } from '../support/refusal'

function requested(...argv: string[]) {
  return resolveRequest(parseArguments(AGENT, argv) as CommandLine, {}, {})
}

test('a backup with nothing but a bucket has every default', () => {
  expect(requested('backup', '--bucket', 'my-backups')).toEqual({
    command: 'backup',
    bucket: 'my-backups',
    class: 'daily',
    host: undefined,
    volumes: [],
    excludeVolumes: [],
    source: [],
    freeze: false,
    ebsKeepLast: 'yes',
    ebsEngine: 'snapshot',
    ec2EndpointUrl: undefined,
    exclude: [],
    excludeCaches: false,
    excludeIfPresent: [],
    requireAll: false,
    dryRun: false,
    storageClass: undefined,
    compression: 'zstd',
    compressionLevel: 3,
    level: 'full',
    fullEvery: 604_800,
    snapshotSize: { kind: 'auto' },
    preHook: [],
    postHook: [],
    onHookFailure: 'abort',
    hookTimeout: 60,
    parallel: 2,
    bandwidthLimit: undefined,
    nice: undefined,
    verify: 'checksum',
    sample: undefined,
    deadline: undefined,
    region: undefined,
    endpointUrl: undefined,
    json: false,
    logLevel: undefined,
    config: CONFIG_FILE,
  })
})

test.each([['--target=/mnt'], ['--in-place'], ['--stdout']])('a restore may go to %s', (destination) => {
  expect(requested('restore', '--bucket=backups', destination)).toMatchObject({ command: 'restore' })
})

test.each([
  [[], 'no destination for the restore is given'],
  [['--target=/mnt', '--in-place'], '--target and --in-place are given'],
  [['--in-place', '--stdout'], '--in-place and --stdout are given'],
  [['--target=/mnt', '--in-place', '--stdout'], '--target and --in-place and --stdout are given'],
])('a restore with %j is not guessed at', (argv, message) => {
  expect(refusal(() => requested('restore', '--bucket=backups', ...argv))).toEqual({
    code: 'USAGE',
    message,
    hint: 'Give one of --target DIRECTORY, --in-place and --stdout.',
  })
})

test('who is told of a contradiction is told where the other half of it may be', () => {
  expect(refusal(() => requested('list', '--bucket=backups', '--hosts', '--debris'))).toEqual({
    code: 'USAGE',
    message: '--hosts and --debris are both given',
    hint: 'List the hosts first, then the debris of one: --host. Check the variables and the configuration file too.',
  })
})

test('a drill is of the host that the flag names, and not of the machine that it is done on', () => {
  const resolve = (...argv: string[]) => {
    const invocation = parseArguments(AGENT, ['drill', '--bucket', 'my-backups', ...argv]) as CommandLine
    return resolveRequest(invocation, { SNAPSTREAM_HOST: 'rescue1' }, { host: 'rescue1', scratch: '/mnt/scratch' })
  }
  expect(resolve()).toMatchObject({ host: undefined, scratch: '/mnt/scratch' })
  expect(resolve('--host', 'db1')).toMatchObject({ host: 'db1' })
})

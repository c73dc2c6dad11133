import { AGENT, resolveRequest } from '../../agent/options/agent'
import { parseArguments } from '../../agent/options/parse-argv'
import { chooseConfigFile, suggestVariableNames, parseConfig, type Environment } from '../../agent/options/resolve'
import { refusal } from '../support/refusal'

const FILE = '/etc/snapstream/config.json'

function request(argv: readonly string[], environment: Environment = {}, config?: object) {
  const invocation = parseArguments(AGENT, argv)
  if (invocation.kind !== 'command') throw new Error(`${argv.join(' ')} is a ${invocation.kind}`)
  return resolveRequest(invocation, environment, config ? parseConfig(AGENT, JSON.stringify(config), FILE) : {})
}

describe('what was asked for', () => {
  test('flags win over variables, variables over the file, the file over defaults', () => {
    const config = { bucket: 'from-file', compressionLevel: 7, parallel: 4, class: 'monthly' }
    const environment = { SNAPSTREAM_COMPRESSION_LEVEL: '9', SNAPSTREAM_CLASS: 'weekly' }
    expect(request(['backup', '--class=yearly'], environment, config)).toMatchObject({
      class: 'yearly',
      compressionLevel: 9,
      parallel: 4,
      compression: 'zstd',
      bucket: 'from-file',
    })
  })

  test('an empty variable counts as not given, as a unit file may leave it', () => {
    expect(request(['backup', '--bucket=abc'], { SNAPSTREAM_CLASS: '', SNAPSTREAM_VOLUMES: '' })).toMatchObject({
      class: 'daily',
      volumes: [],
    })
  })

  test('a switch that the file turned on is turned off again by its flag', () => {
    const config = { bucket: 'abc', dryRun: true, requireAll: true }
    expect(request(['backup', '--no-dry-run'], {}, config)).toMatchObject({ dryRun: false, requireAll: true })
  })

  test('a list on the command line replaces the list in the file', () => {
    const config = { bucket: 'abc', volumes: ['/', '/home'] }
    expect(request(['backup', '--volumes=/srv'], {}, config)).toMatchObject({ volumes: ['/srv'] })
  })

  test('list narrows to a class only where one is named', () => {
    expect(request(['list', '--bucket=abc'])).toMatchObject({ class: undefined })
    expect(request(['list', '--bucket=abc', '--class=monthly'])).toMatchObject({ class: 'monthly' })
    expect(request(['verify', '--bucket=abc', '--run=20260131T020000Z-k3xw7a'])).toMatchObject({ class: undefined })
  })

  test('the file is looked for where the flag or the variable says, else where it always is', () => {
    expect(chooseConfigFile(AGENT, {}, {})).toEqual({ file: FILE, named: false })
    expect(chooseConfigFile(AGENT, {}, { SNAPSTREAM_CONFIG: '/a.json' })).toEqual({ file: '/a.json', named: true })
    expect(chooseConfigFile(AGENT, { config: ['/b.json'] }, { SNAPSTREAM_CONFIG: '/a.json' })).toEqual({
      file: '/b.json',
      named: true,
    })
  })
})

test("a misspelt variable is told of, everybody else's are left alone", () => {
  const environment = {
    SNAPSTREAM_BUKCET: 'abc',
    SNAPSTREAM_CLASS: 'daily',
    SNAPSTREAM_EXECUTION_ID: 'x',
    PATH: '/bin',
  }
  expect(suggestVariableNames(AGENT, environment)).toEqual([
    'SNAPSTREAM_BUKCET has no effect. Did you mean SNAPSTREAM_BUCKET?',
  ])
})

describe('ways to write a value', () => {
  test.each([
    ['volumes', ['--volumes', '/srv/,/', '--volumes=//var//lib/'], ['/srv', '/', '/var/lib']],
    ['volumes', ['--volumes', '/srv, /home'], ['/srv', '/home']],
    ['exclude', ['--exclude', './a,b', '--exclude=./*.tmp'], ['./a,b', './*.tmp']],
    ['preHook', ['--pre-hook', '/opt/db/freeze'], ['/opt/db/freeze']],
    ['snapshotSize', ['--snapshot-size', '15%'], { kind: 'percent', percent: 15 }],
    ['snapshotSize', ['--snapshot-size', '10G'], { kind: 'bytes', sizeBytes: 10 * 1024 ** 3 }],
    ['snapshotSize', ['--snapshot-size', '1.5GiB'], { kind: 'bytes', sizeBytes: 1.5 * 1024 ** 3 }],
    ['bandwidthLimit', ['--bandwidth-limit', '50M'], 50 * 1024 ** 2],
    ['bandwidthLimit', ['--bandwidth-limit', '64k'], 64 * 1024],
    ['deadline', ['--deadline', '3h'], 3 * 3600],
    ['deadline', ['--deadline', '90'], 90],
    ['hookTimeout', ['--hook-timeout', '2m'], 120],
    ['compressionLevel', ['--compression-level', '3', '--compression-level', '19'], 19],
    ['storageClass', ['--storage-class', 'DEEP_ARCHIVE'], 'DEEP_ARCHIVE'],
    [
      'host',
      ['--host', 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc'],
      'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc',
    ],
    ['endpointUrl', ['--endpoint-url', 'http://127.0.0.1:7480'], 'http://127.0.0.1:7480'],
  ])('%s as in %j', (name, argv, expected) => {
    expect(request(['backup', '--bucket=abc', ...argv])).toHaveProperty(name, expected)
  })

  test('the file has numbers, switches and lists as JSON has them', () => {
    const config = {
      bucket: 'abc',
      compressionLevel: 5,
      requireAll: true,
      exclude: ['./a\nb'],
      deadline: 90,
      bandwidthLimit: '1M',
    }
    expect(request(['backup'], {}, config)).toMatchObject({ ...config, bandwidthLimit: 1024 ** 2 })
  })
})

describe('a value that cannot be is refused, whichever way it came', () => {
  test.each([
    ['--bucket', 'My_Bucket', 'the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens'],
    ['--class', 'a/b', 'up to 32 lower-case letters, digits and hyphens'],
    ['--class', '', 'up to 32 lower-case letters, digits and hyphens'],
    ['--host', '../other', "an instance's ARN, or letters, digits, dots, hyphens and underscores"],
    ['--host', 'a/../b', "an instance's ARN, or letters, digits, dots, hyphens and underscores"],
    ['--volumes', 'home', 'an absolute path such as /srv, without ".."'],
    ['--volumes', '/srv/../etc', 'an absolute path such as /srv, without ".."'],
    ['--compression-level', '20', 'a whole number from 1 to 19'],
    ['--compression-level', '3.5', 'a whole number from 1 to 19'],
    ['--compression-level', '-1', 'a whole number from 1 to 19'],
    ['--compression', 'gzip', 'one of zstd, none'],
    [
      '--snapshot-size',
      '0%',
      '"auto", a percentage of the volume from 1% to 100%, or a size of at least 4M such as 10G',
    ],
    [
      '--snapshot-size',
      '101%',
      '"auto", a percentage of the volume from 1% to 100%, or a size of at least 4M such as 10G',
    ],
    [
      '--snapshot-size',
      '10',
      '"auto", a percentage of the volume from 1% to 100%, or a size of at least 4M such as 10G',
    ],
    ['--bandwidth-limit', '50MB', 'a size per second of at least 64K, such as 50M'],
    ['--bandwidth-limit', '1K', 'a size per second of at least 64K, such as 50M'],
    ['--deadline', '3 days', 'a time from 1s to 48h, such as 3h'],
    ['--deadline', '49h', 'a time from 1s to 48h, such as 3h'],
    ['--hook-timeout', '0', 'a time from 1s to 10m'],
    ['--endpoint-url', 'ftp://x', 'a URL such as https://s3.example.net, without credentials'],
    ['--endpoint-url', 'http://key:secret@x', 'a URL such as https://s3.example.net, without credentials'],
    ['--on-hook-failure', 'ignore', 'one of abort, continue'],
    ['--level', 'incremental', 'one of full, differential, auto'],
    ['--full-every', '59m', 'a time from 1h to 365d, such as 7d'],
    ['--full-every', '366d', 'a time from 1h to 365d, such as 7d'],
    ['--log-level', 'trace', 'one of debug, info, warn, error'],
  ])('%s %s', (flag, value, expected) => {
    const { code, message } = refusal(() => request(['backup', '--bucket=abc', flag, value]))
    expect({ code, message }).toEqual({
      code: 'USAGE',
      message: expect.stringContaining(`${flag} must be ${expected}, not`),
    })
    expect(message).toContain(value)
  })

  test('a variable is named as the operator set it', () => {
    expect(refusal(() => request(['backup', '--bucket=abc'], { SNAPSTREAM_DRY_RUN: 'yes' })).message).toBe(
      "SNAPSTREAM_DRY_RUN must be true or false, not 'yes'",
    )
  })

  test('the value that was probably meant is offered', () => {
    expect(refusal(() => request(['backup', '--storage-class', 'STANDARD_AI'])).hint).toMatch(
      /^Did you mean STANDARD_IA\?/,
    )
  })

  test('a run has to look like one', () => {
    expect(refusal(() => request(['verify', '--bucket=abc', '--run=latest']))).toEqual({
      code: 'USAGE',
      message: "--run must be the name of a run such as 20260131T020000Z-k3xw7a, not 'latest'",
      hint: '--run: the run, as "snapstream list" shows it.',
    })
  })

  test('no bucket: the three ways to name one', () => {
    expect(refusal(() => request(['backup']))).toEqual({
      code: 'USAGE',
      message: 'backup needs to know the bucket: --bucket is missing',
      hint: 'Give --bucket, set SNAPSTREAM_BUCKET, or set "bucket" in /etc/snapstream/config.json.',
    })
  })

  test('comparing with the source when the snapshot is gone: where it can be done is said', () => {
    const argv = ['verify', '--bucket=abc', '--run=20260131T020000Z-k3xw7a', '--depth=source']
    expect(refusal(() => request(argv))).toEqual({
      code: 'USAGE',
      message: "--depth must be one of checksum, stream, not 'source'",
      hint: expect.stringMatching(
        /^The source of a backup is gone with its snapshot: .*"snapstream backup --verify source"\. /,
      ),
    })
    expect(refusal(() => parseConfig(AGENT, '{"depth": "source"}', FILE)).hint).toMatch(
      /snapstream backup --verify source/,
    )
    expect(refusal(() => request([...argv.slice(0, -1), '--depth=constructor'])).hint).toMatch(/^--depth: how deep/)
  })
})

describe('a bad configuration file is refused with the path of the wrong field', () => {
  test.each([
    ['{"bukcet": "abc"}', 'unknown field "bukcet"', /^Did you mean bucket\?/],
    ['{"config": "/x.json"}', 'unknown field "config"', /Fields are named as options/],
    ['{"compressionLevel": 20}', 'compressionLevel must be a whole number from 1 to 19, not 20', /--compression-level/],
    [
      '{"compressionLevel": "3"}',
      "compressionLevel must be a whole number from 1 to 19, not '3'",
      /--compression-level/,
    ],
    [
      '{"level": 9}',
      'level must be one of full, differential, auto, not 9',
      /^The level of the compression is --compression-level\./,
    ],
    ['{"dryRun": "yes"}', "dryRun must be true or false, not 'yes'", /--dry-run/],
    ['{"compression": "zst"}', "compression must be one of zstd, none, not 'zst'", /^Did you mean zstd\?/],
    [
      '{"volumes": ["/", "home"]}',
      `volumes[1] must be an absolute path such as /srv, without "..", not 'home'`,
      /--volumes/,
    ],
    [
      '{"volumes": "/"}',
      `volumes must be a list, each item an absolute path such as /srv, without "..", not '/'`,
      /--volumes/,
    ],
    [
      '{"snapshotSize": {}}',
      'snapshotSize must be "auto", a percentage of the volume from 1% to 100%, or a size of at least 4M such as 10G, not {}',
      /--snapshot-size/,
    ],
    ['["bucket"]', 'must be one JSON object', /Write options by name/],
    ['{"bucket": "abc",}', /^\/etc\/snapstream\/config\.json: is not JSON: .*position/, /no comments/],
    ['', /is not JSON/, /no comments/],
  ])('%s', (json, message, hint) => {
    const error = refusal(() => parseConfig(AGENT, json, FILE))
    expect(error.code).toBe('CONFIG_INVALID')
    if (typeof message === 'string') expect(error.message).toBe(`${FILE}: ${message}`)
    else expect(error.message).toMatch(message)
    expect(error.hint).toMatch(hint)
  })
})

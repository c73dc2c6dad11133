/** What a parameter of an SSM document may be, held against what the agent itself takes. */
import fc from 'fast-check'
import { anchored, durationGrammar, numberGrammar, sizeGrammar } from '../../agent/options/grammar'
import { OPTION_NAMES, OPTIONS, type OptionName } from '../../agent/options/table'
import { compileForAgent, findPatternProblem } from '../../infra/ssm-pattern'

const patternOf = (name: OptionName) => anchored(OPTIONS[name].kind.grammar)
const patterns = new Map(OPTION_NAMES.map((name) => [name, compileForAgent(patternOf(name))]))
const documentTakes = (name: OptionName, text: string) => patterns.get(name)!.test(text)
const agentTakes = (name: OptionName, text: string) => {
  const { schema, fromText } = OPTIONS[name].kind
  return schema.safeParse(fromText(text)).success
}

/** What takes more than a regular expression to see: the agent refuses it when the command has come. */
const SEEN_BY_THE_AGENT_ALONE: Partial<Record<OptionName, (text: string) => boolean>> = {
  at: (text) => !new Date(`${text.slice(0, 10)}T00:00:00Z`).toJSON().startsWith(text.slice(0, 10)),
  sample: (text) => Number(text.split('/')[0]) > Number(text.split('/')[1]),
}

/** By option: what a document has to take, as people write it. */
const SAMPLES: Record<OptionName, readonly string[]> = {
  bucket: ['my-backups', 'snapstream-vault-1a2b3c', 'with.dots'],
  class: ['daily', 'monthly-7'],
  host: ['db1', 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'],
  run: ['20260131T020000Z-k3xw7a'],
  at: ['2026-01-31', '2026-01-31T14:00', '2026-01-31T14:00:59Z', '2026-01-31 14:00+01:00'],
  pattern: ['*.conf', '/etc/**/[a-z]?.d'],
  path: ['/home/ann/letter to bob.txt', 'etc/', './a,b', '/srv/..data', '/srv/...', '/a:b=c'],
  target: ['/', '/restored', '/srv//x/', '/srv/.hidden/a..b'],
  mountAt: ['/mnt'],
  disk: ['/dev/sdb=/dev/nvme1n1', '/dev/sdb=/dev/sdc,/dev/vg0/a=/dev/sdd'],
  script: ['/root/plan.sh'],
  inPlace: ['true', 'false'],
  stdout: ['true', 'false'],
  onConflict: ['fail', 'newer'],
  resume: ['true', 'false'],
  bestEffort: ['true', 'false'],
  includeDeleted: ['true', 'false'],
  debris: ['true', 'false'],
  trustTimes: ['true', 'false'],
  thaw: ['bulk', 'expedited'],
  days: ['1', '7', '365'],
  wait: ['true', 'false'],
  volume: ['/', '/srv', 'vg0-home', '/srv,vg0-home'],
  volumes: ['/', '/srv,/home/ann'],
  excludeVolumes: ['/tmp'],
  exclude: ['/var/cache/*', '*.tmp', '[!a]?'],
  requireAll: ['true', 'false'],
  limit: ['1', '99999', '100000'],
  probeUpload: ['true', 'false'],
  dryRun: ['true', 'false'],
  storageClass: ['STANDARD', 'DEEP_ARCHIVE'],
  compression: ['zstd', 'none'],
  level: ['1', '10', '19'],
  snapshotSize: ['auto', '1%', '15%', '100%', '4M', '4096K', '10GiB'],
  preHook: ['/opt/db/freeze'],
  postHook: ['/opt/db/thaw'],
  onHookFailure: ['abort', 'continue'],
  hookTimeout: ['1', '600s', '10m'],
  parallel: ['1', '16'],
  bandwidthLimit: ['64K', '50M', '1G', '1TiB'],
  nice: ['0', '19'],
  verify: ['none', 'source'],
  sample: ['1/7', '7/7', '999/1000'],
  depth: ['checksum', 'stream'],
  deadline: ['90', '3h', '48h', '172800'],
  region: ['eu-west-1', 'us-gov-west-1', 'garage'],
  endpointUrl: ['https://s3.example.net', 'http://127.0.0.1:7480/path'],
  json: ['true', 'false'],
  logLevel: ['info'],
  config: ['/etc/snapstream/config.json'],
}

/** By option: what the agent refuses, and so has a document to. */
const REFUSED: readonly (readonly [OptionName, string])[] = [
  ['bandwidthLimit', '63K'],
  ['bandwidthLimit', '0M'],
  ['snapshotSize', '0%'],
  ['snapshotSize', '101%'],
  ['snapshotSize', '3M'],
  ['sample', '0/7'],
  ['sample', '1/1001'],
  ['days', '0'],
  ['days', '366'],
  ['nice', '20'],
  ['hookTimeout', '0s'],
  ['hookTimeout', '601'],
  ['hookTimeout', '11m'],
  ['hookTimeout', '1h'],
  ['deadline', '49h'],
  ['at', '2026-13-01'],
  ['at', '2026-01-32'],
  ['at', '2026-01-31T24:00'],
  ['at', '2026-01-31T14:00+24:00'],
  ['target', 'srv'],
  ['target', '/srv/..'],
  ['target', '/../srv'],
  ['volumes', '/srv,home'],
  ['volumes', '/srv,/home/../etc'],
  ['path', '..'],
  ['path', '../etc'],
  ['path', 'etc/../../root'],
  ['storageClass', 'standard'],
  ['region', 'eu.west'],
]

describe.each(OPTION_NAMES)('%s', (name) => {
  test('has a pattern that Systems Manager, the SSM agent and this project compile alike', () => {
    expect(findPatternProblem(patternOf(name))).toBeUndefined()
  })

  test('is taken as people write it', () => {
    const takes = SAMPLES[name].map((text) => [text, documentTakes(name, text), agentTakes(name, text)])
    expect(takes).toEqual(SAMPLES[name].map((text) => [text, true, true]))
  })

  test('is taken by the agent, whatever a document takes', () => {
    const isSeenByAgent = SEEN_BY_THE_AGENT_ALONE[name] ?? (() => false)
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(patternOf(name))), (text) => {
        expect([text, agentTakes(name, text)]).toEqual([text, !isSeenByAgent(text)])
      }),
    )
  })

  test('has nothing in it that ends a quotation, that the SSM agent would replace, or that is a flag', () => {
    const dangerous = [
      "'",
      '"',
      '`',
      '$',
      '\\',
      '{',
      '}',
      ';',
      '&',
      '|',
      '<',
      '>',
      '(',
      '#',
      '\n',
      '\r',
      '\0',
      '\u001b',
      'é',
    ]
    for (const sample of SAMPLES[name]) {
      const places = Array.from({ length: sample.length + 1 }, (_, at) => at)
      const spoilt = places.flatMap((at) => dangerous.map((bad) => sample.slice(0, at) + bad + sample.slice(at)))
      expect([...spoilt, '', '-x', `-${sample}`].filter((text) => documentTakes(name, text))).toEqual([])
    }
  })
})

test.each(REFUSED)('%s is refused by document and agent: %j', (name, text) => {
  expect([documentTakes(name, text), agentTakes(name, text)]).toEqual([false, false])
})

test.each([
  [0, 0],
  [0, 19],
  [1, 8],
  [1, 10],
  [1, 365],
  [7, 7],
  [60, 1728],
  [99, 101],
  [100, 999],
  [995, 1005],
])('numbers from %d to %d are these and no others', (min, max) => {
  const pattern = new RegExp(anchored(numberGrammar(min, max)))
  const taken = Array.from({ length: 12_000 }, (_, number) => String(number)).filter((text) => pattern.test(text))
  expect(taken).toEqual(Array.from({ length: max - min + 1 }, (_, index) => String(min + index)))
  expect(['', `0${min}`, `-${max}`, `${max}.0`].filter((text) => pattern.test(text))).toEqual([])
})

test('patterns can be read by who is shown one', () => {
  expect(numberGrammar(60, 172_800)).toBe(
    '[6-9][0-9]|[1-9][0-9]{2,4}|1[0-6][0-9]{4}|17[0-1][0-9]{3}|172[0-7][0-9]{2}|172800',
  )
  expect(numberGrammar(1, 365)).toBe('[1-9][0-9]?|[1-2][0-9]{2}|3[0-5][0-9]|36[0-5]')
  expect(durationGrammar(600)).toBe('([1-9][0-9]?|[1-5][0-9]{2}|600)s?|([1-9]|10)m')
  expect(sizeGrammar(1)).toBe(`(${['K', 'M', 'G', 'T'].map((unit) => `([1-9][0-9]{0,8})${unit}`).join('|')})(iB)?`)
})

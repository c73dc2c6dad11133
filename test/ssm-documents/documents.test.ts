/** What holds for every document: its form, its parameters, its scripts. */
import { execFileSync, spawnSync } from 'node:child_process'
import { DOCUMENT_NAMES, DOCUMENTS_DIRECTORY } from '../../infra/documents'
import { DOCUMENT_BYTES_MAX, readDocument, type CommandDocument } from '../../infra/ssm-document'
import { compileForAgent, findPatternProblem } from '../../infra/ssm-pattern'
import { runDocument } from './runner'

const documents = DOCUMENT_NAMES.map((name) => [name, readDocument(DOCUMENTS_DIRECTORY, name)] as const)

/** A value that a parameter takes, for those whose default is none or says little. */
const SAMPLES: Readonly<Record<string, string>> = {
  bucket: 'snapstream-vault-1a2b3c',
  region: 'eu-west-1',
  version: '1.2.3-0123456789ab',
  bundleSha256: 'a'.repeat(64),
  storageClass: 'GLACIER_IR',
  volumes: '/,/srv',
  excludeVolumes: '/tmp',
  source: 'auto,/srv=ebs',
  ebsKeepLast: 'no',
  ebsEngine: 'clone',
  bandwidthLimit: '50M',
  sample: '1/7',
  host: 'arn:aws:ec2:eu-west-1:111111111111:instance/i-0123456789abcdef0',
  run: '20260131T020000Z-k3xw7a',
  at: '2026-01-31T09:00Z',
  volume: '/srv',
  path: '/home/ann/letter to bob.txt',
  target: '/srv/restored',
  thaw: 'bulk',
}

function sampleOf(document: CommandDocument, name: string): string {
  return SAMPLES[name] ?? document.parameters[name]?.default ?? ''
}

const parameters = documents.flatMap(([name, document]) =>
  Object.entries(document.parameters).map(([parameter, { allowedPattern }]) => ({
    name,
    document,
    parameter,
    allowedPattern,
    pattern: new RegExp(allowedPattern),
    sample: sampleOf(document, parameter),
  })),
)

/** Each of these means something to a shell, to the SSM agent or to a terminal. */
const ATTACKS = [
  ...["'", '"', '`id`', '$(id)', '${IFS}', '$$', ';id', '&&id', '|id', '>x', '<x', '*', '?', '(', '{{ bucket }}'],
  ...['\nid', '\r', '\0', '\t', '\\', '\u001b[2J', '!', '#', '~root', 'é', '\u2028'],
]

describe.each(documents)('%s', (_, document) => {
  const scripts = document.mainSteps.flatMap((step) =>
    step.action === 'aws:runShellScript' ? [[step.name, step.inputs.runCommand.join('\n')] as const] : [],
  )

  test('fits', () => {
    expect(Buffer.byteLength(JSON.stringify(document))).toBeLessThan(DOCUMENT_BYTES_MAX)
  })

  test.each(scripts)('the script %s is clean', (__, script) => {
    const filled = script.replace(/\{\{ (\w+) \}\}/g, (___, name: string) => sampleOf(document, name))
    const check = (program: string, ...args: string[]) =>
      spawnSync(program, args, { input: filled, encoding: 'utf8' }).stdout
    // SC2016, SC2050 and SC2157: a parameter's value is a constant to the shell. SC2034: included scripts serve several steps.
    expect(check('shellcheck', '--shell=sh', '--exclude=SC2034,SC2050,SC2157,SC2078,SC2194', '-')).toBe('')
    execFileSync('bash', ['-n'], { input: filled })
    execFileSync('sh', ['-n'], { input: filled })
  })

  test.each(scripts)('the script %s quotes every parameter', (__, script) => {
    const unquoted = script.replace(/'[^'\n]*'/g, "''").match(/\{\{.*?\}\}/g)
    expect(unquoted).toBeNull()
  })
})

describe('parameters', () => {
  test.each(parameters)('$name: $parameter takes its sample', ({ pattern, sample }) => {
    expect(sample).toMatch(pattern)
  })

  test.each(parameters)('$name: the SSM agent compiles the pattern of $parameter', ({ allowedPattern }) => {
    expect(findPatternProblem(allowedPattern)).toBeUndefined()
  })

  test.each(parameters)('$name: the pattern of $parameter means the same to the SSM agent', (tried) => {
    const { allowedPattern, pattern, sample } = tried
    const onAgent = compileForAgent(allowedPattern)
    const values = ATTACKS.flatMap((attack) => [attack, sample + attack, attack + sample])
    const places = Array.from(sample, (_, at) => at)
    const mutilated = places.flatMap((at) => [sample.slice(at), sample.slice(0, at), sample.repeat(at + 1)])
    for (const value of [sample, '', ...values, ...mutilated]) {
      expect([value, onAgent.test(value)]).toEqual([value, pattern.test(value)])
    }
  })

  test('as many volumes as a host can have, and a path as deep as the kernel takes, are not refused for their length', () => {
    const patternOf = (wanted: string) => parameters.find(({ parameter }) => parameter === wanted)!.allowedPattern
    const volumes = Array.from({ length: 300 }, (_, index) => `/srv/volume-${index}`).join(',')
    expect(compileForAgent(patternOf('volumes')).test(volumes)).toBe(true)
    expect(compileForAgent(patternOf('path')).test(`/srv${'/directory'.repeat(400)}`)).toBe(true)
  })

  test.each(parameters)('$name: nothing is injected through $parameter', async ({ document, parameter, sample }) => {
    const samples = Object.fromEntries(Object.keys(document.parameters).map((name) => [name, sampleOf(document, name)]))
    for (const attack of ATTACKS) {
      for (const value of [attack, sample + attack, attack + sample, sample + attack + sample]) {
        const result = await runDocument({
          document,
          parameters: { ...samples, [parameter]: value },
          commandId: 'attack',
          environment: {},
          orchestrationDirectory: '/nonexistent',
          download: () => Promise.reject(new Error('a step was run')),
        })
        expect(result).toMatchObject({ steps: [], refused: expect.stringMatching(`^${parameter} `) })
      }
    }
  })

  test.each(parameters)('$name: $parameter takes no option', ({ pattern, sample }) => {
    expect(['-x', '--help', `--${sample}`].filter((value) => pattern.test(value))).toEqual([])
  })

  test.each([
    ['60', true],
    ['3600', true],
    ['172800', true],
    ['59', false],
    ['0900', false],
    ['172801', false],
    ['999999', false],
    ['', false],
  ])('an executionTimeout of %j seconds: %s', (value, taken) => {
    const pattern = parameters.find(({ parameter }) => parameter === 'executionTimeout')!.pattern
    expect(pattern.test(value)).toBe(taken)
  })
})

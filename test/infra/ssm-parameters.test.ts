/** An option of the agent that a document names: whatever it is, its value arrives as it was given, as one word. */
import { AGENT } from '../../agent/options/agent'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { COMMAND_NAMES, COMMANDS, type Command, type CommandName } from '../../agent/options/commands'
import { parseArguments } from '../../agent/options/parse-argv'
import { OPTIONS, type OptionName } from '../../agent/options/table'
import { readDocument, type CommandDocument } from '../../infra/ssm-document'
import { runDocument } from '../ssm-documents/runner'
import { OPTION_SAMPLES } from '../support/option-samples'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-parameters-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A document that names options of a command, and prints what the agent would be given. */
function documentOf(command: string, parameters: Readonly<Record<string, object>>): CommandDocument {
  const step = {
    action: 'aws:runShellScript',
    name: 'print',
    precondition: { StringEquals: ['platformType', 'Linux'] },
    inputs: { timeoutSeconds: '60', runCommand: [`# options: ${command}`, `printf '%s\\0' "$@"`] },
  }
  const source = { schemaVersion: '2.2', description: 'Prints.', parameters, mainSteps: [step] }
  writeFileSync(join(directory, 'Some.yaml'), stringify(source))
  return readDocument(directory, 'Some')
}

async function wordsOf(document: CommandDocument, parameters: Readonly<Record<string, string>>): Promise<string[]> {
  const { steps, refused } = await runDocument({
    document,
    parameters,
    commandId: 'some',
    environment: { PATH: '/usr/bin:/bin' },
    orchestrationDirectory: directory,
    download: () => Promise.reject(new Error('nothing is downloaded')),
  })
  if (refused !== undefined) throw new Error(refused)
  return steps[0]!.stdout.split('\0').slice(0, -1)
}

const named = (names: readonly OptionName[]) => Object.fromEntries(names.map((name) => [name, {}]))
const isSwitch = (name: OptionName) => OPTIONS[name].type.placeholder === undefined

describe.each(COMMAND_NAMES)('a document of %s', (command: CommandName) => {
  const { options, required }: Command = COMMANDS[command]

  test('may name any of its options, and hands each on as it was given', async () => {
    const document = documentOf(command, named(options))
    const given = Object.fromEntries(options.map((name) => [name, OPTION_SAMPLES[name].at(-1)!]))
    const switches = Object.fromEntries(options.filter(isSwitch).map((name) => [name, 'true']))
    const invocation = parseArguments(AGENT, await wordsOf(document, { ...given, ...switches }))
    expect(invocation).toEqual({
      kind: 'command',
      command,
      flags: Object.fromEntries(options.map((name) => [name, isSwitch(name) ? true : [given[name]]])),
    })
  })

  test('gives the agent nothing but what it has to know and what has a default', async () => {
    const document = documentOf(command, named(options))
    const given = Object.fromEntries(required.map((name) => [name, OPTION_SAMPLES[name][0]!]))
    const invocation = parseArguments(AGENT, await wordsOf(document, given))
    const isGiven = (name: OptionName) => required.includes(name) || document.parameters[name]?.default !== ''
    const expected = options.filter((name) => !isSwitch(name) && isGiven(name))
    expect(Object.keys((invocation as { flags: object }).flags).toSorted()).toEqual([...expected].toSorted())
  })
})

test('what means something to a shell, and is part of a pattern, stays between its quotes', async () => {
  writeFileSync(join(directory, 'a'), '')
  const document = documentOf('backup', { bucket: {}, exclude: {} })
  for (const exclude of ['*', '?', '[!a]*', '/*/*', '[ -z ]', '*!!', '[a=b]']) {
    expect(await wordsOf(document, { bucket: 'backups', exclude })).toEqual([
      ...['backup', '--bucket', 'backups', '--exclude', exclude],
    ])
  }
})

test('a document may call an option by another name, need it, and have a default and words of its own', () => {
  const {
    thawDays,
    region,
    class: retention,
    at,
    onConflict,
  } = documentOf('restore', {
    thawDays: { option: 'days' },
    region: { required: true, description: 'Where it is.' },
    class: { default: 'weekly', note: 'Ask.' },
    at: {},
    onConflict: { default: '' },
  }).parameters
  expect(thawDays).toMatchObject({ default: '7', allowedPattern: '^([1-9][0-9]?|[1-2][0-9]{2}|3[0-5][0-9]|36[0-5])$' })
  expect(region).toEqual({
    type: 'String',
    displayType: 'textfield',
    description: 'Where it is. It is the name of a region such as eu-west-1.',
    allowedPattern: '^([a-z0-9][a-z0-9-]{1,31})$',
  })
  expect(retention).toMatchObject({ default: 'weekly', description: expect.stringContaining(' Ask. It is up to 32') })
  expect(onConflict).toMatchObject({ default: '', allowedPattern: '^(|fail|skip|overwrite|newer)$' })
  expect(at).toMatchObject({ default: '', description: expect.stringMatching(/Not given if empty\.$/) })
})

test.each<[string, string, Record<string, object>]>([
  [
    'parameter bandwithLimit has no type, and is no option of backup: they are bucket,',
    'backup',
    { bandwithLimit: {} },
  ],
  ['parameter days has no type, and is no option of backup', 'backup', { days: {} }],
  ['parameter days has no type, and is no option of backup', 'backup', { bucket: { option: 'days' } }],
  [
    'parameter bucket, which has no type: ✖ Unrecognized key: "allowedPattern"',
    'backup',
    { bucket: { allowedPattern: '' } },
  ],
  ["'' does not match the pattern of dryRun", 'backup', { dryRun: { default: '' } }],
  ["'Daily' does not match the pattern of class", 'backup', { class: { default: 'Daily' } }],
  ['bakcup is no command: they are preflight, backup,', 'bakcup', { bucket: {} }],
])('%s', (message, command, parameters) => {
  expect(() => documentOf(command, parameters)).toThrow(message)
  expect(() => documentOf(command, parameters)).toThrow('Some.yaml')
})

import { bucketFlags, COMMAND_NAMES, COMMANDS, type Command } from '../../agent/options/commands'
import { OPTION_NAMES, OPTIONS, type Option } from '../../agent/options/table'

describe.each(COMMAND_NAMES)('%s', (name) => {
  const { options, required, withoutDefault, argument }: Command = COMMANDS[name]

  test('has each of its options once, and says nothing of any other', () => {
    expect(new Set(options).size).toBe(options.length)
    const named = [...required, ...withoutDefault, ...(argument === undefined ? [] : [argument])]
    expect(named.filter((option) => !options.includes(option))).toEqual([])
  })

  test('needs nothing that has a default', () => {
    const defaults = required.filter((option) => (OPTIONS[option] as Option<unknown>).default !== undefined)
    expect(defaults.filter((option) => !withoutDefault.includes(option))).toEqual([])
  })
})

test('no option is of no command', () => {
  const used = new Set(COMMAND_NAMES.flatMap((name): readonly string[] => COMMANDS[name].options))
  expect(OPTION_NAMES.filter((option) => !used.has(option))).toEqual([])
})

test.each([
  [{ bucket: 'backups' }, '--bucket backups'],
  [{ bucket: 'backups', region: 'eu-west-1' }, '--bucket backups --region eu-west-1'],
  [
    { bucket: 'backups', region: 'garage', endpointUrl: 'https://s3.example.net', host: 'db1' },
    '--bucket backups --region garage --endpoint-url https://s3.example.net',
  ],
])('the next command finds the bucket that %j found', (given, flags) => {
  expect(bucketFlags(given).join(' ')).toBe(flags)
})

import { flagOf, OPTION_NAMES, OPTIONS, variableOf, type Option } from '../../agent/options/table'

test.each([
  ['bucket', '--bucket', 'SNAPSTREAM_BUCKET'],
  ['snapshotSize', '--snapshot-size', 'SNAPSTREAM_SNAPSHOT_SIZE'],
  ['onHookFailure', '--on-hook-failure', 'SNAPSTREAM_ON_HOOK_FAILURE'],
])('%s is %s and %s', (name, flag, variable) => {
  expect([flagOf(name), variableOf(name)]).toEqual([flag, variable])
})

test('no two options have one flag or one variable', () => {
  expect(new Set(OPTION_NAMES.map(flagOf)).size).toBe(OPTION_NAMES.length)
  expect(new Set(OPTION_NAMES.map(variableOf)).size).toBe(OPTION_NAMES.length)
})

test.each(OPTION_NAMES)('%s is by default what its help says', (name) => {
  const option: Option<unknown> = OPTIONS[name]
  const { schema, fromText, absent } = option.type
  expect(option.default).toEqual(option.defaultText === undefined ? absent : schema.parse(fromText(option.defaultText)))
})

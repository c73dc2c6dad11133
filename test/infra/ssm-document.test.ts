import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { readDocument, withDefaults } from '../../infra/ssm-document'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-document-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const parameter = { type: 'String', description: 'A place.', displayType: 'textfield', allowedPattern: '^[a-z]+$' }
const step = (name: string, line: string, inputs = {}) => ({
  action: 'aws:runShellScript',
  name,
  precondition: { StringEquals: ['platformType', 'Linux'] },
  inputs: { timeoutSeconds: '60', runCommand: [line], ...inputs },
})
const sound = {
  schemaVersion: '2.2',
  description: 'Does something.',
  parameters: { bucket: parameter },
  mainSteps: [step('first', "echo '{{ bucket }}'")],
}

function read(document: object) {
  writeFileSync(join(directory, 'Some.yaml'), stringify(document))
  return readDocument(directory, 'Some')
}

test('a sound document is read as it is', () => {
  expect(read(sound)).toEqual(sound)
})

test('a script that is included stands where it was named', () => {
  writeFileSync(join(directory, 'common.sh'), 'set -eu\n')
  const inputs = { runCommand: ['# include: common.sh', "echo '{{ bucket }}'"] }
  const [first] = read({ ...sound, mainSteps: [step('first', '', inputs)] }).mainSteps
  expect(first?.inputs).toMatchObject({ runCommand: ['set -eu', "echo '{{ bucket }}'"] })
})

test.each<[string, object]>([
  ['Unrecognized key: "minItems"', { parameters: { bucket: { ...parameter, minItems: 1 } } }],
  ['Unrecognized key: "isCritical"', { mainSteps: [{ ...sound.mainSteps[0], isCritical: true }] }],
  ['anchor the pattern', { parameters: { bucket: { ...parameter, allowedPattern: '[a-z]+' } } }],
  [
    'invalid repeat count: `{0,63}`',
    { parameters: { bucket: { ...parameter, allowedPattern: '^(,[a-z]{0,255}){0,63}$' } } },
  ],
  [
    'compare platformType',
    { mainSteps: [{ ...sound.mainSteps[0], precondition: { StringEquals: ['Linux', 'Linux'] } }] },
  ],
  ['compare platformType', { mainSteps: [{ ...sound.mainSteps[0], precondition: { StringEquals: ['a', 'b'] } }] }],
  ['are more than 65536', { mainSteps: [step('long', `echo '{{ bucket }}' ${'x'.repeat(65_536)}`)] }],
  ['Invalid key in record', { parameters: { the_bucket: parameter } }],
  ["'A' does not match the pattern of bucket", { parameters: { bucket: { ...parameter, default: 'A' } } }],
  ['{{ bucket }} is not a parameter', { parameters: {} }],
  ['parameter region is never used', { parameters: { bucket: parameter, region: parameter } }],
  ['two steps have the same name', { mainSteps: [...sound.mainSteps, ...sound.mainSteps] }],
  [
    'step last is not the last: the SSM agent would ignore its finallyStep',
    { mainSteps: [step('last', 'true', { finallyStep: true }), ...sound.mainSteps] },
  ],
])('%s', (message, change) => {
  expect(() => read({ ...sound, ...change })).toThrow(message)
  expect(() => read({ ...sound, ...change })).toThrow('Some.yaml')
})

test('defaults are filled in, and only those of parameters that there are', () => {
  expect(withDefaults(read(sound), { bucket: 'vault' }).parameters.bucket?.default).toBe('vault')
  expect(() => withDefaults(read(sound), { buckets: 'vault' })).toThrow("'Does something.' has no parameter buckets")
})

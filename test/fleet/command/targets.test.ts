import { chooseTargets, describeTargets } from '../../../fleet/command/targets'
import { refusal } from '../../support/refusal'

const ID = 'i-0123456789abcdef0'
const choose = (given: { tag?: string[]; hosts?: string[] }) =>
  chooseTargets({ tag: [], hosts: [], ...given }, 'eu-west-1')

test('hosts are named by tags: all keys, any value of a key', () => {
  const targets = choose({ tag: ['Backup=true', 'Stage=prod', 'Stage=test', 'Note=a=b'] })
  expect(targets).toEqual({
    kind: 'tags',
    tags: [
      { key: 'Backup', values: ['true'] },
      { key: 'Stage', values: ['prod', 'test'] },
      { key: 'Note', values: ['a=b'] },
    ],
  })
  expect(describeTargets(targets)).toBe('Backup=true and Stage=prod|test and Note=a=b')
})

test('or one by one: by ID, or by the ARN that status shows, each once', () => {
  const hosts = [ID, `arn:aws:ec2:eu-west-1:111122223333:instance/${ID}`, 'mi-0123456789abcdef0']
  const targets = choose({ hosts })
  expect(targets).toEqual({ kind: 'hosts', instanceIds: [ID, 'mi-0123456789abcdef0'] })
  expect(describeTargets(targets)).toBe(`${ID}, mi-0123456789abcdef0`)
})

test.each([
  [{}, 'not said which hosts'],
  [{ tag: ['A=b'], hosts: [ID] }, 'both given'],
  [{ hosts: ['web-1'] }, "'web-1', to which Systems Manager can send nothing"],
  [{ hosts: [`${ID};reboot`] }, 'can send nothing'],
  [
    { hosts: [`arn:aws:ec2:us-east-1:111122223333:instance/${ID}`] },
    'is in us-east-1, and the command goes to eu-west-1',
  ],
  [{ hosts: Array.from({ length: 51 }, (_, i) => `i-${String(i).padStart(17, '0')}`) }, '51 hosts are named'],
  [{ tag: ['Backup'] }, "--tag is 'Backup'"],
  [{ tag: ['=true'] }, "--tag is '=true'"],
  [{ tag: ['A=\u001b[2J'] }, '--tag is'],
  [{ tag: ['A=1', 'B=1', 'C=1', 'D=1', 'E=1', 'F=1'] }, '6 tags are given'],
  [{ tag: Array.from({ length: 51 }, (_, i) => `A=${i}`) }, '51 values of the tag A'],
])('%j is refused before anything is sent', (given, message) => {
  expect(refusal(() => choose(given))).toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) })
})

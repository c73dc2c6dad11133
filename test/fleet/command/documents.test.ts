import fc from 'fast-check'
import { DOCUMENT_USES, documentParameters, parameterOf, type DocumentCommand } from '../../../fleet/command/documents'
import { DOCUMENTS_DIRECTORY } from '../../../infra/documents'
import { readDocument } from '../../../infra/ssm-document'
import { compileForAgent } from '../../../infra/ssm-pattern'
import { fleetRequestOf } from '../../support/fleet-commands'
import { refusal } from '../../support/refusal'

const commands = Object.keys(DOCUMENT_USES) as DocumentCommand[]
const RUN = '20260131T020000Z-k3xw7a'

describe.each(commands)('the document of %s', (command) => {
  const { document: name, parameters } = DOCUMENT_USES[command]
  const document = readDocument(DOCUMENTS_DIRECTORY, name)

  test('takes of each parameter exactly what is sent', () => {
    for (const option of Object.keys(parameters)) {
      const parameter = parameterOf(command, option)!
      // A document also takes nothing at all, which is not sent.
      const sendable = document.parameters[parameter.name]?.allowedPattern.replace('^(|', '^(')
      expect({ option, pattern: sendable }).toEqual({ option, pattern: parameter.pattern })
    }
  })

  test('needs nothing else but what the deployment fills in', () => {
    const needed = Object.entries(document.parameters).filter(([, { default: value }]) => value === undefined)
    const filledIn = ['bucket', 'region', 'version', 'bundleSha256']
    const given = Object.keys(parameters).map((option) => parameterOf(command, option)!.name)
    expect(needed.map(([each]) => each).filter((each) => ![...filledIn, ...given].includes(each))).toEqual([])
  })
})

test('what was given is sent as the document has it, and nothing else', () => {
  expect(documentParameters('run', fleetRequestOf('run', ['--tag', 'A=b'], {}))).toEqual({})
  const argv = ['--class', 'weekly', '--volumes', '/,/srv', '--verify', 'source', '--sample', '1/7', '--dry-run']
  const more = ['--bandwidth-limit', '50M', '--freeze', '--source', 'auto,/srv=ebs', '--execution-timeout', '3h']
  expect(documentParameters('run', fleetRequestOf('run', [...argv, ...more], {}))).toEqual({
    ...{ class: 'weekly', volumes: '/,/srv', verify: 'source', sample: '1/7', dryRun: 'true', freeze: 'true' },
    ...{ bandwidthLimit: '51200K', source: 'auto,/srv=ebs', executionTimeout: '10800' },
  })
})

test('a restore names whose backup, from when, and what of it', () => {
  const argv = ['--from-host', 'db1', '--at', '2026-01-31T14:00+01:00', '--path', '/etc/fstab', '--target', '/srv/r']
  const more = ['--thaw', 'bulk', '--days', '3', '--on-conflict', 'newer']
  expect(documentParameters('restore', fleetRequestOf('restore', [...argv, ...more], {}))).toEqual({
    ...{ host: 'db1', at: '2026-01-31T13:00:00Z', path: '/etc/fstab', target: '/srv/r' },
    ...{ thaw: 'bulk', thawDays: '3', onConflict: 'newer' },
  })
})

test.each([
  ["/srv/'; reboot; '"],
  ['/srv/$(reboot)'],
  ['/srv/`reboot`'],
  ['/srv/a\nreboot'],
  ['/srv/{{ bucket }}'],
  ['/srv/"a"'],
  ['-rf'],
])('%j, which could mean something to a shell, is not sent', (path) => {
  const request = { ...fleetRequestOf('restore', ['--run', RUN, '--target', '/srv/r'], {}), path: [path] }
  expect(refusal(() => documentParameters('restore', request))).toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('--path is'),
  })
})

test('less time than it takes to clean up is not sent', () => {
  const request = { ...fleetRequestOf('cleanup', [], {}), executionTimeout: 30 }
  expect(refusal(() => documentParameters('cleanup', request)).message).toContain('--execution-timeout')
})

test('whatever is sent, the SSM agent takes, and a shell leaves between its quotes', () => {
  const document = readDocument(DOCUMENTS_DIRECTORY, 'Restore')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (path, target) => {
      const request = { ...fleetRequestOf('restore', ['--run', RUN, '--target', '/x'], {}), path: [path], target }
      let sent: Readonly<Record<string, string>>
      try {
        sent = documentParameters('restore', request)
      } catch {
        return
      }
      for (const [name, value] of Object.entries(sent)) {
        expect(compileForAgent(document.parameters[name]!.allowedPattern).test(value)).toBe(true)
        expect(value).not.toMatch(/['"`$\\\n;&|<>(){}]/)
      }
    }),
  )
})

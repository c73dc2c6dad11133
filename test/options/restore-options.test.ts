import { AGENT, resolveRequest, type CommandLine } from '../../agent/options/agent'
import { parseArguments } from '../../agent/options/parse-argv'
import { refusal } from '../support/refusal'

function requested(...argv: string[]) {
  const invocation = parseArguments(AGENT, ['restore', '--bucket', 'backups', ...argv])
  return resolveRequest(invocation as CommandLine, {}, {})
}

test.each([
  ['/srv/app/', '/srv/app'],
  ['app//data/', 'app/data'],
  ['./app', 'app'],
  ['/', '/'],
  ['a..b', 'a..b'],
])('--path %s is %s', (written, path) => {
  expect(requested('--target', '/mnt', '--path', written)).toMatchObject({ path: [path] })
})

test.each([
  [['--target', '/mnt', '--path', '../etc'], '--path must be a path without "..", not \'../etc\''],
  // As a variable has it that a script forgot to set: that must not mean everything.
  [['--target', '/mnt', '--path', ''], '--path must be a path without "..", not \'\''],
  [['--target', '/mnt', '--volume', ' , '], /^--volume must be .*, not ''$/],
  [['--target', '/mnt', '--at', 'yesterday'], /^--at must be a time such as 2026-01-31/],
  [['--target', '/mnt', '--on-conflict', 'ask'], /^--on-conflict must be one of fail, skip, overwrite, newer/],
  [[], 'where to restore to is not given'],
  [['--target', '/mnt', '--run', '20260131T020000Z-k3xw7a', '--at', '2026-01-31'], '--run and --at are both given'],
  [['--target', '/mnt', '--in-place'], '--target and --in-place are given'],
])('%j is refused', (argv, message) => {
  const found = refusal(() => requested(...argv))
  expect(found).toMatchObject({ code: 'USAGE' })
  expect((found as { message: string }).message).toMatch(message)
})

test.each([
  ['2026-01-31', '2026-01-31T23:59:59.000Z'],
  ['2026-01-31T14:00', '2026-01-31T14:00:00.000Z'],
  ['2026-01-31T14:00:05+01:00', '2026-01-31T13:00:05.000Z'],
])('--at %s is %s', (written, time) => {
  expect(requested('--target', '/mnt', '--at', written)).toMatchObject({ at: new Date(time) })
})

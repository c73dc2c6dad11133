import { tmpdir } from 'node:os'
import { canStartUnits } from '../../agent/host/own-unit.io'
import { fakeHost, notInstalled } from '../support/fake-host'
import { localDeps } from '../support/host-deps'

const BOOTED = tmpdir() // as good a directory as any

test('where systemd is not process 1 it is not asked', async () => {
  const host = fakeHost({})
  expect(await canStartUnits({ ...localDeps(), host }, '/no/such/directory')).toBe(false)
  expect(host.ran).toEqual([])
})

test('where systemd runs what it is given, that is good', async () => {
  const deps = { ...localDeps(), host: fakeHost({ 'systemd-run': '' }) }
  expect([await canStartUnits(deps, BOOTED), deps.logged]).toEqual([true, []])
})

test.each([
  ['does not answer', { status: 1, stderr: 'Failed to create bus connection: No such file or directory\n' }],
  ['is another program’s', notInstalled('systemd-run')],
])('a systemd that %s is no help, and the operator reads why', async (_, answer) => {
  const deps = { ...localDeps(), host: fakeHost({ 'systemd-run': answer }) }
  expect(await canStartUnits(deps, BOOTED)).toBe(false)
  expect(deps.logged).toEqual([
    expect.stringMatching(/hooks and what they start end with the agent.*(bus connection|could not run systemd-run)/),
  ])
})

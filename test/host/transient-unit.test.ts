import { systemdRun } from '../../agent/host/transient-unit'

const unit = { name: 'snapstream-x', description: 'a test', environment: { A: '$b c' }, children: 'live on' } as const

test('a command reaches systemd as it is: what looks like a variable is none', () => {
  const argv = systemdRun(unit, ['/opt/a b', '$HOME', '${A}', '$$', '%n', '--wait'])
  expect(argv.slice(argv.indexOf('--'))).toEqual(['--', '/opt/a b', '$$HOME', '$${A}', '$$$$', '%n', '--wait'])
  expect(argv).toContain('--setenv=A=$b c')
})

test('what a service leaves behind lives on only where it shall', () => {
  expect(systemdRun(unit, ['true'])).toContain('--property=KillMode=process')
  expect(systemdRun({ ...unit, children: 'are killed' }, ['true'])).toContain('--property=KillMode=control-group')
})

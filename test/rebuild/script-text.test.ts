import { execFileSync, spawnSync } from 'node:child_process'
import { planRebuild } from '../../agent/rebuild/rebuild'
import { formatRebuildScript } from '../../agent/rebuild/script-text'
import { commandsOf, manifest, options, withSystem } from './fixture'

const plan = planRebuild(manifest, options)

describe('the script', () => {
  const script = formatRebuildScript(manifest, plan)

  test('is one that a shell reads, and says what it does before it does it', () => {
    execFileSync('sh', ['-n'], { input: script })
    expect(script).toMatch(/^#!\/bin\/sh\n# Rebuilds the volumes of host as they were in run .*\n# It DESTROYS/)
    expect(script).toContain(
      '\n# /dev/nvme1n1 becomes a physical volume: what is on it is lost\npvcreate /dev/nvme1n1\n',
    )
    expect(script).toContain('\n# UUID=1234-ABCD /boot/efi vfat umask=0077 0 1\n')
  })

  test('has no command but those of the plan, whatever the host wrote into its manifest', () => {
    const evil = 'x\nrm -rf /\r\u202erm\u0085rm\u2028rm'
    const hostile = {
      ...withSystem({ fstab: `UUID=${evil} /`, osRelease: `PRETTY_NAME=${evil}` }),
      notBackedUp: [{ mountPoint: `/${evil}`, device: evil, filesystem: evil, reason: evil }],
      failures: [{ volume: evil, mountPoint: `/${evil}`, code: 'ARCHIVE_FAILED' as const, message: evil, hint: evil }],
    }
    const lines = formatRebuildScript(hostile, planRebuild(hostile, options)).split('\n')
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual(['set -eux', ...commandsOf(plan)])
    expect(lines.join('')).not.toMatch(/[\r\u202e\u0085\u2028]/)
  })
})

test('a shell runs its commands word for word, and none after one that fails', () => {
  const words = ['two words', "it's", '$HOME', '`id`', '*', '']
  const steps = [
    { purpose: 'Words', argv: ['printf', '<%s>', ...words] as const },
    { purpose: 'Fails', argv: ['false'] as const },
    { purpose: 'Is never reached', argv: ['echo', 'reached'] as const },
  ]
  const input = formatRebuildScript(manifest, { steps, notes: ['$(echo a note runs)\necho a note runs'] })
  expect(spawnSync('sh', { input, encoding: 'utf8' })).toMatchObject({
    status: 1,
    stdout: words.map((word) => `<${word}>`).join(''),
  })
})

test('what a command reads is given to it as it is, whatever words are in it', () => {
  const input = 'END\n$HOME `id`\nEND0\n'
  const steps = [
    { purpose: 'Reads', argv: ['cat'] as const, input },
    { purpose: 'Goes on', argv: ['echo', 'on'] as const },
  ]
  const script = formatRebuildScript(manifest, { steps, notes: [] })
  expect(spawnSync('sh', { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stdout: `${input}on\n` })
})

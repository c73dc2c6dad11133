import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inVirtualEnvironment } from '../servers/daemon'
import { DEFAULT_STAGE, synthesize } from './synthesize'

const KEY_ARN = 'arn:aws:kms:eu-west-1:111111111111:key/0b6a4a3c-0d3b-4b58-9d0c-6b9a9b1f2c11'
/** The role of CDK's own function is depended on twice, once for no reason: CDK writes it so. */
const IGNORED = ['--ignore-checks', 'W3005']

test.each([
  ['by default', {}],
  [
    'with every option',
    {
      vault: { encryption: 'kms', accessLogs: true, objectLock: { mode: 'governance', days: 30 } },
      hosts: { read: false, defaultHostManagement: true, ebs: { keyArns: [KEY_ARN] } },
      notifications: { emails: ['operators@example.com'], completed: true },
      schedules: [{ ...DEFAULT_STAGE.schedules[0]!, kind: 'association' }],
      fleet: { accounts: [{ account: '222222222222', region: 'eu-central-1' }], perHostMetrics: true },
      drills: {
        hostRoles: ['arn:aws:iam::111111111111:role/drills'],
        schedules: [
          { name: 'drill', cron: 'rate(7 days)', class: 'daily', tag: { key: 'Drill', value: 'true' }, share: '1/7' },
        ],
      },
    },
  ],
  [
    'with the vault of another account, whose auditor may ask',
    {
      vault: {
        ...{ bucketName: 'the-central-vault', region: 'eu-central-1' },
        auditor: 'arn:aws:iam::222222222222:role/Snapstream-auditor-eu-central-1',
      },
    },
  ],
] as const)('cfn-lint finds nothing in the template %s', (_, config) => {
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-lint-'))
  const file = join(directory, 'template.json')
  writeFileSync(file, JSON.stringify(synthesize(config).toJSON()))
  const { stdout, stderr, status } = spawnSync(inVirtualEnvironment('cfn-lint'), [...IGNORED, '--', file], {
    encoding: 'utf8',
  })
  rmSync(directory, { recursive: true })
  expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 })
})

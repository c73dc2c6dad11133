import { Match } from 'aws-cdk-lib/assertions'
import { DOCUMENT_NAMES } from '../../infra/documents'
import { BUCKET, documentOf, synthesize } from './synthesize'

const usual = synthesize()

test.each(DOCUMENT_NAMES)('%s is named after the stack and updated in place', (name) => {
  usual.hasResourceProperties('AWS::SSM::Document', {
    Name: `Snapstream-${name}`,
    DocumentType: 'Command',
    DocumentFormat: 'JSON',
    UpdateMethod: 'NewVersion',
  })
})

test('know the vault', () => {
  for (const name of ['Install', 'Backup', 'Verify', 'Restore', 'Cleanup']) {
    expect(documentOf(usual, name).parameters.bucket?.default).toBe(BUCKET)
  }
})

test('Data Lifecycle Manager may run Quiesce', () => {
  usual.hasResourceProperties('AWS::SSM::Document', {
    Name: 'Snapstream-Quiesce',
    Tags: Match.arrayWith([{ Key: 'DLMScriptsAccess', Value: 'true' }]),
  })
})

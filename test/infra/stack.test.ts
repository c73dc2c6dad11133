/** What is deployed: by default, and with each option. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Template } from 'aws-cdk-lib/assertions'
import { documentOf, resolve, resourceOf, synthesize, type Resource } from './synthesize'

const usual = synthesize()

test('is the template it was', () => {
  const template = structuredClone(usual.toJSON()) as { Resources: Record<string, Resource> }
  for (const { Type, Properties } of Object.values(template.Resources)) {
    // Documents and policies have tests of their own.
    if (Type === 'AWS::SSM::Document') delete Properties.Content
    delete Properties.PolicyDocument
    delete Properties.AssumeRolePolicyDocument
  }
  // Hashes of what is shipped, and of CDK's own assets, change without a change of ours.
  const masked = JSON.stringify(template).replace(/[0-9a-f]{64}/g, '<sha256>')
  expect(JSON.parse(masked)).toMatchSnapshot()
})

describe('with the vault of another account', () => {
  const template = synthesize({ vault: { bucketName: 'the-central-vault', region: 'eu-central-1' } })

  test('hosts back up there, and nothing here holds backups', () => {
    template.resourceCountIs('AWS::S3::Bucket', 0)
    template.resourceCountIs('AWS::Lambda::Function', 0)
    const { bucket, region } = documentOf(template, 'Backup').parameters
    expect([bucket?.default, region?.default]).toEqual(['the-central-vault', 'eu-central-1'])
    const policy = resolve(
      resourceOf(template, 'AWS::IAM::ManagedPolicy', 'HostAccessPolicy').Properties.PolicyDocument!,
    )
    expect(JSON.stringify(policy)).toContain('arn:aws:s3:::the-central-vault/data/daily/${ec2:SourceInstanceARN}/*')
  })

  test('the agent is where the stack of that account put it', () => {
    const sha256 = (from: Template) => documentOf(from, 'Install').parameters.bundleSha256?.default
    expect(sha256(template)).toBe(sha256(usual))
  })
})

test('the outputs say what an operator needs next', () => {
  const outputs = resolve(usual.findOutputs('*')) as Record<string, { Value: string }>
  expect(Object.keys(outputs)).toEqual(
    expect.arrayContaining(['Bucket', 'HostPolicy', 'InstanceProfile', 'Topic', 'BackupDocument', 'Windownightly']),
  )
  expect(outputs.BackupNow?.Value).toMatch(
    /^aws ssm send-command --region eu-west-1 --document-name \S+ --targets 'Key=tag:Backup,Values=true'$/,
  )
})

test('every output that the deployment guide speaks of is there', () => {
  const guide = readFileSync(join(__dirname, '../../docs/deploy.md'), 'utf8')
  const named = [...guide.matchAll(/output `?([A-Z]\w+)/g)].map(([, name]) => name)
  const outputs = synthesize({
    hosts: { defaultHostManagement: true, ebs: true },
    drills: {
      hostRoles: ['arn:aws:iam::111111111111:role/drills'],
      schedules: [{ name: 'drill', cron: 'rate(7 days)', class: 'daily', tag: { key: 'Drill', value: 'true' } }],
    },
  }).findOutputs('*')
  const auditor = 'arn:aws:iam::222222222222:role/Snapstream-auditor-eu-central-1'
  const vault = { bucketName: 'the-central-vault', region: 'eu-central-1', auditor }
  const elsewhere = synthesize({ vault }).findOutputs('*')
  expect(named.length).toBeGreaterThan(5)
  expect(Object.keys({ ...outputs, ...elsewhere })).toEqual(expect.arrayContaining(named))
})

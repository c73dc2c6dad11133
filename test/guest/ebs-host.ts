/** A guest as an EC2 instance without LVM, with what stands for EC2 and for the metadata service, and the agent on it. */
import { policyOf } from '../infra/simulate'
import { authorizeAs } from '../infra/simulate-ec2'
import { synthesize } from '../infra/synthesize'
import { guestEndpoint, type Server } from '../servers'
import { startEc2, type LaunchedInstance, type RunningEc2, type Settings } from '../servers/ec2'
import { askEc2 } from '../servers/ec2/ask'
import { OWNER } from '../servers/ec2/snapshots'
import { serveMetadata } from '../support/metadata-service'
import { installAgent, type Installation } from './agent'
import { findDisk, makeEbsDisks, VOLUMES } from './ebs-disks'
import { bootGuest, type Guest } from './guest'
import type { HttpServer } from '../support/http-server'

export interface EbsHost extends AsyncDisposable {
  readonly guest: Guest
  readonly ec2: RunningEc2
  readonly instance: LaunchedInstance
  readonly metadata: HttpServer
  readonly agent: Installation
  /** The instance's ARN. */
  readonly arn: string
  /** What the agent's environment has, and its options, that it finds EC2 in the test. */
  readonly environment: Readonly<Record<string, string>>
  readonly options: readonly string[]
  /** Ids of what bears the agent's tags in EC2: snapshots, then volumes. */
  marked(): Promise<string[]>
}

const REGION = 'us-east-1'
const ZONE = 'us-east-1a'

/**
 * The instance may do what the policy of the stack lets it do, and nothing else.
 *
 * @param server - for S3; EC2 takes the same credentials
 */
export async function startEbsHost(server: Server, settings: Partial<Settings> = {}): Promise<EbsHost> {
  await using started = new AsyncDisposableStack()
  const guest = started.use(await bootGuest({ systemd: true, disksMiB: [64] }))
  const ec2 = started.use(await startEc2({ settings, credentials: server }))
  const instance = await ec2.launch({ machine: guest, volumes: VOLUMES })
  const arn = `arn:aws:ec2:${REGION}:${OWNER}:instance/${instance.id}`
  const policy = policyOf(synthesize({ hosts: { ebs: true } }), 'AWS::IAM::ManagedPolicy', 'HostAccessEbs')
  ec2.configure({ authorize: authorizeAs(arn, [policy], { region: REGION, account: OWNER }) })
  const document = {
    ...{ region: REGION, availabilityZone: ZONE, accountId: OWNER },
    ...{ instanceId: instance.id, instanceType: 't3.small' },
  }
  const metadata = started.use(await serveMetadata({ region: REGION, document: JSON.stringify(document) }))
  const devices = await Promise.all(instance.volumeIds.map((id) => findDisk(guest, id)))
  await makeEbsDisks(guest, devices)
  const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: guestEndpoint({ endpoint: metadata.url }) }
  const options = ['--ec2-endpoint-url', guestEndpoint(ec2)]
  const agent = await installAgent(guest, server, { environment })
  const all = started.move()
  return {
    ...{ guest, ec2, instance, metadata, agent, environment, options, arn },
    marked: () => listMarked(ec2),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function listMarked(ec2: RunningEc2): Promise<string[]> {
  const ours = { 'Filter.1.Name': 'tag-key', 'Filter.1.Value.1': 'snapstream:host' }
  const list = async (action: 'DescribeVolumes' | 'DescribeSnapshots', element: string) => {
    const answer = await askEc2(ec2, action, ours)
    return [...new Set(answer.texts(element))]
  }
  return [...(await list('DescribeVolumes', 'volumeId')), ...(await list('DescribeSnapshots', 'snapshotId'))].sort()
}

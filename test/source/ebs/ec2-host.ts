/** An EC2 that the agent's client asks, without a host whose disks are its volumes. */
import { ec2Client } from '../../../agent/source/ebs/ec2-client.io'
import { fakeClock } from '../../support/fake-clock'
import { localDeps } from '../../support/host-deps'
import type { Clock } from '../../../agent/bucket/retries.io'
import type { Ec2 } from '../../../agent/ec2'
import type { LaunchedInstance, RunningEc2 } from '../../servers/ec2'

export const ACCOUNT = '123456789012'

/** @param clock - passes by itself unless told */
export async function clientOf(ec2: RunningEc2, { id }: LaunchedInstance, clock: Clock = fakeClock()): Promise<Ec2> {
  const { region, accessKeyId, secretAccessKey, endpoint } = ec2
  return ec2Client({
    instance: {
      ...{ instanceId: id, region, zone: 'us-east-1a', instanceType: 't3.small' },
      arn: `arn:aws:ec2:${region}:${ACCOUNT}:instance/${id}`,
    },
    credentials: async () => ({ accessKeyId, secretAccessKey }),
    ...{ endpointUrl: endpoint, log: localDeps().log, clock },
  })
}

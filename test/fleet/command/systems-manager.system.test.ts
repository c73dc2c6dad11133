/** What moto has of Run Command: the contract of the stand-in holds there too. */
import { EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2'
import { runCommand } from '../../../fleet/command/systems-manager.io'
import { describeRunCommand } from '../../support/run-command-contract'
import { startMoto, type RunningServer } from '../../servers'

let moto: RunningServer
let instanceIds: string[]

beforeAll(async () => {
  moto = await startMoto()
  const { endpoint, region } = moto
  const ec2 = new EC2Client({ endpoint, region, credentials: moto })
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({
      ...{ ImageId: 'ami-12345678', MinCount: 2, MaxCount: 2, InstanceType: 't3.micro' },
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Backup', Value: 'true' }] }],
    }),
  )
  instanceIds = Instances.map(({ InstanceId = '' }) => InstanceId)
})
afterAll(() => moto.stop())

describeRunCommand(async () => ({
  service: runCommand({ region: moto.region, endpointUrl: moto.endpoint, credentials: () => Promise.resolve(moto) }),
  ...{ instanceIds, step: 'aws:runShellScript' },
}))

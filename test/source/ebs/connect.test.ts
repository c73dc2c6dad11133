import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connectEc2, isEc2Instance } from '../../../agent/source/ebs/connect.io'
import { localDeps } from '../../support/host-deps'
import { serveMetadata } from '../../support/metadata-service'
import { refusalOf } from '../../support/refusal'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'snapstream-firmware-'))
})
afterEach(() => rm(root, { recursive: true }))

async function firmware(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
}

test.each<[string, Record<string, string>, boolean]>([
  ['Nitro', { 'sys/devices/virtual/dmi/id/sys_vendor': 'Amazon EC2\n' }, true],
  ['bare metal', { 'sys/devices/virtual/dmi/id/board_vendor': 'Amazon EC2\n' }, true],
  ['Xen', { 'sys/hypervisor/uuid': 'ec2e1916-9099-7caf-fd21-012345abcdef\n' }, true],
  ['another cloud', { 'sys/devices/virtual/dmi/id/sys_vendor': 'Google\n', 'sys/hypervisor/uuid': '4c4c\n' }, false],
  ['no firmware to speak of', {}, false],
])('by its firmware, %s is an instance of EC2: %s', async (_, files, expected) => {
  await firmware(files)
  expect(await isEc2Instance({}, root)).toBe(expected)
  expect(await isEc2Instance({ AWS_EC2_METADATA_DISABLED: 'TRUE' }, root)).toBe(false)
})

test('elsewhere, nothing is asked', async () => {
  await using service = await serveMetadata()
  const environment = { AWS_EC2_METADATA_DISABLED: 'true', AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }
  expect(await connectEc2({}, environment, localDeps())).toBeUndefined()
  expect(service.requests).toEqual([])
})

const document = { region: 'eu-west-1', accountId: '111122223333', instanceId: 'i-0abc1234def567890' }

test('an instance knows where it is', async () => {
  const more = { availabilityZone: 'eu-west-1b', instanceType: 'm7i.large' }
  await using service = await serveMetadata({ document: JSON.stringify({ ...document, ...more }) })
  const ec2 = await connectEc2({}, { AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }, localDeps())
  expect(ec2?.instance).toEqual({
    ...{ region: 'eu-west-1', zone: 'eu-west-1b', instanceType: 'm7i.large', instanceId: document.instanceId },
    arn: `arn:aws:ec2:eu-west-1:111122223333:instance/${document.instanceId}`,
  })
})

test.each([{}, { availabilityZone: 'a b', instanceType: 'm7i.large' }])(
  'a document with %j is none of EC2',
  async (more) => {
    await using service = await serveMetadata({ document: JSON.stringify({ ...document, ...more }) })
    const connecting = connectEc2({}, { AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }, localDeps())
    expect(await refusalOf(connecting)).toMatchObject({ code: 'ENDPOINT_UNREACHABLE' })
  },
)

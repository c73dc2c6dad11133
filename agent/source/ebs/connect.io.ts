/** Whether this is an EC2 instance, and which: from there on, EC2 can be asked. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chooseCredentials } from '../../bucket/credentials.io'
import { httpHandler } from '../../bucket/http-handler.io'
import { readInstance } from '../../bucket/instance-metadata.io'
import { planRoute } from '../../bucket/proxy'
import type { HostDeps } from '../../context'
import type { Ec2 } from '../../ec2'
import { AgentError } from '../../errors'
import type { Environment } from '../../options/resolve'
import { ec2Client } from './ec2-client.io'

/** To the services that credentials come from. */
const FEW_REQUESTS = { connectionsMax: 4, connectSeconds: 10, silenceSeconds: 30 }
const EXPECTED_IN_DMI = 'Amazon EC2'
const DMI_FILES = ['sys_vendor', 'board_vendor'].map((name) => `sys/devices/virtual/dmi/id/${name}`)
/** Instances on Xen: their uuid begins so (EC2 User Guide, "Detect whether a host is an EC2 instance"). */
const XEN_UUID_FILE = 'sys/hypervisor/uuid'

/**
 * @returns undefined where this is no EC2 instance: nothing is asked over the network then
 * @throws AgentError ENDPOINT_UNREACHABLE where its metadata service does not say which one
 */
export async function connectEc2(
  { ec2EndpointUrl }: { readonly ec2EndpointUrl?: string | undefined },
  environment: Environment,
  { log, signal }: Pick<HostDeps, 'log' | 'signal'>,
): Promise<Ec2 | undefined> {
  if (!(await isEc2Instance(environment))) return undefined
  const instance = await readInstance(environment, signal)
  if (instance.zone === '' || instance.instanceType === '') {
    throw new AgentError('ENDPOINT_UNREACHABLE', 'the instance identity document has no availability zone or type', {
      hint: 'Something else than the instance metadata service answers in its place: check AWS_EC2_METADATA_SERVICE_ENDPOINT.',
    })
  }
  const route = planRoute(environment)
  const credentials = chooseCredentials(environment, httpHandler({ route, ...FEW_REQUESTS }))
  return ec2Client({ instance, credentials, route, log, endpointUrl: ec2EndpointUrl })
}

/** By what the firmware says, which costs nothing. @param root - `/`, unless a test has one of its own */
export async function isEc2Instance(environment: Environment, root = '/'): Promise<boolean> {
  if (environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return false
  if (environment['AWS_EC2_METADATA_SERVICE_ENDPOINT']) return true
  const [xen = '', ...dmi] = await Promise.all(
    [XEN_UUID_FILE, ...DMI_FILES].map((file) => readFile(join(root, file), 'utf8').catch(() => '')),
  )
  return xen.toLowerCase().startsWith('ec2') || dmi.some((text) => text.trim() === EXPECTED_IN_DMI)
}

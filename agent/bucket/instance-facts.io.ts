/** What the instance metadata service says of an instance, for a manifest. Nothing of it may hold a backup up, or fail it. */
import { createHash } from 'node:crypto'
import type { HostDeps } from '../context'
import type { Environment } from '../options/resolve'
import { endpointOf, openSession, type Ask } from './instance-metadata.io'
import { instanceSchema, type InstanceRecord } from './instance-record'

/** All answers together: they come from the same machine, within milliseconds. */
const FACTS_SECONDS_MAX = 10

/** Undefined where there is no such service, or it does not say what it should. */
export async function readInstanceFacts(
  environment: Environment,
  { log, signal }: Pick<HostDeps, 'log' | 'signal'>,
): Promise<InstanceRecord | undefined> {
  try {
    const endpoint = endpointOf(environment)
    const limit = AbortSignal.any([signal, AbortSignal.timeout(FACTS_SECONDS_MAX * 1000)])
    return instanceSchema.parse(await askAll(await openSession(endpoint, limit)))
  } catch (error) {
    signal.throwIfAborted()
    log.debug(`the manifest has nothing of an EC2 instance: ${String(error)}`)
    return undefined
  }
}

async function askAll(ask: Ask): Promise<unknown> {
  const mac = (await ask('meta-data/mac')).trim()
  const ofInterface = (name: string) => absentOr(ask(`meta-data/network/interfaces/macs/${mac}/${name}`))
  const subnetId = await ofInterface('subnet-id')
  const instanceProfileArn = profileOf(await absentOr(ask('meta-data/iam/info')))
  // `0=name`: of the first key, which is the one that it was launched with.
  const keyName = /^0=(.+)$/m.exec((await absentOr(ask('meta-data/public-keys/'))) ?? '')?.[1]
  const userData = await absentOr(ask('user-data', 'latin1')) // which keeps every byte
  return {
    instanceType: (await ask('meta-data/instance-type')).trim(),
    imageId: (await ask('meta-data/ami-id')).trim(),
    availabilityZone: (await ask('meta-data/placement/availability-zone')).trim(),
    ...(subnetId !== undefined && { subnetId: subnetId.trim() }),
    securityGroupIds: ((await ofInterface('security-group-ids')) ?? '').split('\n').filter((line) => line !== ''),
    ...(instanceProfileArn !== undefined && { instanceProfileArn }),
    ...(keyName !== undefined && { keyName }),
    ...(userData !== undefined && { userDataSha256: createHash('sha256').update(userData, 'latin1').digest('hex') }),
  }
}

/** What an instance need not have: the service answers 404. */
async function absentOr(answer: Promise<string>): Promise<string | undefined> {
  return answer.catch((error: unknown) => {
    if (/HTTP status 404$/.test(String(error))) return undefined
    throw error
  })
}

function profileOf(json: string | undefined): string | undefined {
  if (json === undefined) return undefined
  const { InstanceProfileArn: arn } = JSON.parse(json) as { InstanceProfileArn?: string }
  return arn
}

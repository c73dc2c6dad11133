/** What a manifest keeps of an instance's volumes. */
import type { HostDeps } from '../../context'
import { describeError } from '../../errors'
import type { SourceLayout, Volume } from '../source'
import { ebsLayoutSchema, type EbsLayout } from './record'

/** Two answers of EC2, which a backup would do without (design limit). */
const LAYOUT_SECONDS_MAX = 30

export async function readLayout(deps: HostDeps, volumes: readonly Volume[]): Promise<SourceLayout> {
  const ebs = await readVolumes(deps)
  return { layouts: { ...(ebs && { ebs }) }, devices: volumes.map(({ device }) => device) }
}

/** Undefined where EC2 does not tell in time: that costs a launch template its volumes, and nothing else. */
async function readVolumes({ connectEc2, log, signal }: HostDeps): Promise<EbsLayout | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LAYOUT_SECONDS_MAX * 1000)])
  try {
    const ec2 = await connectEc2?.()
    if (!ec2) return undefined
    const attached = new Map((await ec2.describeInstance(limit)).volumes.map((volume) => [volume.volumeId, volume]))
    const described = await ec2.describeVolumes({ ids: [...attached.keys()] }, limit)
    return ebsLayoutSchema.parse({
      volumes: described.flatMap(({ volumeId, makeup }) => {
        const place = attached.get(volumeId)
        return place && makeup ? [{ ...place, ...makeup }] : []
      }),
    })
  } catch (error) {
    signal.throwIfAborted()
    log.warn(`the manifest does not say what the instance's volumes are: ${describeError(error).join(' ')}`)
    return undefined
  }
}

/** Looks for what killed runs left in EBS. */
import type { HostDeps } from '../../context'
import type { Ec2 } from '../../ec2'
import { describeError, hasCode } from '../../errors'
import { findRememberedUploads } from '../remembered-uploads.io'
import { findLeftovers, ofUploads, type EbsLeftover } from './leftovers'
import { startOf } from './plan'
import { forgetRun, listRuns } from './runs.io'
import { readMarked } from './survey.io'

/** So long after a run began, all that it asked EC2 for can be found (design limit). */
const SETTLED_SECONDS = 900

export interface FindOptions {
  readonly runsDirectory: string
  readonly uploadsDirectory: string
  /** Ask EC2 although no file tells of a run. */
  readonly everywhere: boolean
}

/** @throws AgentError where a run has left something, or may have, and EC2 cannot be asked what */
export async function findAll(deps: HostDeps, options: FindOptions): Promise<readonly EbsLeftover[]> {
  const remembered = (await findRememberedUploads(deps.log, 'ebs', options.uploadsDirectory)).map(ofUploads)
  const runs = await listRuns(options.runsDirectory)
  if (runs.length === 0 && !options.everywhere) return remembered
  const ec2 = await connect(deps, runs.length > 0)
  if (!ec2) return remembered
  const found = await ask(deps, ec2, runs.length > 0)
  if (found) await forgetSettled(deps, options.runsDirectory, runs, found)
  return [...(found ?? []), ...remembered]
}

/** @param isNeeded - a run may have left something; else a host that cannot ask has nothing to look for */
async function connect({ connectEc2, log, signal }: HostDeps, isNeeded: boolean): Promise<Ec2 | undefined> {
  try {
    return await connectEc2?.()
  } catch (error) {
    signal.throwIfAborted()
    if (isNeeded) throw error
    log.debug(`EC2 is not asked for leftovers: ${describeError(error)[0] ?? ''}`)
    return undefined
  }
}

async function ask(deps: HostDeps, ec2: Ec2, isNeeded: boolean): Promise<EbsLeftover[] | undefined> {
  const { signal, log } = deps
  try {
    const { volumes } = await ec2.describeInstance(signal)
    const attached = volumes.map(({ volumeId }) => volumeId)
    return findLeftovers(await readMarked(ec2, signal), ec2.instance.arn, attached, { now: deps.now() })
  } catch (error) {
    // Who may not even look has made nothing.
    if (isNeeded || !hasCode(error, 'ACCESS_DENIED')) throw error
    log.debug(`this host may not ask EC2: ${describeError(error)[0] ?? ''}`)
    return undefined
  }
}

/** Of runs that have nothing left. */
async function forgetSettled(
  { now }: HostDeps,
  directory: string,
  runs: readonly string[],
  found: readonly EbsLeftover[],
): Promise<void> {
  for (const run of runs) {
    const isSettled = !(now().getTime() - startOf(run) < SETTLED_SECONDS * 1000)
    if (isSettled && !found.some((leftover) => leftover.run === run)) await forgetRun(run, directory)
  }
}

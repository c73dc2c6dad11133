/** EBS as a source of snapshots. */
import { SYSTEM_CLOCK, type Clock } from '../../bucket/retries.io'
import { EBS_RUNS_DIRECTORY, UPLOADS_DIRECTORY } from '../../contract'
import type { HostDeps } from '../../context'
import { AgentError } from '../../errors'
import { neverAborted } from '../../lib/never-aborted'
import { forgetUploads, rememberUpload } from '../remembered-uploads.io'
import type { SnapshotPlan, Snapshots, SnapshotSource, Tool } from '../source'
import { createClones } from './clones.io'
import { createSnapshots } from './create.io'
import { findAll } from './find-leftovers.io'
import { readLayout } from './layout.io'
import type { EbsLeftover } from './leftovers'
import { mountSnapshot, removeMountPoints } from './mount.io'
import { planWaves, type EbsPlan } from './plan'
import { ebsRun, type EbsRun } from './run.io'
import { forgetRun, recordRun } from './runs.io'
import { readMarked, survey } from './survey.io'
import { removeSnapshot, removeVolume, type Teardown } from './teardown.io'
import { checkCopy, watchCopies } from './watch.io'

const TOOLS: readonly Tool[] = ['unshare', 'nsenter', 'blkid', 'lsblk'].map((name) => ({
  ...{ name, ask: [name, '--version'] as const },
  package: 'util-linux',
}))

/** What EBS planned is what it is given: `sources.io.ts` sees to that. */
const own = (plan: SnapshotPlan): EbsPlan => plan as EbsPlan

export interface EbsOptions {
  readonly runsDirectory?: string
  readonly uploadsDirectory?: string
  readonly clock?: Clock
}

/** @param options - those of a host, unless a test has others */
export function ebsSource(options: EbsOptions = {}): SnapshotSource {
  const { runsDirectory = EBS_RUNS_DIRECTORY, uploadsDirectory = UPLOADS_DIRECTORY, clock = SYSTEM_CLOCK } = options
  /** Of the plans that were taken. */
  const runs = new WeakMap<SnapshotPlan, EbsRun>()
  const runOf = (plan: SnapshotPlan) => runs.get(plan) ?? notTaken(plan)
  const ownerOf = ({ run, origin }: EbsPlan) => ({ kind: 'ebs', run, volume: origin.volume }) as const
  const teardownOf = async ({ log, connectEc2 }: HostDeps): Promise<Teardown> => {
    const ec2 = (await connectEc2?.()) ?? noInstance()
    return { ec2, log, clock }
  }

  async function take(deps: HostDeps, plans: readonly EbsPlan[]): Promise<Snapshots> {
    const [first] = plans
    if (!first) return { release: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() }
    const teardown = await teardownOf(deps)
    deps.signal.throwIfAborted()
    await recordRun(first.run, runsDirectory)
    const run = await takeAll(deps, teardown, plans)
    for (const plan of plans) runs.set(plan, run)
    const released = new Set<SnapshotPlan>()
    const release = async (plan: SnapshotPlan) => {
      if (released.has(plan)) return
      released.add(plan)
      await forgetUploads(deps.log, ownerOf(own(plan)), uploadsDirectory)
      await run.release(own(plan))
    }
    return {
      release,
      async [Symbol.asyncDispose]() {
        await inTurn([...plans.map((plan) => () => release(plan)), () => run.sweep()])
        await forgetRun(first.run, runsDirectory)
      },
    }
  }

  async function takeAll(deps: HostDeps, teardown: Teardown, plans: readonly EbsPlan[]): Promise<EbsRun> {
    const { run } = plans[0] as EbsPlan
    try {
      const wantsClones = plans.some(({ source }) => source.engine === 'clone')
      const clones = wantsClones ? await createClones(deps, teardown, plans) : undefined
      if (clones) return ebsRun(deps, teardown, plans, { snapshots: new Map(), frozen: [] }, clones)
      return ebsRun(deps, teardown, plans, await createSnapshots(deps, teardown, plans))
    } catch (error) {
      await inTurn([
        async () => {
          const { snapshots } = await readMarked(teardown.ec2, neverAborted(), run)
          for (const { snapshotId } of snapshots) await removeSnapshot(teardown, snapshotId)
          // What was asked for in the moment of an interruption may come yet.
          if (!deps.signal.aborted) await forgetRun(run, runsDirectory)
        },
      ]).catch((later: unknown) => {
        throw new SuppressedError(later, error)
      })
      throw error
    }
  }

  async function removeLeftover(deps: HostDeps, { resource, run }: EbsLeftover): Promise<void> {
    if ('remembered' in resource) {
      await forgetUploads(deps.log, { kind: 'ebs', run, volume: resource.remembered }, uploadsDirectory)
      return
    }
    const teardown = await teardownOf(deps)
    if ('volumeId' in resource) await removeVolume(teardown, resource.volumeId)
    else await removeSnapshot(teardown, resource.snapshotId)
    await removeMountPoints(deps, run)
  }

  return {
    kind: 'ebs',
    title: 'EBS',
    tools: TOOLS,
    survey: (deps, filesystems, open) => survey(deps, filesystems, open, runsDirectory),
    take: (deps, plans) => take(deps, plans.map(own)),
    mount: (deps, plan) => mountSnapshot(deps, clock, runOf(plan), own(plan)),
    waves: (plans) => planWaves(plans.map(own)),
    check: (deps, plan) => checkCopy(deps, runOf(plan), own(plan)),
    watch: (deps, plans, onFault) => watchCopies(deps, plans.map(own), runOf, onFault),
    recordUpload: (deps, plan, upload) => rememberUpload(deps.log, ownerOf(own(plan)), upload, uploadsDirectory),
    findLeftovers: (deps, everywhere = false) => findAll(deps, { runsDirectory, uploadsDirectory, everywhere }),
    removeLeftover: (deps, leftover) => removeLeftover(deps, leftover as EbsLeftover),
    readLayout,
  }
}

export const ebs = ebsSource()

/** Goes on after a failure. @throws unknown the first, with the others as failures of its clean-up */
async function inTurn(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) await step().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures.reduce((first, later) => new SuppressedError(later, first))
}

function notTaken({ origin }: SnapshotPlan): never {
  throw new RangeError(`no snapshot of ${origin.mountPoint} was taken`)
}

function noInstance(): never {
  throw new AgentError('EC2_FAILED', 'this is no EC2 instance', { hint: 'Leave --source ebs out.' })
}

/** Small filesystems that nothing can take a snapshot of, as a source: /boot and the EFI system partition beside LVM. */
import { UPLOADS_DIRECTORY } from '../../contract'
import type { HostDeps } from '../../context'
import { FIND_SYSTEMD } from '../../host/freeze'
import { findPendingThaws, readAlwaysWritable, thawPending } from '../../host/freeze.io'
import type { HostFilesystems } from '../../host/mounts'
import type { MountedFilesystem } from '../filesystems'
import { findRememberedUploads, forgetUploads, rememberUpload } from '../remembered-uploads.io'
import type { LeftoverSnapshot, SnapshotPlan, Snapshots, SnapshotSource, Tool } from '../source'
import { reasonAgainstReading, USED_BYTES_MAX, type QuietState } from './claim'
import { MEMINFO, parseAvailableBytes, planWaves, type QuietPlan } from './plan'
import { readIntoMemory } from './read.io'
import { surveyQuiet } from './survey'

const KERNEL = { timeoutSeconds: 30 }

const TOOLS: readonly Tool[] = [
  ...['lslocks', 'unshare', 'fsfreeze', 'blockdev'].map((name) => ({ name, package: 'util-linux' })),
  ...['sync', 'sha256sum', 'realpath', 'stat'].map((name) => ({ name, package: 'coreutils' })),
].map((tool) => ({ ...tool, ask: [tool.name, '--version'] }))

/** What a killed run left: uploads that it had begun, or a filesystem that it had frozen. */
export interface QuietLeftover extends LeftoverSnapshot {
  readonly kind: 'quiet'
  /** Of uploads. */
  readonly run?: string
  readonly volume?: string
  /** Of a frozen filesystem: the unit that will thaw it. */
  readonly unit?: string
  readonly mountPoint?: string
}

/** What was planned here is what it is given: `sources.io.ts` sees to that. */
const own = (plan: SnapshotPlan): QuietPlan => plan as QuietPlan

const owner = ({ run, origin }: QuietPlan) => ({ kind: 'quiet', run, volume: origin.volume }) as const

/** @param uploads - directory in which unfinished ones are remembered */
export function quietSource(uploads: string = UPLOADS_DIRECTORY): SnapshotSource {
  return {
    kind: 'quiet',
    title: 'reading in place',
    tools: TOOLS,
    survey: async (deps, filesystems, open) => surveyQuiet(await readState(deps, filesystems, open), filesystems),
    take: (deps, plans) => takeNothing(deps, plans.map(own), uploads),
    mount: (deps, plan) => readIntoMemory(deps, own(plan)),
    // Behind the snapshots of others, but for what fits in memory at once: that is the more consistent with them.
    waves: (plans) => planWaves(plans.map(own), USED_BYTES_MAX).slice(1),
    // What was read lies in memory.
    check: () => Promise.resolve(),
    watch: () => ({ forget: () => undefined, [Symbol.asyncDispose]: () => Promise.resolve() }),
    recordUpload: ({ log }, plan, upload) => rememberUpload(log, owner(own(plan)), upload, uploads),
    findLeftovers: (deps) => findLeftovers(deps, uploads),
    removeLeftover: (deps, leftover) => removeLeftover(deps, leftover as QuietLeftover, uploads),
    readLayout: (_deps, volumes) => Promise.resolve({ layouts: {}, devices: volumes.map(({ device }) => device) }),
  }
}

export const quiet: SnapshotSource = quietSource()

async function readState(
  deps: HostDeps,
  filesystems: HostFilesystems,
  open: readonly MountedFilesystem[],
): Promise<QuietState> {
  const { host, signal } = deps
  const mayBe = open.filter((found) => reasonAgainstReading(filesystems, [], found) === undefined)
  if (mayBe.length === 0) return { writable: [], hasSystemd: false, sizesBytes: new Map(), availableBytes: 0 }
  const writable = await readAlwaysWritable(deps)
  const hasSystemd = (await host.attempt(FIND_SYSTEMD, signal, KERNEL)).status === 0
  const sizesBytes = new Map<string, number>()
  for (const found of mayBe) {
    if (reasonAgainstReading(filesystems, writable, found) !== undefined) continue
    const device = found.mount.source
    const { status, stdout } = await host.attempt(['blockdev', '--getsize64', device], signal, KERNEL)
    if (status === 0) sizesBytes.set(device, Number(stdout))
  }
  const availableBytes = sizesBytes.size === 0 ? 0 : parseAvailableBytes(await host.run(MEMINFO, signal, KERNEL))
  return { writable, hasSystemd, sizesBytes, availableBytes }
}

/** There is nothing to take before a filesystem is read: what is given back are its uploads, once. */
function takeNothing({ log, signal }: HostDeps, plans: readonly QuietPlan[], directory: string): Promise<Snapshots> {
  if (signal.aborted) return Promise.reject(signal.reason as Error)
  const release = (plan: SnapshotPlan) => forgetUploads(log, owner(own(plan)), directory)
  const all = async () => {
    for (const plan of plans) await release(plan)
  }
  return Promise.resolve({ release, [Symbol.asyncDispose]: all })
}

async function findLeftovers(deps: HostDeps, directory: string): Promise<QuietLeftover[]> {
  const remembered = await findRememberedUploads(deps.log, 'quiet', directory)
  const thaws = await findPendingThaws(deps)
  return [
    ...remembered.map(({ run, volume, uploads }) => ({
      ...{ kind: 'quiet' as const, name: `uploads of ${volume} in run ${run}`, run, volume, uploads },
    })),
    ...thaws.map(({ unit, mountPoint }) => ({
      ...{ kind: 'quiet' as const, name: `freeze of ${mountPoint}`, unit, mountPoint, uploads: [] },
    })),
  ]
}

async function removeLeftover(deps: HostDeps, leftover: QuietLeftover, directory: string): Promise<void> {
  const { run, volume, unit, mountPoint } = leftover
  if (unit !== undefined && mountPoint !== undefined) await thawPending(deps, { unit, mountPoint })
  if (run !== undefined && volume !== undefined)
    await forgetUploads(deps.log, { kind: 'quiet', run, volume }, directory)
}

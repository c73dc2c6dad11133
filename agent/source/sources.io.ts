/** All sources of snapshots as one: each is asked for what is its own. */
import type { HostDeps, UploadRef } from '../context'
import { readFilesystems } from '../host/filesystems.io'
import { AUTOMATIC, isAllowed, type SourceChoice } from './choice'
import { findFilesystems } from './filesystems'
import { ebs } from './ebs/snapshots.io'
import { lvm } from './lvm/snapshots.io'
import { quiet } from './quiet/snapshots.io'
import type { HostLayouts, SourceKind } from './record'
import type {
  HostSurvey,
  MountedSnapshot,
  OnFault,
  SnapshotPlan,
  Snapshots,
  SnapshotSource,
  SourceLayout,
  Survey,
  Volume,
  Watch,
} from './source'

/** In the order in which they are asked: the first that claims a filesystem takes its snapshot. */
export const SOURCES: readonly SnapshotSource[] = [lvm, ebs, quiet]
const BY_KIND = new Map(SOURCES.map((source) => [source.kind, source]))

/** The source that a plan, a volume or a leftover is of. */
export function sourceOf({ kind }: { readonly kind: SourceKind }): SnapshotSource {
  const source = BY_KIND.get(kind)
  if (!source) throw new RangeError(`there is no source '${kind}'`)
  return source
}

/**
 * Reads all that the sources, the mount table and the kernel say about this host.
 *
 * @throws AgentError TOOL_MISSING where what a source needs is not installed, OUTPUT_UNREADABLE, COMMAND_FAILED
 */
export async function surveyHost(deps: HostDeps, choice: SourceChoice = AUTOMATIC): Promise<HostSurvey> {
  const filesystems = await readFilesystems(deps)
  const surveys: Survey[] = []
  let open = findFilesystems(filesystems)
  for (const source of SOURCES) {
    const own = open.filter((found) => isAllowed(choice, source.kind, found))
    const survey = await source.survey(deps, filesystems, own)
    surveys.push(survey)
    open = open.filter((found) => !own.includes(found) || survey.claim(found) === undefined)
  }
  return { filesystems, choice, surveys }
}

/** Takes all snapshots back to back. @see SnapshotSource.take */
export async function takeSnapshots(deps: HostDeps, plans: readonly SnapshotPlan[]): Promise<Snapshots> {
  await using all = new AsyncDisposableStack()
  const taken = new Map<SourceKind, Snapshots>()
  for (const [source, own] of bySource(plans)) taken.set(source.kind, all.use(await source.take(deps, own)))
  const held = all.move()
  return {
    release: async (plan) => taken.get(plan.origin.kind)?.release(plan),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** @see SnapshotSource.watch */
export function watchSnapshots(deps: HostDeps, plans: readonly SnapshotPlan[], onFault: OnFault): Watch {
  const watches = new AsyncDisposableStack()
  const byKind = new Map<SourceKind, Watch>()
  for (const [source, own] of bySource(plans)) byKind.set(source.kind, watches.use(source.watch(deps, own, onFault)))
  return {
    forget: (plan) => byKind.get(plan.origin.kind)?.forget(plan),
    [Symbol.asyncDispose]: () => watches.disposeAsync(),
  }
}

/**
 * What is mounted and read together, in order. What holds snapshots on this host comes first: they slow its writers down.
 *
 * @see SnapshotSource.waves
 */
export function planWaves(plans: readonly SnapshotPlan[]): (readonly SnapshotPlan[])[] {
  const waves = bySource(plans).map(([source, own]) => source.waves?.(own) ?? [])
  const later = waves.flat()
  const first = plans.filter((plan) => !later.some((wave) => wave.includes(plan)))
  return [first, ...later].filter((wave) => wave.length > 0)
}

/** @see SnapshotSource.mount */
export async function mountSnapshot(deps: HostDeps, plan: SnapshotPlan): Promise<MountedSnapshot> {
  return await sourceOf(plan.origin).mount(deps, plan)
}

/** @see SnapshotSource.check */
export async function checkSnapshot(deps: HostDeps, plan: SnapshotPlan): Promise<void> {
  await sourceOf(plan.origin).check(deps, plan)
}

/** @see SnapshotSource.recordUpload */
export async function recordUpload(deps: HostDeps, plan: SnapshotPlan, upload: UploadRef): Promise<void> {
  await sourceOf(plan.origin).recordUpload(deps, plan, upload)
}

/** Of all sources that volumes are of. @see SnapshotSource.readLayout */
export async function readLayouts(deps: HostDeps, volumes: readonly Volume[]): Promise<SourceLayout> {
  let layouts: HostLayouts = {}
  const devices: string[] = []
  for (const [kind, own] of Map.groupBy(volumes, ({ kind }) => kind)) {
    const layout = await sourceOf({ kind }).readLayout(deps, own)
    layouts = { ...layouts, ...layout.layouts }
    devices.push(...layout.devices)
  }
  return { layouts, devices }
}

function bySource(plans: readonly SnapshotPlan[]): (readonly [SnapshotSource, readonly SnapshotPlan[]])[] {
  return Array.from(
    Map.groupBy(plans, ({ origin }) => origin.kind),
    ([kind, own]) => [sourceOf({ kind }), own] as const,
  )
}

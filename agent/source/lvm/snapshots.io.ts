/** LVM as a source of snapshots. */
import type { HostDeps, UploadRef } from '../../context'
import { hasCode } from '../../errors'
import { readMounts } from '../../host/filesystems.io'
import type { HostFilesystems } from '../../host/mounts'
import type { MountedFilesystem } from '../filesystems'
import { LVM_TIMEOUT_SECONDS, changeLvm } from './commands.io'
import { tarCreateListed } from '../../tar/commands'
import { mountDevice } from '../mount.io'
import type {
  LeftoverSnapshot,
  MountedSnapshot,
  SnapshotPlan,
  Snapshots,
  SnapshotSource,
  Tool,
  Volume,
} from '../source'
import type { LvmVolume } from './claim'
import { checkHealth, snapshotInvalid } from './health'
import { readLayout } from './layout.io'
import { findLeftovers, formatUploadTag, type LvmLeftover } from './leftovers'
import { lvaddtag, type LvmPlan } from './plan'
import { LVS, parseLvs, parseVgs, VGS, type LvmState, type SnapshotState } from './reports'
import { surveyLvm } from './survey'
import { removeSnapshot, removeSnapshotIfOurs } from './teardown.io'
import { watchSnapshots } from './watch.io'

const LVM = { timeoutSeconds: LVM_TIMEOUT_SECONDS }

const TOOLS: readonly Tool[] = ['lvs', 'vgs', 'pvs', 'lvcreate', 'lvchange', 'lvextend', 'lvremove', 'vgcfgbackup'].map(
  (name) => ({ name, ask: [name, '--version'], package: 'lvm2' }),
)

/** What LVM planned is what it is given: `sources.io.ts` sees to that. */
const own = (plan: SnapshotPlan): LvmPlan => plan as LvmPlan

export const lvm: SnapshotSource = {
  kind: 'lvm',
  title: 'LVM',
  tools: TOOLS,
  survey: async (deps, filesystems: HostFilesystems, open) =>
    surveyLvm(await readLvmStateOf(deps, filesystems, open), filesystems),
  take: (deps, plans) => takeSnapshots(deps, plans.map(own)),
  mount: (deps, plan) => mountSnapshot(deps, own(plan)),
  check: (deps, plan) => checkSnapshot(deps, own(plan)),
  watch: (deps, plans, onFault) => watchSnapshots(deps, plans.map(own), onFault, readSnapshotState),
  recordUpload: (deps, plan, upload) => recordUpload(deps, own(plan), upload),
  findLeftovers: async (deps) => findLeftovers((await readLvmStateIfInstalled(deps)).logicalVolumes),
  removeLeftover: (deps, leftover: LeftoverSnapshot) => removeSnapshot(deps, leftover as LvmLeftover),
  readLayout: (deps, volumes: readonly Volume[]) => readLayout(deps, volumes as readonly LvmVolume[]),
}

/** @throws AgentError TOOL_MISSING where LVM is not installed, OUTPUT_UNREADABLE, COMMAND_FAILED */
async function readLvmState({ host, signal }: HostDeps): Promise<LvmState> {
  return {
    logicalVolumes: parseLvs(await host.run(LVS, signal, LVM)),
    groups: parseVgs(await host.run(VGS, signal, LVM)),
  }
}

const NO_LVM: LvmState = { logicalVolumes: [], groups: [] }

/** Most hosts have no LVM, and so not its tools. Throws as `readLvmState`, but not where they are missing. */
async function readLvmStateIfInstalled(deps: HostDeps): Promise<LvmState> {
  return await readLvmState(deps).catch((error: unknown) => {
    if (!hasCode(error, 'TOOL_MISSING')) throw error
    return NO_LVM
  })
}

/** Where a filesystem lies on a logical volume, LVM's tools have to be there. Throws as `readLvmState`. */
async function readLvmStateOf(
  deps: HostDeps,
  { devices }: HostFilesystems,
  open: readonly MountedFilesystem[],
): Promise<LvmState> {
  if (open.length === 0) return NO_LVM
  const isOnLvm = devices.some(({ type, below }) => type === 'lvm' || below.includes('lvm'))
  return isOnLvm ? await readLvmState(deps) : await readLvmStateIfInstalled(deps)
}

/** What the health of snapshots shows in. Throws as `readLvmState`. */
async function readSnapshotState(deps: HostDeps): Promise<SnapshotState> {
  return { ...(await readLvmState(deps)), mounts: await readMounts(deps) }
}

async function takeSnapshots(deps: HostDeps, plans: readonly LvmPlan[]): Promise<Snapshots> {
  await using taken = new AsyncDisposableStack()
  const releases = new Map<SnapshotPlan, () => Promise<void>>()
  for (const plan of plans) {
    const snapshot = { group: plan.origin.group, snapshot: plan.name }
    let remove: typeof removeSnapshot | undefined = removeSnapshotIfOurs
    const release = async () => {
      const removeOnce = remove
      remove = undefined
      await removeOnce?.(deps, snapshot)
    }
    taken.defer(release) // before the command: one that fails may have done half of its work
    releases.set(plan, release)
    await changeLvm(deps, plan.create)
    remove = removeSnapshot
  }
  const all = taken.move()
  return {
    release: async (plan) => releases.get(plan)?.(),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function mountSnapshot(deps: HostDeps, plan: LvmPlan): Promise<MountedSnapshot> {
  const lease = await mountDevice(deps, plan)
  return {
    ...{ source: plan.source, tar: plan.tar, tarListed: tarCreateListed(plan.mountPoint) },
    tree: plan.mountPoint,
    [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
  }
}

async function recordUpload(deps: HostDeps, { origin, name }: LvmPlan, upload: UploadRef): Promise<void> {
  await changeLvm(deps, lvaddtag(origin.group, name, formatUploadTag(upload)))
}

async function checkSnapshot(deps: HostDeps, plan: LvmPlan): Promise<void> {
  const fault = checkHealth(await readSnapshotState(deps), plan)
  if (fault !== undefined) throw snapshotInvalid(plan, fault)
}

import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { dataKey, ExitStatus } from '../contract'
import { AgentError, hasCode, unwrapFailure } from '../errors'
import type { Connection } from '../io/connection'
import type { HostDeps } from '../io/deps'
import { takeLock } from '../io/lock'
import { readStorage } from '../io/lvm'
import { throwUnlessRoot } from '../io/process'
import { readTools } from '../io/system'
import { findLeftovers, type Leftovers } from '../plan/leftovers'
import type { HostStorage } from '../plan/lvm'
import type { PreflightRequest } from '../plan/options'
import {
  describeSnapshots,
  describeVolumes,
  formatChecks,
  judgeClock,
  judgeLeftovers,
  judgeOthers,
  judgeTools,
  judgeVersioning,
  TOOLS,
  type Check,
  type Judgement,
  type Tool,
} from '../plan/preflight'
import { formatRun } from '../plan/run'
import { selectVolumes } from '../plan/selection'
import { planSnapshots } from '../plan/snapshots'
import type { Outcome } from './outcome'

export interface PreflightDeps extends HostDeps {
  /** Not made yet: that it cannot be made is one of the findings. */
  readonly connect: () => Promise<Connection>
}

/** Everything that a backup of this host needs: each check is made, whatever the others found. Changes nothing. */
export async function preflight(deps: PreflightDeps, request: PreflightRequest): Promise<Outcome> {
  const checks = [
    ...(await checkHost(deps)),
    ...(await checkStorage(deps, request)),
    ...(await checkBucket(deps, request)),
  ]
  const ready = checks.every(({ status }) => status !== 'fail')
  return {
    status: ready ? ExitStatus.ok : ExitStatus.failed,
    summary: formatChecks(checks),
    json: { ready, checks },
  }
}

async function checkHost(deps: PreflightDeps): Promise<Check[]> {
  return [
    (
      await look(
        deps,
        'root',
        () => throwUnlessRoot('backup'),
        () => 'runs as root',
      )
    ).check,
    (
      await look(
        deps,
        'node',
        () => process.versions.node,
        (version) => `version ${version}`,
      )
    ).check,
    (await look(deps, 'tools', () => findMissingTools(deps), judgeTools)).check,
    (
      await look(
        deps,
        'tar',
        () => readTools(deps),
        ({ tar }) => `GNU tar ${tar} keeps all metadata`,
      )
    ).check,
  ]
}

async function findMissingTools({ host, signal }: PreflightDeps): Promise<Tool[]> {
  const missing: Tool[] = []
  for (const tool of TOOLS) {
    try {
      await host.attempt(tool.ask, signal)
    } catch (error) {
      if (!hasCode(error, 'TOOL_MISSING')) throw error
      missing.push(tool)
    }
  }
  return missing
}

async function checkStorage(deps: PreflightDeps, request: PreflightRequest): Promise<Check[]> {
  const storage = await look(
    deps,
    'storage',
    () => readStorage(deps),
    () => 'LVM and the mount table answer',
  )
  if (!storage.found) return [storage.check]
  const { found: host } = storage
  const selection = await look(deps, 'volumes', () => selectVolumes(host, request), describeVolumes)
  const leftovers = await look(
    deps,
    'leftovers',
    () => readLeftovers(deps, host),
    (found) => (found === 'busy' ? 'another run is under way' : judgeLeftovers(found)),
  )
  const checks = [storage.check, selection.check, leftovers.check]
  if (!selection.found) return checks
  const { found } = selection
  checks.push((await look(deps, 'other filesystems', () => found, judgeOthers)).check)
  // Group by group, since a backup needs room in each of them.
  for (const [group, volumes] of Map.groupBy(found.volumes, (volume) => volume.group)) {
    const plan = () => planSnapshots(host, volumes, { run: probeRun(deps), size: request.snapshotSize })
    const free = host.groups.find(({ name }) => name === group)?.freeBytes ?? 0
    checks.push((await look(deps, `space in ${group}`, plan, (plans) => describeSnapshots(plans, free))).check)
  }
  return checks
}

/** While another run is under way, its snapshots are no leftovers. */
async function readLeftovers(deps: PreflightDeps, storage: HostStorage): Promise<Leftovers | 'busy'> {
  try {
    await using _lock = await takeLock(deps)
    return findLeftovers(storage)
  } catch (error) {
    if (hasCode(error, 'BUSY')) return 'busy'
    throw error
  }
}

async function checkBucket(deps: PreflightDeps, request: PreflightRequest): Promise<Check[]> {
  const identity = await look(deps, 'identity', deps.connect, ({ host, region }) => `${host}, in ${region}`)
  if (!identity.found) return [identity.check]
  const { store, host, readCaller } = identity.found
  const caller = await look(deps, 'credentials', readCaller, (name) => name)
  const facts = await look(
    deps,
    'bucket',
    () => store.readFacts(deps.signal),
    ({ region }) => `${store.bucket} is there, in ${region}`,
  )
  const key = dataKey({ class: request.class, host, run: probeRun(deps) }, 'preflight', 'none', 0)
  const writing = await look(
    deps,
    'writing',
    () => probeUpload(deps, store, key),
    () => `may write the backups of this host, class ${request.class}`,
  )
  const checks = [identity.check, caller.check, facts.check, writing.check]
  if (!facts.found) return checks
  const { versioning, clockSkewSeconds } = facts.found
  return [
    ...checks,
    (await look(deps, 'versioning', () => versioning, judgeVersioning)).check,
    (await look(deps, 'clock', () => clockSkewSeconds, judgeClock)).check,
  ]
}

/** An upload that is never completed: it needs the permissions of a backup, and leaves nothing. */
async function probeUpload({ signal }: PreflightDeps, store: Connection['store'], key: string): Promise<void> {
  const body = Buffer.from('snapstream preflight\n')
  const upload = await store.createUpload(key, undefined, signal)
  try {
    await store.uploadPart(upload, 1, body, crc32(body), signal)
  } finally {
    await store.abortUpload(upload, signal)
  }
}

/** The name of a run that will never be. */
function probeRun({ now }: PreflightDeps): string {
  return formatRun(now(), randomBytes(6))
}

/** Looks at one thing, and judges what it sees. What cannot be seen has failed, with the reason. */
async function look<T>(
  { signal }: PreflightDeps,
  name: string,
  read: () => T | Promise<T>,
  judge: (found: T) => Judgement,
): Promise<{ readonly check: Check; readonly found?: T }> {
  try {
    const found = await read()
    const judgement = judge(found)
    const check = typeof judgement === 'string' ? ({ status: 'ok', what: judgement } as const) : judgement
    return { check: { name, ...check }, found }
  } catch (error) {
    signal.throwIfAborted()
    const { first } = unwrapFailure(error)
    const fix = first instanceof AgentError ? first.hint : 'Nobody foresaw this: please report it.'
    return { check: { name, status: 'fail', what: first instanceof Error ? first.message : String(first), fix } }
  }
}

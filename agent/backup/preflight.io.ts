import { randomBytes } from 'node:crypto'
import { ExitStatus } from '../contract'
import { hasCode } from '../errors'
import type { BucketOfHost } from '../bucket/connect.io'
import type { HostDeps } from '../context'
import { findHooks } from '../hooks/hooks.io'
import { readUsedInodes } from '../host/filesystems.io'
import { findLeftovers } from '../source/leftovers.io'
import { sourceOf, SOURCES, surveyHost } from '../source/sources.io'
import type { SnapshotSource, Tool } from '../source/source'
import { readTools } from './system-record.io'
import { judgeMemory } from './memory-need'
import type { PreflightRequest } from '../options/commands'
import {
  describeHooks,
  describeVolumes,
  describeWay,
  formatChecks,
  judgeClock,
  judgeFailure,
  judgeLeftovers,
  judgeOthers,
  judgeRoot,
  judgeSpace,
  judgeTools,
  judgeVersioning,
  TOOLS,
  type Check,
  type Judgement,
} from './preflight-checks'
import { formatRun } from '../run/run-id'
import { parseSourceChoice } from '../source/choice'
import { snapshotRequest } from '../source/plan'
import { selectVolumes } from '../source/select'
import type { Outcome, Told } from '../outcome'
import type { preflightOutput } from './output-schema'
import { probeChecksums, probeCompletion, probeUpload } from './probe-upload.io'

export interface PreflightDeps extends HostDeps {
  readonly isRoot: boolean
  /** Of memory, on this host or in the container that this is. */
  readonly availableBytes: number
  /** Not made yet: that it cannot be made is one of the findings. */
  readonly open: () => Promise<BucketOfHost>
}

/**
 * Looks at everything that a backup of this host needs, whatever else is missing. Leaves nothing behind, but for
 * `--probe-upload`, and for one object where a server completes an upload although its checksum is wrong.
 */
export async function preflight(
  deps: PreflightDeps,
  request: PreflightRequest,
): Promise<Outcome<Told<typeof preflightOutput>>> {
  const run = formatRun(deps.now(), randomBytes(6)) // it will never be
  const survey = surveyHost(deps, parseSourceChoice(request.source))
  const selection = survey.then((found) => selectVolumes(found, request))
  const space = Promise.all([survey, selection])
  const used = selection.then(
    ({ volumes }) => [...new Set(volumes.map(sourceOf))],
    () => SOURCES,
  )
  const opened = deps.open()
  const bucket = opened.then(({ store }) => store.readFacts(deps.signal))

  const probe = async (way: typeof probeUpload) => way(await opened, { class: request.class, run }, deps.signal)
  const writing = probe(probeUpload)

  const checks = await gather(deps.signal, {
    root: judgeRoot(deps.isRoot),
    node: `version ${process.versions.node}`,
    tools: used.then(async (sources) => judgeTools(await findMissingTools(deps, sources), titlesOf(sources))),
    tar: readTools(deps).then(({ tar }) => `GNU tar ${tar} keeps all metadata`),
    storage: Promise.all([used, survey]).then(
      ([sources]) => `${titlesOf(sources).join(', ')} and the mount table answer`,
    ),
    volumes: selection.then(describeVolumes),
    'other filesystems': space.then(([host, chosen]) => judgeOthers(host, chosen)),
    space: space.then(([host, { volumes }]) =>
      judgeSpace(host, volumes, snapshotRequest(request, { host: request.host ?? '', run })),
    ),
    memory: Promise.all([selection, readUsedInodes(deps)]).then(([{ volumes }, inodes]) =>
      judgeMemory(deps.availableBytes, volumes, inodes),
    ),
    hooks: findHooks(request).then(describeHooks),
    leftovers: survey.then(() => findLeftovers(deps)).then(judgeLeftovers),
    identity: opened.then(({ host, region }) => `${host}, in ${region}`),
    network: opened.then(({ readEndpointInfo }) => readEndpointInfo()).then(describeWay),
    credentials: opened.then(({ readCaller }) => readCaller()),
    bucket: bucket.then(({ region }) => `${request.bucket} is there, in ${region}`),
    writing,
    checksums: writing.then(() => probe(probeChecksums)),
    ...(request.probeUpload && { completing: writing.then(() => probe(probeCompletion)) }),
    versioning: bucket.then(({ versioning, region }) => judgeVersioning(versioning, { ...request, region })),
    clock: bucket.then(({ clockSkewSeconds }) => judgeClock(clockSkewSeconds)),
  })
  const ready = checks.every(({ status }) => status !== 'fail')
  return {
    status: ready ? ExitStatus.ok : ExitStatus.failed,
    summary: formatChecks(checks),
    json: { ready, checks },
  }
}

function titlesOf(sources: readonly SnapshotSource[]): string[] {
  return sources.map(({ title }) => title)
}

/** @param sources - those that this host needs */
async function findMissingTools({ host, signal }: PreflightDeps, sources: readonly SnapshotSource[]): Promise<Tool[]> {
  const missing: Tool[] = []
  for (const tool of [...sources.flatMap(({ tools }) => tools), ...TOOLS]) {
    try {
      await host.attempt(tool.ask, signal)
    } catch (error) {
      if (!hasCode(error, 'TOOL_MISSING')) throw error
      missing.push(tool)
    }
  }
  return missing
}

/**
 * Waits for all. What could not be looked at has failed, with the reason; where several failed for one reason, the
 * first tells it.
 */
async function gather(
  signal: AbortSignal,
  judgements: Readonly<Record<string, Judgement | Promise<Judgement>>>,
): Promise<Check[]> {
  const results = await Promise.allSettled(Object.values(judgements).map((judgement) => Promise.resolve(judgement)))
  signal.throwIfAborted()
  const told = new Set<unknown>()
  return Object.keys(judgements).flatMap((name, index) => {
    const result = results[index] as PromiseSettledResult<Judgement>
    if (result.status === 'rejected' && told.has(result.reason)) return []
    if (result.status === 'rejected') told.add(result.reason)
    const judgement = result.status === 'fulfilled' ? result.value : judgeFailure(result.reason)
    return [{ name, ...(typeof judgement === 'string' ? { status: 'ok' as const, what: judgement } : judgement) }]
  })
}

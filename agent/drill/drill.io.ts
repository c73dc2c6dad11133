/** The story of a drill: whose turn it is, a restore, comparisons, a record, and nothing left of it. */
import { hostname } from 'node:os'
import { drillKey, ExitStatus, type RunKey } from '../contract'
import { AgentError, asLoss, describeError, hasCode } from '../errors'
import type { Deps } from '../context'
import { takeScratch } from '../host/scratch.io'
import { steadyClock } from '../lib/steady-clock.io'
import type { DrillRequest } from '../options/commands'
import type { Outcome } from '../outcome'
import { formatTime } from '../run/run-id'
import { formatSample } from '../verify/sample'
import { assertTrustedScript } from './check-script.io'
import { chooseRun } from './choose-run.io'
import { collectProblems, nameVolumes, type Problems } from './problems'
import { formatDrill, type DrillOutput, type DrillReport } from './report'
import { chooseShare, tryRun, type Trial, type TrialRequest } from './try-run.io'

/** One request, for what was found although the time is over. */
const RECORD_SECONDS_MAX = 60

/**
 * Restores the newest run of a host on trial, compares it, has the operator's script look at it, and records what came of it
 * beside the runs, where no host may write. Whatever it restored is removed.
 *
 * @returns status `failed` where anything is not as it should be; `incomplete` where that could not be recorded,
 * `cleanupFailed` where something of it is still on this host
 * @throws AgentError where no run could be tried: BUSY, TARGET_UNFIT, UNKNOWN_RUN, INTERRUPTED and others
 */
export async function drill(given: Deps, request: DrillRequest): Promise<Outcome<DrillOutput>> {
  const deps = { ...given, now: steadyClock(given.now) }
  const startedAt = deps.now()
  if (request.checkScript !== undefined) await assertTrustedScript(request.checkScript)
  await using scratch = await takeScratch(deps, request.scratch)
  const runKey = await chooseRun(deps, request)
  deps.log.info(`restoring run ${runKey.run} of ${runKey.host} on trial`)

  const part = chooseShare(request)
  const trial: Trial = { restoreSeconds: 0, restoredBytes: 0, entries: 0, volumes: [] }
  const problems = collectProblems()
  await tryOrTell(deps, { ...request, startedAt, scratch: scratch.path, part }, runKey, trial, problems)
  if (trial.entries === 0 && problems.count() === 0) problems.add('nothing was restored')
  const leftBehind = await scratch[Symbol.asyncDispose]().then(
    () => [],
    (error: unknown) => describeError(error),
  )

  const share = part ? formatSample(part) : request.volume.length + request.path.length > 0 ? 'part' : undefined
  const report: DrillReport = {
    ...{ drill: 1, class: runKey.class, host: runKey.host, run: runKey.run, drilledOn: hostname() },
    ...{ startedAt: startedAt.toISOString(), finishedAt: deps.now().toISOString(), ok: problems.count() === 0 },
    ...trial,
    volumes: nameVolumes(trial.volumes),
    ...(share !== undefined && { share }),
    ...(request.checkScript !== undefined && { checkScript: request.checkScript }),
    problems: problems.list(),
  }
  const recorded = await record(deps, report)
  return {
    status: statusOf(report, recorded, leftBehind),
    summary: formatDrill(report, { bucket: deps.store.bucket, recorded, leftBehind }),
    json: { ...report, ...(recorded !== undefined && { recorded }), leftBehind },
  }
}

/** What keeps a run from being restored is what a drill is there to find; what keeps all of them from it is not this run's. */
async function tryOrTell(
  deps: Deps,
  request: TrialRequest,
  runKey: RunKey,
  trial: Trial,
  problems: Problems,
): Promise<void> {
  try {
    await tryRun(deps, request, runKey, trial, problems)
  } catch (error) {
    const { signal, deadline } = deps
    if (signal.aborted && !deadline?.aborted) throw error
    const { message, hint } = signal.aborted ? (signal.reason as AgentError) : asLoss(error)
    problems.add(`${message}. ${hint}`)
  }
}

function statusOf({ ok }: DrillReport, recorded: string | undefined, leftBehind: readonly string[]): ExitStatus {
  if (!ok) return ExitStatus.failed
  // Nobody would ever see that it succeeded.
  if (recorded === undefined) return ExitStatus.incomplete
  return leftBehind.length > 0 ? ExitStatus.cleanupFailed : ExitStatus.ok
}

/** @returns its key, or undefined where these credentials may not write it */
async function record({ store, signal, log }: Deps, report: DrillReport): Promise<string | undefined> {
  const key = drillKey(report, formatTime(new Date(report.finishedAt)))
  const sending = signal.aborted ? AbortSignal.timeout(RECORD_SECONDS_MAX * 1000) : signal
  try {
    await store.put(key, `${JSON.stringify(report, null, 2)}\n`, sending, { contentType: 'application/json' })
    return key
  } catch (error) {
    if (!hasCode(error, 'ACCESS_DENIED')) throw error
    log.warn(`the result was not recorded: these credentials may not write ${key}`)
    return undefined
  }
}

import type { RunKey } from '../contract'
import type { PreflightRequest } from '../options/commands'
import { NO_TAGS } from '../tar/tags'
import type { HostSurvey, SnapshotPlan, SnapshotRequest, Volume } from './source'

/** What all sources are told, of what an operator asked for. */
export function snapshotRequest(
  {
    snapshotSize,
    freeze,
    ebsKeepLast,
    ebsEngine,
  }: Pick<PreflightRequest, 'snapshotSize' | 'freeze' | 'ebsKeepLast' | 'ebsEngine'>,
  { host, run }: Pick<RunKey, 'host' | 'run'>,
): SnapshotRequest {
  return {
    host,
    run,
    size: snapshotSize,
    exclude: [],
    tags: NO_TAGS,
    freeze,
    ebsKeepLast: ebsKeepLast === 'yes',
    ebsEngine,
  }
}

/** One snapshot for each volume, in their order. @throws AgentError SNAPSHOT_SPACE where there is too little room */
export function planSnapshots(
  { surveys }: HostSurvey,
  volumes: readonly Volume[],
  request: SnapshotRequest,
): SnapshotPlan[] {
  const bySource = Map.groupBy(volumes, ({ kind }) => kind)
  const plans = surveys.flatMap((survey) => survey.plan(bySource.get(survey.kind) ?? [], request))
  return plans.sort((a, b) => volumes.indexOf(a.origin) - volumes.indexOf(b.origin))
}

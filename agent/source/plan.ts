import type { HostSurvey, SnapshotPlan, SnapshotRequest, Volume } from './source'

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

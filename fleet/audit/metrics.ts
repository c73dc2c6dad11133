/** The fleet in figures, for alarms and graphs. */
import { Metric, MetricDimension } from '../model/auditor'
import { HOST_STATES, type FleetView } from '../model/records'

export interface MetricDatum {
  readonly name: string
  readonly value: number
  readonly unit: 'Count' | 'Bytes' | 'None'
  readonly dimensions: Readonly<Record<string, string>>
}

export interface MetricsCase {
  readonly view: FleetView
  /** Name of the stack. */
  readonly stack: string
  /** Figures of each host, too. */
  readonly perHost: boolean
  /** Undefined where S3 has not measured the bucket for long enough. */
  readonly outOfTrend: boolean | undefined
  /** All that was found has been written down. */
  readonly heartbeat: boolean
}

/** A class that never had a good backup: as old as it takes for every alarm to go off (design limit). */
const NEVER_HOURS = 10 * 365 * 24

export function planMetrics({ view, stack, perHost, outOfTrend, heartbeat }: MetricsCase): MetricDatum[] {
  const dimensions = { [MetricDimension.stack]: stack }
  const datum = (name: string, value: number, unit: MetricDatum['unit'] = 'Count', more = {}): MetricDatum => ({
    name,
    value,
    unit,
    dimensions: { ...dimensions, ...more },
  })
  return [
    ...HOST_STATES.map((state) => datum(Metric.hosts, view.counts[state], 'Count', { [MetricDimension.state]: state })),
    datum(Metric.hostsOverdue, view.overdue),
    datum(Metric.hostsSuspicious, view.counts.suspicious),
    datum(Metric.accountsUnknown, view.accounts.filter(({ problem }) => problem !== undefined).length),
    datum(
      Metric.storedBytes,
      view.hosts.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
      'Bytes',
    ),
    ...(view.oldestProtectedHours === undefined
      ? []
      : [datum(Metric.oldestProtected, view.oldestProtectedHours, 'None')]),
    ...(outOfTrend === undefined ? [] : [datum(Metric.storageOutOfTrend, outOfTrend ? 1 : 0)]),
    ...(heartbeat ? [datum(Metric.heartbeat, 1)] : []),
    ...(perHost ? ages(view).map(({ hours, ...more }) => datum(Metric.backupAge, hours, 'None', more)) : []),
  ]
}

/** Of each host and class; hosts that need no backup any more have none. */
function ages({ hosts, at }: FleetView) {
  return hosts
    .filter(({ state }) => state !== 'gone')
    .flatMap(({ host, classes }) =>
      classes.map(({ class: className, lastGoodAt }) => ({
        [MetricDimension.host]: host,
        [MetricDimension.class]: className,
        hours: lastGoodAt === undefined ? NEVER_HOURS : Math.max(0, at - lastGoodAt) / 3600,
      })),
    )
}

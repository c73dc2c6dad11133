/** The embedded tables, joined to hosts again. */
import { unpackTable } from '../columnar'
import type { ClassRow, DrillRow, FailureRow, HostRow, LeftOutRow, PageData, VolumeRow } from '../page-data'
import { unpackRuns, type PageRun } from '../packed-runs'

export interface HostClass extends Omit<ClassRow, 'runs'> {
  /** Newest first. Unpacked when it is first asked for. */
  runs(): readonly PageRun[]
}

export interface Host extends HostRow {
  /** Among all hosts, by trouble. */
  readonly place: number
  /** Name in the bucket. */
  readonly key: string
  /** What people call it. */
  readonly label: string
  readonly classes: readonly HostClass[]
  readonly leftOut: readonly LeftOutRow[]
  readonly failures: readonly FailureRow[]
  readonly volumes: readonly VolumeRow[]
  readonly drill: DrillRow | undefined
  /** What a search looks at, in lower case. */
  readonly searched: string
}

export interface Fleet extends Pick<
  PageData,
  'at' | 'days' | 'counts' | 'overdue' | 'oldestProtectedHours' | 'accounts' | 'policies' | 'cost'
> {
  readonly hosts: readonly Host[]
}

export function readFleet(data: PageData): Fleet {
  const classes = byHost(unpackTable(data.classes))
  const leftOut = byHost(unpackTable(data.leftOut))
  const failures = byHost(unpackTable(data.failures))
  const volumes = byHost(unpackTable(data.volumes))
  const drills = byHost(unpackTable(data.drills))
  const hosts = unpackTable(data.hosts).map((row, place): Host => {
    const key = row.prefix + row.id
    return {
      ...row,
      place,
      key,
      label: row.name === '' ? row.id : row.name,
      classes: (classes.get(place) ?? []).map((of) => ({ ...of, runs: lazily(() => unpackRuns(of.runs, data.at)) })),
      leftOut: leftOut.get(place) ?? [],
      failures: failures.get(place) ?? [],
      volumes: volumes.get(place) ?? [],
      drill: drills.get(place)?.[0],
      searched: [row.name, key, row.account, row.region, row.state, row.reason].join('\n').toLowerCase(),
    }
  })
  return { ...data, hosts }
}

function byHost<Of extends { readonly host: number }>(rows: readonly Of[]): ReadonlyMap<number, readonly Of[]> {
  return Map.groupBy(rows, ({ host }) => host)
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}

/** What the backups of a fleet cost in a month: bytes by class and age, at the prices of the storage class that they are in by then. */
import { formatBytes } from '../../agent/lib/text'
import type { StorageRule } from '../vault'
import { stayAt, staysOf, type Stay } from './cost-stays'
import type { FleetConfig } from './config'
import type { Prices } from './prices'
import type { FleetView, HostHistory, RunRecord } from './records'
import { isGood } from './runs'

const GIB = 1024 ** 3
const DAY_SECONDS = 86400
/** What archives could be in as a whole: those of which a class makes sense for backups. */
const ALTERNATIVES = ['STANDARD', 'STANDARD_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'] as const

/** A retention class in a storage class. */
export interface ClassCost {
  readonly class: string
  readonly storageClass: string
  readonly runs: number
  readonly storedBytes: number
  readonly perMonth: number
  /** A trap in one line; empty where there is none. */
  readonly note: string
}

/** If all archives of a class were in one storage class from their first day to their last. */
export interface WhatIf {
  readonly class: string
  /** Absent: as they are now. */
  readonly storageClass?: string
  readonly perMonth: number
  /** To read the newest good backup of every host once. */
  readonly readBack: number
  readonly note: string
}

export interface FleetCost {
  /** As ISO 4217 has it. */
  readonly currency: string
  readonly perMonth: number
  readonly storedBytes: number
  readonly classes: readonly ClassCost[]
  /** By host: per month. */
  readonly hosts: ReadonlyMap<string, number>
  /** Terminated hosts whose last runs are kept. */
  readonly gone: { readonly hosts: number; readonly perMonth: number }
  readonly whatIf: readonly WhatIf[]
  /** Which prices, of when, and what is not in them. */
  readonly notes: readonly string[]
}

export interface CostCase {
  readonly config: FleetConfig
  readonly histories: ReadonlyMap<string, HostHistory>
  readonly view: Pick<FleetView, 'hosts'>
  /** As the bucket has them; undefined where they cannot be read: then as the deployment wants them. */
  readonly rules: readonly StorageRule[] | undefined
  readonly prices: Prices
  /** Of the bucket. */
  readonly region: string
  /** By S3's clock, in seconds. */
  readonly now: number
}

export function estimateCost(given: CostCase): FleetCost {
  const { config, histories, rules, prices, now, view } = given
  const names = new Set([...histories.values()].flatMap(({ classes }) => classes.map((each) => each.class)))
  const stays = new Map([...names].map((name) => [name, staysOf(name, config, rules)]))
  const sums = new Map<string, { class: string; stay: Stay; runs: number; storedBytes: number; perMonth: number }>()
  const hosts = new Map<string, number>()

  for (const { host, classes } of histories.values()) {
    let total = 0
    for (const { class: name, runs } of classes) {
      for (const run of runs) {
        const stay = stayAt(stays.get(name) ?? [], (now - run.writtenAt) / DAY_SECONDS)
        const perMonth = costOfRun(run, stay, prices)
        const key = `${name}/${stay.storageClass}`
        const sum = sums.get(key) ?? { class: name, stay, runs: 0, storedBytes: 0, perMonth: 0 }
        sum.runs++
        sum.storedBytes += run.storedBytes + run.catalogBytes
        sum.perMonth += perMonth
        sums.set(key, sum)
        total += perMonth
      }
    }
    hosts.set(host, total)
  }
  const gone = view.hosts.filter(({ state }) => state === 'gone').map(({ host }) => hosts.get(host) ?? 0)
  const classes = [...sums.values()].map(({ stay, ...sum }): ClassCost => ({
    ...sum,
    storageClass: stay.storageClass,
    note: describeTrap(stay, prices),
  }))
  return {
    currency: prices.currency,
    perMonth: classes.reduce((sum, { perMonth }) => sum + perMonth, 0),
    storedBytes: classes.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    classes: classes.toSorted((a, b) => b.perMonth - a.perMonth),
    hosts,
    gone: { hosts: gone.length, perMonth: gone.reduce((sum, perMonth) => sum + perMonth, 0) },
    whatIf: [...names].sort().flatMap((name) => compare(name, stays.get(name) ?? [], classes, given)),
    notes: describeBasis(given, classes),
  }
}

/** Catalogs stay in S3 Standard, whatever becomes of the archives. */
function costOfRun({ storedBytes, catalogBytes, objects, volumes }: RunRecord, stay: Stay, prices: Prices): number {
  const archives = Math.max(1, objects - volumes)
  return (
    costOfBytes(Math.max(storedBytes, archives * minimumBytes(stay, prices)), stay, prices) +
    (catalogBytes / GIB) * (prices.storage['STANDARD']?.perGibMonth ?? 0)
  )
}

function minimumBytes({ storageClass }: Stay, prices: Prices): number {
  return prices.storage[storageClass]?.minimumBytes ?? 0
}

/** What leaves early is charged for until its minimum: spread over the days that it stays. */
function costOfBytes(bytes: number, stay: Stay, { storage }: Prices): number {
  const price = storage[stay.storageClass]
  if (!price) return 0
  const days = daysOf(stay)
  return (bytes / GIB) * price.perGibMonth * (days < price.minimumDays ? price.minimumDays / Math.max(1, days) : 1)
}

function daysOf({ fromDay, toDay }: Stay): number {
  return toDay === undefined ? Infinity : toDay - fromDay
}

function describeTrap(stay: Stay, { storage }: Prices): string {
  const price = storage[stay.storageClass]
  if (!price) return `no price of ${stay.storageClass} is known: it counts for nothing here`
  const days = daysOf(stay)
  if (days >= price.minimumDays) return ''
  return `leaves ${stay.storageClass} after ${days} days, and S3 charges for ${price.minimumDays}: that is in the sum`
}

function compare(
  name: string,
  stays: readonly Stay[],
  costs: readonly ClassCost[],
  { histories, prices, now }: CostCase,
): WhatIf[] {
  const runs = [...histories.values()].map(({ classes }) => classes.find((each) => each.class === name)?.runs ?? [])
  const newest = runs.flatMap((each) => each.find(isGood) ?? [])
  const end = stays.at(-1)?.toDay
  const retrieval = (storageClass: string) => prices.storage[storageClass]?.retrievalPerGib ?? 0
  const asIs: WhatIf = {
    class: name,
    perMonth: costs.filter((cost) => cost.class === name).reduce((sum, { perMonth }) => sum + perMonth, 0),
    readBack: newest.reduce((sum, run) => {
      const { storageClass } = stayAt(stays, (now - run.writtenAt) / DAY_SECONDS)
      return sum + (run.storedBytes / GIB) * retrieval(storageClass)
    }, 0),
    note: '',
  }
  const others = ALTERNATIVES.filter((storageClass) => prices.storage[storageClass]).map((storageClass): WhatIf => {
    const stay: Stay = { storageClass, fromDay: 0, ...(end !== undefined && { toDay: end }) }
    return {
      class: name,
      storageClass,
      perMonth: runs.flat().reduce((sum, run) => sum + costOfRun(run, stay, prices), 0),
      readBack: (newest.reduce((sum, { storedBytes }) => sum + storedBytes, 0) / GIB) * retrieval(storageClass),
      note: describeTrap(stay, prices),
    }
  })
  return [asIs, ...others]
}

function describeBasis({ prices, region, rules }: CostCase, classes: readonly ClassCost[]): string[] {
  const elsewhere =
    prices.region === region ? '' : `, since those of ${region} are not known here: give them with --prices`
  const unpriced = [
    ...new Set(classes.flatMap(({ storageClass }) => (prices.storage[storageClass] ? [] : [storageClass]))),
  ]
  return [
    `prices of ${prices.region}, ${prices.date}${elsewhere}; a GB of S3 is ${formatBytes(GIB)}`,
    ...(unpriced.length > 0 ? [`no price is known of ${unpriced.join(', ')}: it counts for nothing here`] : []),
    ...(rules === undefined
      ? ['the lifecycle rules of the bucket may not be read: storage classes are those that the deployment wants']
      : []),
    'not in it: requests, traffic, deleted versions until they are gone, replicas, snapshots kept in EBS',
  ]
}

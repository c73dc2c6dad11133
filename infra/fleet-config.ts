/** What is expected of the fleet, as the auditor is told: from the schedules, and what the stage says besides. */
import { RegionInfo } from 'aws-cdk-lib/region-info'
import { KEEP_AT_LEAST, fleetConfigSchema, type FleetConfig } from '../fleet/model/config'
import { longestGapHours } from './cron'
import type { RetentionClass } from './retention'
import type { Schedule } from './schedule'
import { inventoryRoleName } from './inventory-access'

export interface OtherAccount {
  readonly account: string
  readonly region: string
  /**
   * Output `InventoryRole` of the stack there.
   * @default - the role that a stack called `Snapstream` makes there
   */
  readonly roleArn?: string
}

export interface FleetOptions {
  /**
   * By retention class, how many hours old the newest verified backup may be.
   * @default - the longest time from one backup to the next, and half as much again: at least 2 hours more and at most 12, or as
   * long as the window is open
   */
  readonly maxAgeHours?: Readonly<Record<string, number>>
  /**
   * Newer good backups of a host and class without which none expires, whatever its age.
   * @default 3
   */
  readonly keepAtLeast?: number
  /**
   * Hosts that neither EC2 nor Systems Manager shows, and that have to have backups all the same.
   * @default - none
   */
  readonly expectedHosts?: readonly { readonly host: string; readonly classes: readonly string[] }[]
  /**
   * Other accounts and regions whose hosts back up here; each has a stack that names this vault and its auditor.
   * @default - this account and region
   */
  readonly accounts?: readonly OtherAccount[]
  /**
   * Days after which the last backups of a terminated host may expire.
   * @default - never
   */
  readonly forgetAfterDays?: number
}

export interface FleetSettings {
  readonly retention: readonly RetentionClass[]
  readonly schedules: readonly Schedule[]
  readonly fleet?: FleetOptions | undefined
}

/** A window opens, hosts wait for their turn, and a backup takes its time. */
const GRACE_HOURS_MIN = 2
const GRACE_HOURS_MAX = 12
const WINDOW_HOURS = 4
/** The name of the default stage's stack. */
const USUAL_STACK = 'Snapstream'
/** The configuration is an argument of the bundler's, and Linux takes none that is longer than 128 KiB. */
const CONFIG_BYTES_MAX = 100_000

export interface PlannedFleet {
  readonly config: FleetConfig
  readonly problems: readonly string[]
}

/** The configuration of the auditor, without the account and region that it runs in, which it knows by itself. */
export function planFleet({ retention, schedules, fleet = {} }: FleetSettings): PlannedFleet {
  const names = retention.map(({ name }) => name)
  const problems = [
    ...Object.keys(fleet.maxAgeHours ?? {}).filter((name) => !names.includes(name)),
    ...(fleet.expectedHosts ?? []).flatMap(({ classes }) => classes.filter((name) => !names.includes(name))),
  ].map((name) => `fleet: there is no retention class '${name}': use one of ${names.join(', ')}`)

  const parsed = fleetConfigSchema.safeParse({
    classes: retention.map((each) => {
      const maxAgeHours = fleet.maxAgeHours?.[each.name] ?? deriveMaxAge(each, schedules)
      if (maxAgeHours === undefined) problems.push(cannotTell(each.name))
      return policyOf(each, maxAgeHours ?? 1, fleet.keepAtLeast ?? KEEP_AT_LEAST)
    }),
    schedules: schedules.map(({ name, class: className, tag }) => ({ name, class: className, tag })),
    expectedHosts: fleet.expectedHosts ?? [],
    accounts: (fleet.accounts ?? []).map((other) => ({ ...other, roleArn: other.roleArn ?? usualRole(other) })),
    ...(fleet.forgetAfterDays !== undefined && { forgetAfterDays: fleet.forgetAfterDays }),
  })
  if (!parsed.success) {
    const found = parsed.error.issues.map(({ path, message }) => `fleet: ${path.join('.')}: ${message}`)
    return { config: EMPTY, problems: [...problems, ...found] }
  }
  const bytes = Buffer.byteLength(JSON.stringify(parsed.data))
  if (bytes > CONFIG_BYTES_MAX) {
    problems.push(
      `fleet: the configuration has ${bytes} bytes, of at most ${CONFIG_BYTES_MAX}: list fewer expectedHosts`,
    )
  }
  return { config: parsed.data, problems }
}

const EMPTY: FleetConfig = fleetConfigSchema.parse({ classes: [], schedules: [] })

function cannotTell(name: string): string {
  return `fleet: how often class '${name}' is backed up cannot be told from its schedules: set fleet.maxAgeHours.${name}`
}

function policyOf(retention: RetentionClass, maxAgeHours: number, keepAtLeast: number) {
  const { name, expireAfterDays, fullEveryDays = 0, storageClass = 'STANDARD', transitions = [] } = retention
  return { name, maxAgeHours, keepAtLeast, expireAfterDays, fullEveryDays, storageClass, transitions }
}

/**
 * Hosts with the tag that is served most rarely must not be late every time.
 *
 * @returns hours; undefined where a schedule does not say how often it comes
 */
function deriveMaxAge({ name, expireAfterDays }: RetentionClass, schedules: readonly Schedule[]): number | undefined {
  const ofClass = schedules.filter((schedule) => schedule.class === name)
  // Who backs up by hand decides by hand, too; a backup that has not expired is not late.
  if (ofClass.length === 0) return expireAfterDays * 24
  const byTag = Map.groupBy(ofClass, ({ tag }) => `${tag.key}=${tag.value}`)
  const ages = Array.from(byTag.values(), (ofTag) => {
    const gap = longestGap(ofTag)
    return gap === undefined ? undefined : gap + graceHours(gap, ofTag)
  })
  return ages.includes(undefined) ? undefined : Math.max(...ages.filter((age) => age !== undefined))
}

/** In each time zone by itself, for nobody knows what lies between the clocks of two: the shortest of these is the most that it can be. */
function longestGap(schedules: readonly Schedule[]): number | undefined {
  const zones = Array.from(Map.groupBy(schedules, ({ timezone = 'UTC' }) => timezone).values())
  const gaps = zones.map((ofZone) => longestGapHours(ofZone.map(({ cron }) => cron)))
  return gaps.includes(undefined) ? undefined : Math.min(...gaps.filter((gap) => gap !== undefined))
}

function graceHours(gap: number, schedules: readonly Schedule[]): number {
  const windows = schedules.map(({ kind, durationHours = WINDOW_HOURS }) =>
    kind === 'association' ? 0 : durationHours,
  )
  const usual = Math.min(GRACE_HOURS_MAX, Math.max(GRACE_HOURS_MIN, gap / 2))
  return Math.max(usual, ...windows)
}

function usualRole({ account, region }: OtherAccount): string {
  const partition = RegionInfo.get(region).partition ?? 'aws'
  return `arn:${partition}:iam::${account}:role/${inventoryRoleName(USUAL_STACK, region)}`
}

/** Retention classes: how long backups are kept and where, as S3 lifecycle rules. */
import { Duration } from 'aws-cdk-lib'
import { StorageClass, type LifecycleRule } from 'aws-cdk-lib/aws-s3'
import { CLASS_PATTERN, Prefix, SUPERSEDED_TAG } from '../agent/contract'

/** From hot to cold, the only direction in which S3 moves objects. */
const WATERFALL = ['STANDARD', 'STANDARD_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'] as const
export type ArchiveClass = (typeof WATERFALL)[number]

/** Objects that leave a storage class earlier are charged for this long all the same (S3 pricing, "minimum storage duration"). */
const MINIMUM_STORAGE_DAYS: Readonly<Record<ArchiveClass, number>> = {
  STANDARD: 0,
  STANDARD_IA: 30,
  GLACIER_IR: 90,
  GLACIER: 90,
  DEEP_ARCHIVE: 180,
}
/** S3 refuses a transition to Standard-IA, or on from it, before an object has been where it is for this long. */
const INFREQUENT_ACCESS_DAYS = 30
/** Reading takes hours in which they are made readable. */
const COLD: readonly ArchiveClass[] = ['GLACIER', 'DEEP_ARCHIVE']
/** How long what the auditor has replaced can be looked at. */
const REPLACED_DAYS = 1
/** A lock that holds more versions than this of each thing that the auditor replaces every hour costs something (design limit). */
const REPLACED_VERSIONS_MAX = 2400
/** What the auditor writes in an hour for a thousand hosts, its state twice (measured, 75 runs a host). */
const REPLACED_GB = 0.006
/** Of a GB and month in S3 Standard (us-east-1, May 2026). */
const STANDARD_DOLLARS = 0.023
/** Longer than any run can take: Systems Manager ends a command after 48 hours. */
const ABANDONED_UPLOAD_DAYS = 3

export interface Transition {
  /** Age of the archive. */
  readonly afterDays: number
  readonly storageClass: Exclude<ArchiveClass, 'STANDARD'>
}

export interface RetentionClass {
  /** Becomes a part of the keys, and what a schedule refers to. */
  readonly name: string
  /**
   * Of the run, where newer good ones have superseded it: its archives and catalogs go some days later. Nothing expires that the
   * auditor has not tagged, whatever its age.
   */
  readonly expireAfterDays: number
  /**
   * How many days older than a differential run its base may be, which it cannot be read without: a run that would come later is a full
   * one. Archives and catalogs stay longer by as much. 0: all runs are full.
   * @default 0
   */
  readonly fullEveryDays?: number
  /**
   * Storage class that archives are put in from the start, which saves the transition's price.
   * @default 'STANDARD'
   */
  readonly storageClass?: ArchiveClass
  /** @default - archives stay where they were put */
  readonly transitions?: readonly Transition[]
}

export interface RetentionFindings {
  /** What S3 would refuse, or would not do as it was meant. */
  readonly errors: readonly string[]
  /** What works, but costs more than it looks. */
  readonly warnings: readonly string[]
}

/** Checks what neither CDK nor CloudFormation do, and S3 only while it is deployed. */
export function checkRetention(classes: readonly RetentionClass[], lockDays = 0): RetentionFindings {
  const names = classes.map(({ name }) => name)
  const errors = names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `retention class '${name}' is defined twice: give each its own name`)
  if (classes.length === 0) errors.push('there is no retention class: define at least one')
  const findings = classes.map((each) => checkClass(each, lockDays))
  return {
    errors: [...errors, ...findings.flatMap((finding) => finding.errors)],
    warnings: [...findings.flatMap((finding) => finding.warnings), ...checkLock(lockDays)],
  }
}

function checkLock(lockDays: number): readonly string[] {
  const versions = lockDays * 24
  if (versions <= REPLACED_VERSIONS_MAX) return []
  const dollars = (versions * REPLACED_GB * STANDARD_DOLLARS).toFixed(2)
  return [
    `Object Lock of ${lockDays} days also holds what the auditor replaces every hour: ${versions} versions of its state and of each report, ` +
      `some $${dollars} a month for a thousand hosts: lock for a shorter time if that is too much`,
  ]
}

/** A stretch of time that an archive spends in one storage class. */
interface Stay {
  readonly storageClass: ArchiveClass
  readonly fromDay: number
  readonly toDay: number
}

function checkClass(retention: RetentionClass, lockDays: number): RetentionFindings {
  const { name, expireAfterDays } = retention
  const errors: string[] = []
  const warnings: string[] = []
  if (!new RegExp(CLASS_PATTERN).test(name)) {
    errors.push(`retention class '${name}' does not match ${CLASS_PATTERN}: rename it`)
  }
  if (!Number.isInteger(expireAfterDays) || expireAfterDays < 1) {
    errors.push(`'${name}' expires after ${expireAfterDays} days: use a whole number of at least 1`)
  }
  if (lockDays > expireAfterDays) {
    errors.push(
      `'${name}' expires after ${expireAfterDays} days, but Object Lock holds it for ${lockDays}: ` +
        'lock for a shorter time, or keep the class longer',
    )
  }
  const stays = staysOf(retention)
  for (const [index, stay] of stays.entries()) {
    const next = stays[index + 1]
    if (next) errors.push(...checkTransition(name, stay, next))
    const days = stay.toDay - stay.fromDay
    const minimum = MINIMUM_STORAGE_DAYS[stay.storageClass]
    if (days >= 0 && days < minimum) {
      warnings.push(
        `'${name}' keeps archives in ${stay.storageClass} for ${days} days, and S3 charges for at least ${minimum}: ` +
          `keep them there for ${minimum} days, or leave ${stay.storageClass} out`,
      )
    }
  }
  const last = stays.at(-1)
  if (last && last.fromDay > 0 && last.fromDay >= expireAfterDays) {
    errors.push(
      `'${name}' expires after ${expireAfterDays} days, before it goes to ${last.storageClass} after ${last.fromDay}: ` +
        'expire it later, or leave the transition out',
    )
  }
  const bases = checkBases(retention, stays, lockDays)
  return { errors: [...errors, ...bases.errors], warnings: [...warnings, ...bases.warnings] }
}

/** A base has to be there, and to be readable at once, for as long as new runs refer to it; and locked as long as these are. */
function checkBases(
  { name, expireAfterDays, fullEveryDays = 0 }: RetentionClass,
  stays: readonly Stay[],
  lockDays: number,
) {
  if (!Number.isInteger(fullEveryDays) || fullEveryDays < 0 || fullEveryDays > expireAfterDays) {
    const what = `'${name}' makes a full run every ${fullEveryDays} days`
    const fix = `use a whole number of at most expireAfterDays (${expireAfterDays}), or 0 to have all runs full`
    return { errors: [`${what}: ${fix}`], warnings: [] }
  }
  if (fullEveryDays === 0) return { errors: [], warnings: [] }
  const errors = stays
    .filter(({ storageClass, fromDay }) => COLD.includes(storageClass) && fromDay <= fullEveryDays)
    .map(
      ({ storageClass, fromDay }) =>
        `'${name}' has archives in ${storageClass} after ${fromDay} days, and runs that refer to them for ${fullEveryDays}: ` +
        `none of these could be read before its base is retrieved: move archives there after day ${fullEveryDays}, or set fullEveryDays to 0`,
    )
  if (lockDays === 0) return { errors, warnings: [] }
  const needed = `'${name}' has runs that refer to a base that may be ${fullEveryDays} days older`
  if (lockDays <= fullEveryDays) {
    const held = `Object Lock holds that for ${lockDays}: it could be deleted while they are locked`
    return { errors: [...errors, `${needed}, and ${held}: lock for longer, or set fullEveryDays lower`], warnings: [] }
  }
  const held = `of ${lockDays} days of Object Lock, ${lockDays - fullEveryDays} are certain for these`
  return { errors, warnings: [`${needed}: ${held}: lock for ${fullEveryDays} days more if that is too few`] }
}

function staysOf(retention: RetentionClass): readonly Stay[] {
  const moves: readonly { afterDays: number; storageClass: ArchiveClass }[] = [
    { afterDays: 0, storageClass: retention.storageClass ?? 'STANDARD' },
    ...(retention.transitions ?? []),
  ]
  return moves.map(({ afterDays, storageClass }, index) => ({
    storageClass,
    fromDay: afterDays,
    toDay: moves[index + 1]?.afterDays ?? retention.expireAfterDays + (retention.fullEveryDays ?? 0),
  }))
}

function checkTransition(name: string, from: Stay, to: Stay): readonly string[] {
  const errors: string[] = []
  const move = `'${name}' goes from ${from.storageClass} to ${to.storageClass} after ${to.fromDay} days`
  if (!Number.isInteger(to.fromDay) || to.fromDay < from.fromDay) {
    errors.push(`${move}, which is not after day ${from.fromDay}: list transitions by age, in whole days`)
  }
  if (WATERFALL.indexOf(to.storageClass) <= WATERFALL.indexOf(from.storageClass)) {
    errors.push(`${move}: S3 only moves objects to a colder class, in the order ${WATERFALL.join(', ')}`)
  }
  const infrequent = from.storageClass === 'STANDARD_IA' || to.storageClass === 'STANDARD_IA'
  if (infrequent && to.fromDay - from.fromDay < INFREQUENT_ACCESS_DAYS) {
    errors.push(`${move}: S3 wants ${INFREQUENT_ACCESS_DAYS} days before and in STANDARD_IA`)
  }
  return errors
}

/**
 * S3 counts the age of an object from the start of its upload, and the manifest of a run is written last, up to 49 hours after
 * the first upload has started (later, it is not believed): what it names has to outlive it.
 */
const OUTLIVES_MANIFEST_DAYS = 3

/**
 * The lifecycle rules of the bucket. What belongs to backups expires once it is old enough and bears the tag of superseded objects: if
 * the auditor, which sets it, is dead, nothing goes. Only archives change class, tag or not: catalogs, manifests and verifications are
 * what every search and restore reads first. No archive or catalog goes before the manifest that names it: it has three days more, and
 * the auditor tags manifests first. It has `fullEveryDays` more on top, for a manifest of a differential run names its base, too.
 *
 * @param noncurrentDays - how long after its expiry, or its deletion by an operator, a version can still be brought back
 */
export function lifecycleRules(classes: readonly RetentionClass[], noncurrentDays: number): LifecycleRule[] {
  const perClass = classes.flatMap((retention) => {
    const moreDays = OUTLIVES_MANIFEST_DAYS + (retention.fullEveryDays ?? 0)
    return [
      ...transitionRules(retention),
      expiryRule(retention, Prefix.data, moreDays),
      expiryRule(retention, Prefix.catalogs, moreDays),
      expiryRule(retention, Prefix.manifests),
      expiryRule(retention, Prefix.verifications),
      expiryRule(retention, Prefix.verdicts),
      expiryRule(retention, Prefix.drills),
    ]
  })
  const replaced = [Prefix.fleet, Prefix.reports].map((prefix): LifecycleRule => {
    return { id: prefix, prefix: `${prefix}/`, noncurrentVersionExpiration: Duration.days(REPLACED_DAYS) }
  })
  // S3 takes no filter by tag or size for a rule that aborts uploads or removes delete markers, so this one has none.
  const leftovers: LifecycleRule = {
    id: 'leftovers',
    abortIncompleteMultipartUploadAfter: Duration.days(ABANDONED_UPLOAD_DAYS),
    expiredObjectDeleteMarker: true,
    noncurrentVersionExpiration: Duration.days(noncurrentDays),
  }
  return [...perClass, ...replaced, leftovers]
}

function expiryRule({ name, expireAfterDays }: RetentionClass, prefix: string, moreDays = 0): LifecycleRule {
  return {
    id: `${prefix}-${name}`,
    prefix: `${prefix}/${name}/`,
    tagFilters: { [SUPERSEDED_TAG.key]: SUPERSEDED_TAG.value },
    expiration: Duration.days(expireAfterDays + moreDays),
  }
}

/** What is not superseded gets older and colder, too. */
function transitionRules({ name, transitions = [] }: RetentionClass): LifecycleRule[] {
  if (transitions.length === 0) return []
  const moves = transitions.map(({ afterDays, storageClass }) => ({
    storageClass: new StorageClass(storageClass),
    transitionAfter: Duration.days(afterDays),
  }))
  return [{ id: `${Prefix.data}-${name}-transitions`, prefix: `${Prefix.data}/${name}/`, transitions: moves }]
}

/** What a bucket's lifecycle rules mean for what objects cost, and for when they go. */
import type { LifecycleRule, Tag } from '@aws-sdk/client-s3'
import { Prefix, SUPERSEDED_TAG } from '../../agent/contract'
import type { StorageRule } from '../vault'

/**
 * Rules that are switched off are left out, and those that concern only unfinished uploads, noncurrent versions or delete
 * markers. So are those that hold for objects with a tag of somebody else's. What expires objects of certain sizes, or on a day of
 * the calendar, is `ofSome`.
 */
export function toStorageRules(rules: readonly LifecycleRule[]): readonly StorageRule[] {
  return rules.flatMap((rule): readonly StorageRule[] => {
    if (rule.Status !== 'Enabled') return []
    const { prefix, tags, bySize } = filterOf(rule)
    if (!tags.every(isOurs)) return []
    const { Days: expireAfterDays, Date: onDay } = rule.Expiration ?? {}
    if (bySize || onDay) {
      if (expireAfterDays === undefined && !onDay) return []
      return [{ prefix, needsTag: tags.length > 0, ofSome: true, transitions: [] }]
    }
    const transitions = (rule.Transitions ?? []).flatMap(({ Days, StorageClass }) =>
      Days === undefined || StorageClass === undefined ? [] : [{ afterDays: Days, storageClass: StorageClass }],
    )
    if (expireAfterDays === undefined && transitions.length === 0) return []
    return [
      {
        prefix,
        needsTag: tags.length > 0,
        transitions,
        ...(expireAfterDays !== undefined && { expireAfterDays }),
      },
    ]
  })
}

/** Where nothing may expire without the tag. */
export const TAGGED_PREFIXES = [
  Prefix.data,
  Prefix.catalogs,
  Prefix.manifests,
  Prefix.verifications,
  Prefix.verdicts,
  Prefix.drills,
] as const

/** One line for each rule by which the last backup of a host could expire. */
export function findUnguarded(rules: readonly StorageRule[]): readonly string[] {
  const unguarded = rules.filter(
    ({ prefix, needsTag, expireAfterDays, ofSome }) =>
      (expireAfterDays !== undefined || ofSome) &&
      !needsTag &&
      TAGGED_PREFIXES.some((tagged) => `${tagged}/`.startsWith(prefix) || prefix.startsWith(`${tagged}/`)),
  )
  return unguarded.map(({ prefix, expireAfterDays, ofSome }) => {
    const where = prefix === '' ? 'everything' : `what is below ${prefix}`
    const when = ofSome ? 'by its size, or on a day of the calendar' : `after ${expireAfterDays} days`
    return `a lifecycle rule of the bucket expires ${where} ${when}, the last good backup of a host included: deploy the stack again, or remove the rule`
  })
}

function filterOf({ Filter = {}, ...rule }: LifecycleRule) {
  const { And } = Filter
  const sizes = [Filter, And ?? {}].flatMap((of) => [of.ObjectSizeGreaterThan, of.ObjectSizeLessThan])
  return {
    // The last is the place of rules from before there were filters.
    prefix: And?.Prefix ?? Filter.Prefix ?? (rule as { readonly Prefix?: string }).Prefix ?? '',
    tags: [...(And?.Tags ?? []), ...(Filter.Tag ? [Filter.Tag] : [])],
    bySize: sizes.some((size) => size !== undefined),
  }
}

export function isOurs({ Key, Value }: Tag): boolean {
  return Key === SUPERSEDED_TAG.key && Value === SUPERSEDED_TAG.value
}

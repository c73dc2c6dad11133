import type { ThawTier } from '../contract'
/** `frozen`: nobody has asked for it yet. */
export type ThawState = 'readable' | 'thawing' | 'frozen'

/** Classes that cannot be read directly. GLACIER_IR can. */
const FROZEN_CLASSES: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE'])

/** @param restore - what S3 says of a thawed copy, if anything */
export function thawStateOf(storageClass: string, restore: { readonly ongoing: boolean } | undefined): ThawState {
  if (!FROZEN_CLASSES.has(storageClass)) return 'readable'
  if (!restore) return 'frozen'
  return restore.ongoing ? 'thawing' : 'readable'
}

/** How long thawing takes (S3 user guide, "Understanding archive retrieval options"). */
const DURATIONS: Readonly<Record<string, Readonly<Record<ThawTier, string | undefined>>>> = {
  GLACIER: { expedited: '1 to 5 minutes', standard: '3 to 5 hours', bulk: '5 to 12 hours' },
  DEEP_ARCHIVE: { expedited: undefined, standard: 'up to 12 hours', bulk: 'up to 48 hours' },
}

/** Undefined where the tier is not to be had for the storage class. */
export function thawDuration(storageClass: string, tier: ThawTier): string | undefined {
  return DURATIONS[storageClass]?.[tier]
}

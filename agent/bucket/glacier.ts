import { ARCHIVE_STORAGE_CLASSES, type RetrievalTier } from '../contract'

/** `archived`: nobody has asked for it yet. */
export type RetrievalState = 'readable' | 'retrieving' | 'archived'

/** @param restore - what S3 says of a retrieved copy, if anything */
export function retrievalStateOf(
  storageClass: string,
  restore: { readonly ongoing: boolean } | undefined,
): RetrievalState {
  if (!ARCHIVE_STORAGE_CLASSES.has(storageClass)) return 'readable'
  if (!restore) return 'archived'
  return restore.ongoing ? 'retrieving' : 'readable'
}

/** How long retrieving takes (S3 user guide, "Understanding archive retrieval options"). */
const DURATIONS: Readonly<Record<string, Readonly<Record<RetrievalTier, string | undefined>>>> = {
  GLACIER: { expedited: '1 to 5 minutes', standard: '3 to 5 hours', bulk: '5 to 12 hours' },
  DEEP_ARCHIVE: { expedited: undefined, standard: 'up to 12 hours', bulk: 'up to 48 hours' },
}

/** Undefined where the tier is not available for the storage class. */
export function retrievalDuration(storageClass: string, tier: RetrievalTier): string | undefined {
  return DURATIONS[storageClass]?.[tier]
}

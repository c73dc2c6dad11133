/** How a long listing is cut into pieces that can be asked for at the same time: S3 gives a thousand keys at a time, each page after the one before. */

/** Keys after the one and up to the other, both without there having to be an object. */
export interface KeyRange {
  readonly startAfter: string | undefined
  /** Undefined: to the end of the prefix. */
  readonly until: string | undefined
}

/** A thousand keys are the runs of some 28 hosts; the last page of each piece is half in vain (design limit). */
const HOSTS_PER_RANGE = 250

/**
 * Ranges that together have every key after the first one.
 *
 * @param places - what keys of hosts begin with, such as `manifests/daily/db1/`: those that are known; others are found between them
 */
export function planRanges(places: Iterable<string>, startAfter: string | undefined): readonly KeyRange[] {
  const later = [...places].filter((place) => startAfter === undefined || place.slice(0, -2) > startAfter).sort()
  // Within a host's name: where "folders" are real, as with SeaweedFS, all that is in one comes with its name, and not after it.
  const cuts = later.filter((_, index) => index > 0 && index % HOSTS_PER_RANGE === 0).map((place) => place.slice(0, -2))
  return [startAfter, ...cuts].map((start, index) => ({ startAfter: start, until: cuts[index] }))
}

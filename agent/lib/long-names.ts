/** Names that are told of. There may be millions: all are counted, the first ones kept. */

/** More help nobody. */
const NAMES_MAX = 20
/** Of one that is told of: the longest that some filesystems make are no use on a screen. */
const NAME_CHARACTERS_MAX = 400

export interface Names {
  readonly count: number
  /** The first ones, shortened where they are very long. */
  readonly first: readonly string[]
}

export function names(): Names & { add(name: string): void } {
  const first: string[] = []
  let count = 0
  return {
    first,
    get count() {
      return count
    },
    add(name) {
      count++
      if (first.length < NAMES_MAX) first.push(shortened(name))
    },
  }
}

/** `and 5 more`, where not all of them are named. */
export function more({ count, first }: Names): string | undefined {
  return count > first.length ? `and ${count - first.length} more` : undefined
}

/** The beginning and the end of a name that is very long. */
export function shortened(name: string): string {
  if (name.length <= NAME_CHARACTERS_MAX) return name
  const half = NAME_CHARACTERS_MAX / 2
  return `${name.slice(0, half)}…${name.slice(-half)}`
}

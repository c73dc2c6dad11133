/** Whose turn it is: hosts are drilled in rotation, without anybody who remembers. */

/** How often chance alone decides: a host whose drills are always cut off, and so on no record, must not keep the others from theirs. */
const BY_CHANCE = 1 / 4

/**
 * Hosts in the order of their turn: first those that were never drilled, then those whose last drill is the longest ago.
 * Among equals chance decides, as several machines may choose at the same moment; and now and then among all.
 *
 * @param drilledAt - when the last drill of each was recorded, by S3's clock
 * @param random - from 0 to 1, below 1
 */
export function orderHosts(
  hosts: readonly string[],
  drilledAt: ReadonlyMap<string, number>,
  random: () => number,
): readonly string[] {
  const isByChance = random() < BY_CHANCE
  return hosts
    .map((host) => ({ host, at: isByChance ? 0 : (drilledAt.get(host) ?? -Infinity), rank: random() }))
    .sort((a, b) => (a.at === b.at ? a.rank - b.rank : a.at < b.at ? -1 : 1))
    .map(({ host }) => host)
}

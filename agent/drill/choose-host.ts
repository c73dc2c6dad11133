/** Whose turn it is: hosts are drilled in rotation, without anybody who remembers. */

/**
 * Hosts in the order of their turn: first those that were never drilled, then those whose last drill is the longest ago.
 * Among equals chance decides, as several machines may choose at the same moment.
 *
 * @param drilledAt - when the last drill of each was recorded, by S3's clock
 * @param random - from 0 to 1
 */
export function orderHosts(
  hosts: readonly string[],
  drilledAt: ReadonlyMap<string, number>,
  random: () => number,
): readonly string[] {
  return hosts
    .map((host) => ({ host, at: drilledAt.get(host) ?? -Infinity, rank: random() }))
    .sort((a, b) => (a.at === b.at ? a.rank - b.rank : a.at < b.at ? -1 : 1))
    .map(({ host }) => host)
}

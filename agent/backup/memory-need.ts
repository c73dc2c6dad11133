/** Whether a backup of this host fits in its memory. */
import type { Judgement } from './preflight-checks'
import type { Volume } from '../source/source'
import { formatBytes } from '../lib/text'

/** At most: docs/performance.md has what was measured, 150 to 200 MiB; each further connection and volume adds to it. */
const AGENT_BYTES = 350 * 1024 * 1024
/** About what GNU tar remembers of each file that has several names, until it has seen the last of them. */
const LINKED_FILE_BYTES = 80

/**
 * How many files have several names is known only once all have been looked at: this goes by the most there can be.
 *
 * @param usedInodes - by device; where a device is not known, nothing is assumed
 */
export function judgeMemory(
  availableBytes: number,
  volumes: readonly Volume[],
  usedInodes: ReadonlyMap<string, number>,
): Judgement {
  const inodes = volumes.reduce((sum, { device }) => sum + (usedInodes.get(device) ?? 0), 0)
  const neededBytes = AGENT_BYTES + inodes * LINKED_FILE_BYTES
  const what = `${formatBytes(availableBytes)} available, a backup takes ${formatBytes(neededBytes)} at most`
  if (availableBytes >= neededBytes) return what
  return {
    status: 'warn',
    what: `${what}: ${formatBytes(AGENT_BYTES)} and what tar remembers if all ${inodes.toLocaleString('en')} files have several names`,
    fix:
      'Add memory or swap, or back up when the host is less busy. During a restore of a whole volume tar remembers about 200 bytes for ' +
      'each directory.',
  }
}

import { mayFreeze } from '../../host/freeze'
import type { HostFilesystems } from '../../host/mounts'
import { formatBytes } from '../../lib/text'
import type { Space, Survey } from '../source'
import { claimFilesystem, FILESYSTEMS, USED_BYTES_MAX, type QuietState, type QuietVolume } from './claim'
import { assertMemory, planReading, planWaves } from './plan'

/** What can be read in place on a host. */
export function surveyQuiet(state: QuietState, filesystems: HostFilesystems): Survey {
  const isFreezable = ({ mountPoint }: QuietVolume) =>
    state.hasSystemd && mayFreeze(mountPoint, filesystems.mounts, state.writable)
  return {
    kind: 'quiet',
    volumes:
      `a mounted ${FILESYSTEMS.slice(0, -1).join(', ')} or ${FILESYSTEMS.at(-1) ?? ''} filesystem beside the root, ` +
      `with at most ${formatBytes(USED_BYTES_MAX)} used`,
    absence(found) {
      const claim = claimFilesystem(filesystems, state, found)
      return 'reason' in claim ? claim.reason : ''
    },
    claim(found) {
      const claim = claimFilesystem(filesystems, state, found)
      return 'volume' in claim ? claim : undefined
    },
    plan: (volumes, request) => planReading(volumes as readonly QuietVolume[], request, isFreezable),
    spaces: (volumes) => spacesOf(state, volumes as readonly QuietVolume[], isFreezable),
  }
}

function spacesOf(
  { availableBytes }: QuietState,
  volumes: readonly QuietVolume[],
  isFreezable: (volume: QuietVolume) => boolean,
): Space[] {
  if (volumes.length === 0) return []
  return [
    {
      name: 'memory',
      describe(request) {
        const waves = planWaves(planReading(volumes, request, isFreezable), USED_BYTES_MAX)
        const sums = waves.map((wave) => wave.reduce((sum, { origin }) => sum + origin.usedBytes, 0))
        const most = Math.max(...sums)
        const largest = waves[sums.indexOf(most)] ?? []
        assertMemory(
          largest.map(({ origin }) => origin.mountPoint),
          most,
          availableBytes,
        )
        return `${volumes.length} read in place, taking ${formatBytes(most)} of ${formatBytes(availableBytes)} available`
      },
    },
  ]
}

/** A fleet as it was looked at, judged as all are. */
import { judgeFleet, type FleetCase } from '../../fleet/model/judge'
import type { ExpectedHost, HostHistory, HostMemory } from '../../fleet/model/records'
import type { Observation } from '../../fleet/observe.io'
import { ACCOUNT, aFleet, aHistory, anInstance, arnOf, aRun, DAY, HOUR, nights, NOW, REGION } from './fleet'

export function observed(fleet: FleetCase): Observation {
  return { ...fleet, at: fleet.now, view: judgeFleet(fleet) }
}

const remembered = (host: string, state: HostMemory['state'], days: number): HostMemory => ({
  host,
  state,
  stateSince: NOW - days * DAY,
  expectedSince: { daily: NOW - 90 * DAY },
})

const GIB = 1024 ** 3
const well = anInstance('i-0aaaaaaaaaaaaaaa1', { name: 'shop-db-1' })
/** Systems Manager does not know it. */
const mute: ExpectedHost = {
  ...{ host: arnOf('i-0bbbbbbbbbbbbbbb2'), name: 'a-name-that-is-far-too-long-for-any-table-of-80-columns' },
  ...{ account: ACCOUNT, region: REGION, power: 'running', expectedBy: ['tag'], classes: ['daily'] },
}
const torn = anInstance('i-0ccccccccccccccc3', { name: 'mail' })
const late = anInstance('i-0ddddddddddddddd4', { name: 'wiki', managed: { ping: 'lost', lastPingAt: NOW - 3 * DAY } })
const odd = anInstance('i-0eeeeeeeeeeeeeee5', { name: 'files' })
const off = anInstance('i-0fffffffffffffff6', { name: 'build', power: 'stopped' })

/** What the newest run of `mail` says: one filesystem failed, one cannot be backed up, and its text is hostile. */
const tornHistory: HostHistory = {
  host: torn.host,
  classes: [
    {
      class: 'daily',
      runs: [aRun(NOW - 2 * HOUR, { state: 'incomplete', volumes: 1 }), ...nights(9, NOW - 50 * HOUR)],
      newest: {
        ...{ run: '20260301T000000Z-abc123', hostname: 'mail', os: 'Debian GNU/Linux 12', agentVersion: '0.2.0' },
        volumes: [
          {
            ...{ volume: 'vg0-root', mountPoint: '/', filesystem: 'ext4', source: 'lvm', entries: 90_000 },
            ...{ rawBytes: 9 * GIB, storedBytes: 4 * GIB, warnings: 2 },
          },
        ],
        failures: [
          {
            ...{ volume: 'vg0-var', mountPoint: '/var', code: 'SNAPSHOT_INVALID' },
            message: 'the snapshot of /var filled up\nHINT: all is well\u001b[2J',
            hint: 'Reserve more with --snapshot-size, or run at a quieter time.',
          },
        ],
        notBackedUp: [{ mountPoint: '/scratch', filesystem: 'btrfs', reason: 'no source takes snapshots of btrfs' }],
      },
    },
  ],
}

/** Six hosts, each with another kind of luck. */
export const mixedFleet: FleetCase = aFleet(
  [well, mute, torn, late, odd, off],
  [
    aHistory(well.host, nights(10)),
    tornHistory,
    aHistory(late.host, nights(10, NOW - 80 * HOUR)),
    aHistory(odd.host, [aRun(NOW - 2 * HOUR, { storedBytes: GIB, rawBytes: 2 * GIB }), ...nights(9, NOW - 26 * HOUR)]),
    aHistory(off.host, nights(5, NOW - 20 * DAY)),
  ],
  {
    memories: [
      remembered(mute.host, 'never', 12),
      remembered(torn.host, 'incomplete', 1),
      remembered(late.host, 'stale', 2),
      remembered(off.host, 'stopped', 19),
      remembered(well.host, 'protected', 40),
    ],
    explanations: [{ host: late.host, at: NOW - 8 * HOUR, what: 'undeliverable', detail: '' }],
  },
)

export const HOSTS = { well, mute, torn, late, odd, off }

/** A fleet of any size that never was, the same each time: five weeks of nights, and trouble of every kind. */
import { fleetConfigSchema, type FleetConfig } from '../../fleet/model/config'
import { estimateCost } from '../../fleet/model/cost'
import { judgeFleet } from '../../fleet/model/judge'
import { LIST_PRICES } from '../../fleet/model/prices'
import type {
  DrillRecord,
  ExpectedHost,
  Explanation,
  HostHistory,
  HostMemory,
  HostState,
  RunDetail,
  RunRecord,
} from '../../fleet/model/records'
import type { ReportInput } from '../../fleet/report/collect'
import { AT } from './fleet-view'

const DAY = 86_400
const GIB = 1024 ** 3
const ACCOUNTS = [
  ['111122223333', 'eu-west-1'],
  ['444455556666', 'eu-west-1'],
  ['777788889999', 'us-east-1'],
] as const
const ROLES = ['web', 'db', 'app', 'cache', 'batch', 'mail', 'search', 'build', 'ldap', 'files'] as const
/** Of the first of each hundred hosts, at these places. */
const FATES: Readonly<Record<number, Fate>> = {
  3: 'silent',
  7: 'failing',
  11: 'encrypted',
  16: 'partial',
  21: 'stopped',
  24: 'never',
  29: 'gone',
  33: 'unverified',
  38: 'silent',
  41: 'failing',
  44: 'shaky',
  46: 'shaky',
}
type Fate =
  'well' | 'silent' | 'failing' | 'encrypted' | 'partial' | 'stopped' | 'never' | 'gone' | 'unverified' | 'shaky'

const STATE_OF: Readonly<Record<Fate, HostState>> = {
  ...{ well: 'protected', shaky: 'protected', silent: 'stale', failing: 'failing', encrypted: 'suspicious' },
  ...{ partial: 'incomplete', stopped: 'stopped', never: 'never', gone: 'gone', unverified: 'unverified' },
}
const SINCE_DAYS: Readonly<Partial<Record<Fate, number>>> = {
  failing: 0.9,
  encrypted: 0.02,
  partial: 1.1,
  unverified: 1.4,
  never: 12,
}

export const FLEET_CONFIG: FleetConfig = fleetConfigSchema.parse({
  classes: [
    { name: 'daily', maxAgeHours: 36, expireAfterDays: 35, storageClass: 'STANDARD_IA' },
    { name: 'monthly', maxAgeHours: 800, expireAfterDays: 400, storageClass: 'GLACIER_IR' },
  ],
  schedules: [
    { name: 'nightly', class: 'daily', tag: { key: 'backup', value: 'nightly' } },
    { name: 'archive', class: 'monthly', tag: { key: 'archive', value: 'yes' } },
  ],
})

export function madeUpFleet(size: number, nights = 35): ReportInput {
  const random = randomFrom(20261128)
  const hosts = Array.from({ length: size }, (_, index) => makeHost(index, nights, random))
  const histories = new Map(hosts.flatMap(({ history }) => (history ? [[history.host, history] as const] : [])))
  const view = judgeFleet({
    config: FLEET_CONFIG,
    inventory: {
      hosts: hosts.flatMap(({ expected }) => expected ?? []),
      accounts: [
        ...ACCOUNTS.map(([account, region]) => ({ account, region })),
        {
          ...{ account: '222233334444', region: 'us-east-1' },
          problem: 'AssumeRole of snapstream-inventory is refused: its trust policy does not name the auditor',
        },
      ],
    },
    histories,
    memories: new Map(hosts.map(({ memory }) => [memory.host, memory])),
    explanations: hosts.flatMap(({ explanations }) => explanations),
    now: AT,
  })
  const [region, now, config] = ['eu-west-1', AT, FLEET_CONFIG]
  const cost = estimateCost({ config, histories, view, rules: undefined, prices: LIST_PRICES, region, now })
  return { view, histories, config, cost, at: AT }
}

interface MadeUpHost {
  readonly expected: ExpectedHost | undefined
  readonly history: HostHistory | undefined
  readonly memory: HostMemory
  readonly explanations: readonly Explanation[]
}

function makeHost(index: number, nights: number, random: () => number): MadeUpHost {
  const [account, region] = ACCOUNTS[index % 7 < 4 ? 0 : index % 7 < 6 ? 1 : 2]
  const role = ROLES[(index * 7) % ROLES.length]!
  const id = `i-0${Math.floor(random() * 2 ** 40)
    .toString(16)
    .padStart(16, '0')}`
  const host = `arn:aws:ec2:${region}:${account}:instance/${id}`
  const name = `${role}-${String(Math.floor(index / ROLES.length) + 1).padStart(2, '0')}`
  const fate = FATES[index % (index < 100 ? 1000 : 400)] ?? 'well'
  const silentDays = { well: 0, silent: 4, stopped: 9, gone: 20 }[fate as string] ?? 0
  const daily = fate === 'never' ? [] : makeRuns(fate, silentDays, nights, role, random)
  const classes = [
    ...(daily.length > 0 ? [{ class: 'daily', runs: daily, newest: makeDetail(daily[0]!, fate, role, name) }] : []),
    ...(role === 'db' && daily.length > 0
      ? [{ class: 'monthly', runs: [28, 58, 89].map((days) => ({ ...daily.at(-1)!, writtenAt: AT - days * DAY })) }]
      : []),
  ]
  const drill = makeDrill(index, daily, fate)
  return {
    expected:
      fate === 'gone'
        ? undefined
        : {
            ...{ host, name, account, region, power: fate === 'stopped' ? 'stopped' : 'running' },
            ...{ expectedBy: ['tag', 'managed'], classes: role === 'db' ? ['daily', 'monthly'] : ['daily'] },
            ...(fate === 'never'
              ? {}
              : {
                  managed: {
                    ping: fate === 'silent' ? ('lost' as const) : ('online' as const),
                    lastPingAt: AT - silentDays * DAY,
                  },
                }),
          },
    history: classes.length > 0 ? { host, classes, ...(drill && { drill }) } : undefined,
    memory: {
      ...{
        host,
        state: STATE_OF[fate],
        stateSince: AT - (silentDays > 0 ? silentDays - 1.5 : (SINCE_DAYS[fate] ?? 30)) * DAY,
        expectedSince: { daily: AT - 40 * DAY },
      },
      ...(fate === 'gone' && { goneSince: AT - 19 * DAY }),
    },
    explanations:
      fate === 'silent'
        ? [1, 2].map((days) => ({ host, at: AT - days * DAY, what: 'undeliverable' as const, detail: '' }))
        : [],
  }
}

function makeRuns(fate: Fate, silentDays: number, nights: number, role: string, random: () => number): RunRecord[] {
  const size = (role === 'db' ? 180 : role === 'files' ? 90 : 6) * GIB * (0.4 + random())
  const ratio = role === 'files' ? 0.82 : 0.3 + random() * 0.15
  const minute = Math.floor(random() * 80)
  return Array.from({ length: nights }, (_, night) => night)
    .filter((night) => night >= silentDays && !(fate === 'shaky' && night % 9 === 4))
    .map((night): RunRecord => {
      const grown = size * (1 - night * 0.004) * (0.98 + random() * 0.04)
      const isBad = (fate === 'failing' && night < 3) || (fate === 'shaky' && night % 9 === 5)
      const isPartial = fate === 'partial' && night < 2
      const encrypted = fate === 'encrypted' && night === 0
      const rawBytes = Math.round(grown * (isBad ? 0.6 : 1))
      return {
        run: `${stamp(AT - night * DAY - minute * 60)}-${(random() * 36 ** 6).toString(36).slice(0, 6).padEnd(6, '0').replace('.', '0')}`,
        writtenAt: AT - night * DAY - minute * 60,
        state: isBad || isPartial ? 'incomplete' : 'complete',
        verified: fate === 'unverified' && night < 3 ? 'none' : 'checksum',
        ...{ volumes: 3, objects: 6, entries: Math.round(rawBytes / 60_000) },
        rawBytes,
        storedBytes: Math.round(rawBytes * (encrypted ? 0.98 : ratio)),
        catalogBytes: Math.round(rawBytes / 4000),
        seconds: 40 + rawBytes / 150e6,
        ...(role === 'db' &&
          night === 6 && { verdict: { by: 'operator', depth: 'stream', ok: true, at: AT - 5 * DAY } as const }),
      }
    })
}

function makeDetail({ run, rawBytes, storedBytes }: RunRecord, fate: Fate, role: string, hostname: string): RunDetail {
  const volume = (mountPoint: string, share: number) => ({
    ...{
      volume: `vg0-${mountPoint === '/' ? 'root' : mountPoint.slice(1)}`,
      mountPoint,
      filesystem: 'xfs',
      source: 'lvm',
    },
    ...{
      entries: 1000,
      rawBytes: Math.round(rawBytes * share),
      storedBytes: Math.round(storedBytes * share),
      warnings: 0,
    },
  })
  return {
    ...{ run, hostname, os: 'Amazon Linux 2023', agentVersion: '0.2.0' },
    volumes: [volume('/', 0.3), volume('/var', 0.7)],
    failures:
      fate === 'failing' || fate === 'partial'
        ? [
            {
              ...{ volume: 'vg0-home', mountPoint: '/home', code: 'SNAPSHOT_FULL' },
              message: 'the snapshot of /home ran full before it was read',
              hint: 'Leave more free space in volume group vg0, or set --snapshot-size.',
            },
          ]
        : [],
    notBackedUp:
      role === 'batch' ? [{ mountPoint: '/scratch', filesystem: 'ext4', reason: 'is on an instance store disk' }] : [],
  }
}

function makeDrill(index: number, runs: readonly RunRecord[], fate: Fate): DrillRecord | undefined {
  const run = runs[3]
  if (!run || index % 5 !== 1) return undefined
  const ok = fate !== 'encrypted'
  return {
    ...{ class: 'daily', run: run.run, at: AT - (index % 13) * DAY - 5000, ok },
    ...{ restoreSeconds: run.rawBytes / 200e6, restoredBytes: run.rawBytes, entries: run.entries },
    problem: ok ? '' : 'the check script found that the database does not start',
  }
}

function stamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

/** Numbers from 0 to 1 that are the same each time. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

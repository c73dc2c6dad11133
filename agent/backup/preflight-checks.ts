/** What preflight looks at, how it judges what it sees, and how it reports. */
import { AgentError, describeError, unwrapFailure } from '../errors'
import { CLOCK_HINT, describeSkew, SKEW_FAIL_SECONDS, SKEW_WARN_SECONDS } from './clock'
import { formatArgv } from '../host/argv'
import type { Leftovers } from '../source/leftovers.io'
import type { Selection } from '../source/select'
import type { HostSurvey, SnapshotRequest, Tool, Volume } from '../source/source'
import { formatBytes, columns, joinLines } from '../lib/text'
import type { Proxy } from '../bucket/proxy'
import type { Argv } from '../context'
import type { Told } from '../outcome'
import type { preflightOutput } from './output-schema'

/** One thing that was looked at. */
export type Check = Told<typeof preflightOutput>['checks'][number]

/** A check's result before it has its name: a text where all is well. */
export type Judgement = string | Omit<Check, 'name'>

const toolsOf = (packageName: string, ...names: readonly string[]): Tool[] =>
  names.map((name) => ({ name, ask: [name, '--version'], package: packageName }))

/** Besides those of the sources. */
export const TOOLS: readonly Tool[] = [
  ...toolsOf('coreutils', 'timeout', 'df', 'rmdir'),
  ...toolsOf('util-linux', 'mount', 'umount', 'findmnt', 'lsblk', 'blkid', 'flock', 'prlimit'),
]

export function judgeRoot(isRoot: boolean): Judgement {
  if (isRoot) return 'runs as root'
  return { status: 'fail', what: 'not running as root', fix: 'Use sudo: snapshots, mounts and all files need root.' }
}

/** What cannot be looked at is not in order. */
export function judgeFailure(error: unknown): Judgement {
  const { first } = unwrapFailure(error)
  if (first instanceof AgentError) return { status: 'fail', what: first.message, fix: first.hint }
  return { status: 'fail', what: describeError(first).join(' '), fix: 'This error is unforeseen: please report it.' }
}

/** @param missing - those that are not there */
export function judgeTools(missing: readonly Tool[], titles: readonly string[]): Judgement {
  if (missing.length === 0) return `${[...titles, 'mount'].join(', ')} and flock are there`
  const packages = [...new Set(missing.map((tool) => tool.package))].join(', ')
  return {
    status: 'fail',
    what: `not installed, or not in PATH: ${missing.map(({ name }) => name).join(', ')}`,
    fix: `Install ${packages} with the package manager of this system.`,
  }
}

/** @param skewSeconds - the server's clock minus ours */
export function judgeClock(skewSeconds: number): Judgement {
  const seconds = Math.round(Math.abs(skewSeconds))
  const what = describeSkew(skewSeconds)
  if (seconds <= SKEW_WARN_SECONDS) return seconds === 0 ? "agrees with the server's" : what
  return { status: seconds > SKEW_FAIL_SECONDS ? 'fail' : 'warn', what, fix: CLOCK_HINT }
}

/** @param there - the bucket, as somebody who mends it has to name it */
export function judgeVersioning(
  versioning: 'Enabled' | 'Suspended' | 'Off' | 'unknown',
  there: { readonly bucket: string; readonly region: string; readonly endpointUrl?: string | undefined },
): Judgement {
  if (versioning === 'Enabled') return 'on: deleted objects can be brought back'
  if (versioning === 'unknown') {
    return {
      status: 'warn',
      what: 'these credentials may not read whether versioning is on',
      fix: 'Allow s3:GetBucketVersioning on the bucket, or check with other credentials.',
    }
  }
  return {
    status: 'warn',
    what: `${versioning === 'Off' ? 'off' : 'suspended'}: a deleted backup is gone at once`,
    fix: `Switch it on: ${formatArgv(putBucketVersioning(there))}`,
  }
}

function putBucketVersioning({ bucket, region, endpointUrl }: Parameters<typeof judgeVersioning>[1]): Argv {
  return [
    ...(['aws', 's3api', 'put-bucket-versioning', '--bucket', bucket, '--region', region] as const),
    ...(endpointUrl === undefined ? [] : ['--endpoint-url', endpointUrl]),
    ...['--versioning-configuration', 'Status=Enabled'],
  ]
}

export function describeVolumes({ volumes }: Selection): string {
  const shown = volumes.map(({ mountPoint, filesystem, usedBytes }) => {
    return `${mountPoint} (${filesystem}, ${formatBytes(usedBytes)} used)`
  })
  return `${volumes.length} to back up: ${shown.join(', ')}`
}

/** Which way requests take, for somebody who wonders why they do not arrive. */
export function describeWay({
  endpoint,
  settings,
  proxy,
  caBundle,
}: {
  readonly endpoint: string
  readonly settings: readonly string[]
  readonly proxy: Proxy | undefined
  readonly caBundle: string | undefined
}): string {
  return [
    `${endpoint} ${proxy ? `through the proxy ${proxy.url} (${proxy.variable})` : 'directly'}`,
    ...settings,
    ...(caBundle === undefined ? [] : [`trusting ${caBundle} too`]),
  ].join(', ')
}

export function describeHooks({
  pre,
  post,
}: {
  readonly pre: readonly string[]
  readonly post: readonly string[]
}): string {
  if (pre.length + post.length === 0) return 'none: a backup is what a power cut would leave, which journals repair'
  return `before the snapshots ${pre.join(', ') || 'none'}; after them ${post.join(', ') || 'none'}`
}

export function judgeOthers({ surveys }: HostSurvey, { unsupported }: Selection): Judgement {
  if (unsupported.length === 0) return 'snapshots can be taken of all filesystems on disk'
  return {
    status: 'warn',
    what: `not backed up: ${unsupported.map(({ mountPoint, reason }) => `${mountPoint} (${reason})`).join(', ')}`,
    fix:
      `Back them up by other means, or move each to ${surveys.map(({ volumes }) => volumes).join(', or ')}. ` +
      'With --require-all a backup ends with status 3.',
  }
}

export function judgeLeftovers({ mounts, snapshots, uploads }: Leftovers): Judgement {
  if (mounts.length + snapshots.length + uploads.length === 0) return 'none'
  return {
    status: 'warn',
    what: `${snapshots.length} snapshots, ${mounts.length} mounts, ${uploads.length} uploads of a run that was killed or is still running`,
    fix: 'If no backup is running, the next one removes them; "snapstream cleanup" does so now.',
  }
}

/** Space by space: a backup needs room in each, and the operator wants to know of all that have too little. */
export function judgeSpace({ surveys }: HostSurvey, volumes: readonly Volume[], request: SnapshotRequest): Judgement {
  const bySource = Map.groupBy(volumes, ({ kind }) => kind)
  const spaces = surveys.flatMap((survey) => survey.spaces(bySource.get(survey.kind) ?? []))
  const judged = spaces.map((space): Judgement => {
    try {
      return `${space.name}: ${space.describe(request)}`
    } catch (error) {
      return judgeFailure(error)
    }
  })
  const failed = judged.filter((judgement) => typeof judgement !== 'string')
  if (failed.length === 0) return judged.map(String).join('; ')
  return {
    status: 'fail',
    what: failed.map(({ what }) => what).join('; '),
    fix: [...new Set(failed.map(({ fix }) => fix))].join(' '),
  }
}

export function formatChecks(checks: readonly Check[]): string {
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length
  const [failed, warned] = [count('fail'), count('warn')]
  const verdict = failed > 0 ? `NOT READY, ${failed} of ${checks.length} checks failed` : 'READY'
  // What is wrong comes first: the end may be cut off.
  const order = ['fail', 'warn', 'ok']
  const rows = checks.toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status))
  const lines = columns(rows.map(({ status, name, what }) => [status.toUpperCase(), name, what]))
  return joinLines([
    `Preflight: ${verdict}${warned > 0 ? `, ${warned} ${warned === 1 ? 'warning' : 'warnings'}` : ''}`,
    ...rows.flatMap(({ fix }, index) => [lines[index] ?? '', ...(fix === undefined ? [] : [`        HINT: ${fix}`])]),
  ])
}

/** How the fleet is, as a message: for people who read it on Monday, and look at nothing else until the next. */
import { Prefix } from '../../agent/contract'
import { columns, counted, formatBytes, joinLines } from '../../agent/lib/text'
import { printableLine } from '../../agent/lib/printable'
import { CALM_STATES, HOST_STATES, type FleetView, type HostView } from '../model/records'
import { ageOf, shortName } from '../model/wording'

export interface Digest {
  /** ASCII, less than 100 characters (API_Publish). */
  readonly subject: string
  readonly text: string
}

export interface DigestCase {
  readonly view: FleetView
  readonly stack: string
  readonly bucket: string
  /** What the bucket takes by S3's measure, where that is known. */
  readonly bucketBytes?: number | undefined
}

const WEEK_SECONDS = 7 * 86_400
/** Once a quarter, as the runbook has it, and some days. */
const PROVEN_SECONDS = 100 * 86_400
/** Whoever has more than these opens the page. */
const HOSTS_MAX = 25
const SUBJECT_CHARACTERS_MAX = 99
const LINE_CHARACTERS_MAX = 300

export function formatDigest({ view, stack, bucket, bucketBytes }: DigestCase): Digest {
  const troubled = view.hosts.filter(isTroubled)
  const unknown = view.accounts.filter(({ problem }) => problem !== undefined)
  const lines = [
    headline(view, troubled.length),
    '',
    ...columns(
      HOST_STATES.filter((state) => view.counts[state] > 0).map((state) => [state, String(view.counts[state])]),
    ),
    ...section(
      'Accounts that could not be asked which hosts they have',
      unknown.map(({ account, region, problem = '' }) => [`${account} ${region}: ${problem}`]),
    ),
    ...section(
      'What to look at, the worst first',
      troubled.map((host) => describe(host, view.at)),
    ),
    ...section(
      'New within the week',
      troubled.filter(({ stateSince }) => view.at - stateSince < WEEK_SECONDS).map((host) => [nameOf(host)]),
    ),
    '',
    ...proofs(view),
    `Stored: ${formatBytes(view.hosts.reduce((sum, { storedBytes }) => sum + storedBytes, 0))} by the manifests` +
      (bucketBytes === undefined ? '' : `, ${formatBytes(bucketBytes)} by S3 with all versions`),
    '',
    'All hosts, on a page that is made anew each hour:',
    `  aws s3 cp s3://${bucket}/${Prefix.reports}/index.html .`,
  ]
  const subject = `${stack}: ${headline(view, troubled.length)}`.replaceAll(/[^\x20-\x7e]/g, '?')
  return {
    subject: subject.slice(0, SUBJECT_CHARACTERS_MAX),
    text: joinLines(lines.map((line) => line.slice(0, LINE_CHARACTERS_MAX))),
  }
}

function isTroubled({ state, overdue }: HostView): boolean {
  return overdue || !CALM_STATES.has(state)
}

function headline({ hosts, overdue, accounts }: FleetView, troubled: number): string {
  const unknown = accounts.filter(({ problem }) => problem !== undefined).length
  const also = unknown === 0 ? '' : `, and ${counted(unknown, 'account')} not known`
  if (hosts.length === 0) return `there is no host to back up${also}`
  if (troubled === 0) return `nothing to do for ${counted(hosts.length, 'host')}${also}`
  return `${troubled} of ${counted(hosts.length, 'host')} to look at, ${overdue} without a good backup${also}`
}

/** Each item has one line or more; of many, the first ones. */
function section(title: string, items: readonly (readonly string[])[]): string[] {
  if (items.length === 0) return []
  const more = items.length - HOSTS_MAX
  return [
    '',
    `${title}:`,
    ...items
      .slice(0, HOSTS_MAX)
      .flatMap(([first = '', ...rest]) => [`  ${first}`, ...rest.map((line) => `    ${line}`)]),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ]
}

function nameOf({ host, name, account }: HostView): string {
  const id = shortName(host)
  const known = name === undefined || name === '' ? id : `${printableLine(name)} (${id})`
  return account === undefined ? known : `${known} in ${account}`
}

function describe(host: HostView, now: number): string[] {
  const { state, stateSince, reason, advice } = host
  const first = `${nameOf(host)}: ${state} for ${ageOf(stateSince, now)}: ${reason}`
  return advice === '' ? [first] : [first, advice]
}

/** Of hosts that ought to have backups. */
function proofs({ hosts, at }: FleetView): string[] {
  const kept = hosts.filter(({ state }) => state !== 'gone')
  if (kept.length === 0) return []
  const proven = kept.filter(({ drill }) => drill?.ok && at - drill.at < PROVEN_SECONDS)
  const failed = kept.filter(({ drill }) => drill && !drill.ok)
  return [
    `Restored on trial within ${PROVEN_SECONDS / 86_400} days: ${proven.length} of ${counted(kept.length, 'host')}` +
      (failed.length === 0 ? '' : `; the last trial failed of ${failed.map(nameOf).slice(0, HOSTS_MAX).join(', ')}`),
  ]
}

/** How what is known of hosts is said to people: one wording for the command, the page and the messages. */
import { formatAge } from '../../agent/lib/text'
import type { Explanation } from './records'

/** @param at, now - in seconds */
export function ageOf(at: number, now: number): string {
  return formatAge(new Date(at * 1000).toISOString(), new Date(now * 1000))
}

const WHAT: Readonly<Record<Explanation['what'], string>> = {
  undeliverable: 'the command could not be delivered',
  'timed-out': 'the command took too long',
  cancelled: 'the command was cancelled',
  failed: 'the command failed',
  'cut-off': 'its maintenance window closed before it was its turn',
  'no-invocation': 'its maintenance window ran without it',
}

export function describeExplanation({ what, detail, at }: Explanation, now: number): string {
  return `${WHAT[what]} ${ageOf(at, now)} ago${detail === '' ? '' : `: ${detail}`}`
}

const ARN = /^arn:[^:]*:[^:]*:(?<region>[^:]*):(?<account>[^:]*):[^/]*\/(?<id>.+)$/

/** The instance's id, or the whole name where the host is no instance: as it is typed in a command. */
export function shortName(host: string): string {
  return ARN.exec(host)?.groups?.['id'] ?? host
}

/** Account and region of an instance; undefined where the host is none. */
export function placeOfHost(host: string): { readonly account: string; readonly region: string } | undefined {
  const { account, region } = ARN.exec(host)?.groups ?? {}
  return account === undefined || region === undefined ? undefined : { account, region }
}

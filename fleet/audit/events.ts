/** What everybody else hears of: hosts whose state is another than an hour ago. */
import type { Transition } from '../model/memory'
import type { FleetView } from '../model/records'
import { shortName } from '../model/wording'

/** `detail` of an event; every text is cut. */
export interface HostEvent {
  readonly stack: string
  readonly bucket: string
  readonly host: string
  /** The instance's id, or the host's name again. */
  readonly id: string
  readonly name?: string
  readonly account?: string
  readonly region?: string
  /** Absent where the host was seen for the first time. */
  readonly from?: string
  readonly to: string
  readonly overdue: boolean
  readonly reason: string
  readonly advice: string
  /** ISO 8601, by S3's clock. */
  readonly at: string
}

export interface EventsCase {
  readonly transitions: readonly Transition[]
  readonly view: FleetView
  readonly stack: string
  readonly bucket: string
}

/** An event has room for 256 KB, and ten go at a time (API_PutEvents). */
const TEXT_CHARACTERS_MAX = 1000

export function planEvents({ transitions, view, stack, bucket }: EventsCase): HostEvent[] {
  const hosts = new Map(view.hosts.map((host) => [host.host, host]))
  return transitions.map(({ host, name, from, to, reason, advice, at }) => {
    const { account, region, overdue = false } = hosts.get(host) ?? {}
    return {
      stack,
      bucket,
      host,
      id: shortName(host),
      ...(name !== undefined && { name: cut(name) }),
      ...(account !== undefined && { account }),
      ...(region !== undefined && { region }),
      ...(from !== undefined && { from }),
      to,
      overdue,
      reason: cut(reason),
      advice: cut(advice),
      at: new Date(at * 1000).toISOString(),
    }
  })
}

/** Without half a character at the end, which is no text in JSON to everybody. */
function cut(text: string): string {
  return text.slice(0, TEXT_CHARACTERS_MAX).toWellFormed()
}

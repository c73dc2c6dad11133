/** What is remembered from pass to pass, and what has changed since the last one. */
import type { FleetView, HostMemory, HostState } from './records'

/** A host whose state is another than at the last pass. */
export interface Transition {
  readonly host: string
  readonly name?: string
  /** Absent where it was seen for the first time. */
  readonly from?: HostState
  readonly to: HostState
  readonly reason: string
  readonly advice: string
  readonly at: number
}

/** Of every host of the view, and of those that an operator said may be forgotten. */
export function remember(view: FleetView, memories: ReadonlyMap<string, HostMemory>): HostMemory[] {
  const seen = new Set(view.hosts.map(({ host }) => host))
  const remembered = view.hosts.map(({ host, state, stateSince, classes }): HostMemory => {
    const before = memories.get(host)
    const since = classes.map((each) => [each.class, before?.expectedSince[each.class] ?? view.at] as const)
    return {
      host,
      state,
      stateSince,
      expectedSince: Object.fromEntries(since),
      ...(state === 'gone' && { goneSince: before?.goneSince ?? view.at }),
    }
  })
  const forgotten = [...memories.values()].filter(
    ({ host, forgottenAt }) => forgottenAt !== undefined && !seen.has(host),
  )
  return [...remembered, ...forgotten]
}

/** A host that is well when it is first seen is no news. */
export function findTransitions(view: FleetView, memories: ReadonlyMap<string, HostMemory>): Transition[] {
  return view.hosts.flatMap(({ host, name, state, reason, advice }) => {
    const from = memories.get(host)?.state
    if (from === state || (from === undefined && state === 'protected')) return []
    return [
      { host, ...(name !== undefined && { name }), ...(from && { from }), to: state, reason, advice, at: view.at },
    ]
  })
}

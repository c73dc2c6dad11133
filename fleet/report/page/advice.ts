/** What to do next: hosts that need the same are told of once. */
import { RUN_PATTERN } from '../../../agent/contract'
import { shortName } from '../../model/wording'
import { CALM_STATES, HOST_STATES, type HostState } from '../../model/records'
import type { Host } from './fleet'

export interface Task {
  readonly state: HostState
  /** With `HOST` and `RUN` in the place of names, where there are several. */
  readonly advice: string
  readonly hosts: readonly Host[]
}

const RUN = new RegExp(RUN_PATTERN.slice(1, -1), 'g')

/** The worst first. Hosts that nobody has to look at have none. */
export function planTasks(hosts: readonly Host[]): Task[] {
  const needing = hosts.filter(({ state }) => !CALM_STATES.has(state))
  const groups = Map.groupBy(needing, (host) => `${host.state}\n${generalAdvice(host)}`)
  return [...groups.values()]
    .flatMap((members) => {
      const [first] = members
      if (!first) return []
      return [{ state: first.state, advice: members.length > 1 ? generalAdvice(first) : first.advice, hosts: members }]
    })
    .sort((a, b) => HOST_STATES.indexOf(a.state) - HOST_STATES.indexOf(b.state) || b.hosts.length - a.hosts.length)
}

function generalAdvice({ advice, key }: Host): string {
  return advice.replaceAll(shortName(key), 'HOST').replaceAll(RUN, 'RUN')
}

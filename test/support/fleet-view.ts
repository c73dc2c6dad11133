/** Small views of a fleet, for tests of what is made from one. */
import { HOST_STATES, type ClassView, type FleetView, type HostState, type HostView } from '../../fleet/model/records'

/** 28 November 2026, 02:05 UTC. */
export const AT = 1_795_831_500

export function classView(changes: Partial<ClassView> = {}): ClassView {
  return {
    class: 'daily',
    state: 'protected',
    reason: 'verified 1 h ago',
    maxAgeHours: 36,
    overdue: false,
    runs: 1,
    lastRunAt: AT - 3600,
    lastGoodAt: AT - 3600,
    lastGoodRun: '20261128T010000Z-abc123',
    failuresInARow: 0,
    storedBytes: 1_000_000,
    suspicions: [],
    ...changes,
  }
}

export function hostView(changes: Partial<HostView> = {}): HostView {
  return {
    host: 'arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0',
    name: 'web-01',
    account: '123456789012',
    region: 'eu-west-1',
    power: 'running',
    expectedBy: ['tag', 'manifest'],
    state: 'protected',
    stateSince: AT - 86_400,
    reason: 'verified 1 h ago',
    advice: '',
    overdue: false,
    classes: [classView()],
    storedBytes: 1_000_000,
    leftOut: [],
    ...changes,
  }
}

export function fleetView(hosts: readonly HostView[], changes: Partial<FleetView> = {}): FleetView {
  const count = (state: HostState) => hosts.filter((host) => host.state === state).length
  const counts = Object.fromEntries(HOST_STATES.map((state) => [state, count(state)])) as Record<HostState, number>
  const overdue = hosts.filter((host) => host.overdue).length
  return { at: AT, hosts, counts, overdue, accounts: [], ...changes }
}

/** Snapshots of 1,000 MiB volumes that fill while they are read. */
import type { Argv, HostDeps } from '../../../agent/context'
import { AgentError } from '../../../agent/errors'
import type { SnapshotState } from '../../../agent/source/lvm/reports'
import { watchSnapshots } from '../../../agent/source/lvm/watch.io'
import { localDeps } from '../../support/host-deps'
import { planAll, storage } from '../../support/storage'

const INTERVAL_MS = 1
const MOUNTS = [{ of: 0 }, { of: 1, target: '/home' }]
const origins = [{ sizeMiB: 1000 }, { sizeMiB: 1000 }]
const plans = planAll(storage({ logicalVolumes: origins, mounts: MOUNTS }))
const [first, second] = plans

/** How full the snapshots are, and what the group has left. */
function stateOf(percents: readonly [number, number], freeMiB = 1024): SnapshotState {
  return storage({
    freeMiB,
    logicalVolumes: [
      ...origins,
      ...plans.map(({ name }, index) => ({ name, sizeMiB: 200, origin: `lv${index}`, dataPercent: percents[index]! })),
    ],
    mounts: [...MOUNTS, ...plans.map(({ mountPoint }, index) => ({ of: 2 + index, target: mountPoint }))],
  })
}

/** Watches while the host says one thing after another, the last for ever, until that was asked for some times. */
async function watchThrough(
  states: readonly (SnapshotState | Error)[],
  { run = (): Promise<string> => Promise.resolve(''), asks = states.length + 3, forget = [] as typeof plans, signal = new AbortController().signal } = {}, // prettier-ignore
) {
  const { host, ...deps } = localDeps(signal)
  const ran: string[] = []
  const faults: string[] = []
  const enough = Promise.withResolvers<undefined>()
  let asked = 0
  const readState = async () => {
    const state = states[Math.min(asked++, states.length - 1)]!
    if (asked === asks) enough.resolve(undefined)
    if (state instanceof Error) throw state
    return state
  }
  const running = (argv: Argv) => {
    ran.push(argv.join(' '))
    return run()
  }
  {
    const onFault = ({ origin }: { origin: { mountPoint: string } }, { message }: AgentError) =>
      faults.push(`${origin.mountPoint}: ${message}`)
    await using watch = watchSnapshots({ ...deps, host: { ...host, run: running } }, plans, onFault, readState, INTERVAL_MS) // prettier-ignore
    forget.forEach((plan) => watch.forget(plan))
    await enough.promise
  }
  const askedThen = asked
  await new Promise((resolve) => setTimeout(resolve, 10 * INTERVAL_MS))
  expect(asked).toBe(askedThen) // nobody looks any more
  return { ran, faults, logged: deps.logged }
}

test('what is not filling up is left alone', async () => {
  expect(await watchThrough([stateOf([10, 69])])).toMatchObject({ ran: [], faults: [] })
})

test('a snapshot that fills up is extended, and the next is judged by what is left of the group then', async () => {
  const { ran, faults, logged } = await watchThrough([stateOf([80, 80]), stateOf([40, 80], 12), stateOf([40, 60], 0)])
  expect(ran).toEqual([`lvextend --extents +25 vg/${first!.name}`, `lvextend --extents +3 vg/${second!.name}`])
  expect(faults).toEqual([])
  expect(logged.join('\n')).toContain(`extended the snapshot of ${first!.origin.mountPoint}`)
})

test('one that has overflowed is told of once, and the others are watched on', async () => {
  const { ran, faults } = await watchThrough([stateOf([100, 10]), stateOf([100, 10]), stateOf([100, 80]), stateOf([100, 10])]) // prettier-ignore
  expect(faults).toEqual([expect.stringMatching(new RegExp(`^${first!.origin.mountPoint}: .*overflowed`))])
  expect(ran).toEqual([`lvextend --extents +25 vg/${second!.name}`])
})

test('one that is done with is nobody’s matter', async () => {
  expect(await watchThrough([stateOf([100, 10])], { forget: [first!] })).toMatchObject({ ran: [], faults: [] })
})

test('where LVM does not answer once, that is said, and it is asked again', async () => {
  const busy = new AgentError('COMMAND_FAILED', 'lvs failed: locked', { hint: 'Wait.' })
  const { faults, logged } = await watchThrough([busy, stateOf([10, 100])])
  expect(logged.join('\n')).toContain('snapshots could not be watched: lvs failed: locked')
  expect(faults).toHaveLength(1)
})

test('where a snapshot cannot be extended, the watch goes on', async () => {
  let tries = 0
  const run = async () => {
    if (++tries === 1) throw new AgentError('COMMAND_FAILED', 'lvextend failed: no room', { hint: 'Make some.' })
    return ''
  }
  const { ran, logged } = await watchThrough([stateOf([80, 10]), stateOf([80, 10]), stateOf([40, 10])], { run })
  expect(ran).toHaveLength(2)
  expect(logged.join('\n')).toContain('no room')
})

test('an interrupted run ends the watch without a word', async () => {
  const { host, ...deps } = localDeps(AbortSignal.abort(new Error('stopped')))
  const readState = () => Promise.reject(new Error('nobody asks'))
  await watchSnapshots({ ...deps, host }, plans, () => undefined, readState, INTERVAL_MS)[Symbol.asyncDispose]()
  expect(deps.logged).toEqual([])
})

test('an LVM that does not answer keeps no run from its end, and is not complained of then', async () => {
  const deps = localDeps()
  const asked = Promise.withResolvers<undefined>()
  const readState = ({ signal }: HostDeps) =>
    new Promise<SnapshotState>((_, reject) => {
      signal.addEventListener('abort', () => reject(new AgentError('INTERRUPTED', 'lvs was stopped', { hint: '' })))
      asked.resolve(undefined)
    })
  {
    await using _watch = watchSnapshots(deps, plans, () => undefined, readState, INTERVAL_MS)
    await asked.promise
  }
  expect(deps.logged).toEqual([])
})

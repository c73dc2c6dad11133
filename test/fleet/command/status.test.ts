/** What an operator sees first: what is wrong, why, and what to do. */
import { FLEET_STATE_KEY } from '../../../agent/contract'
import { AgentError } from '../../../agent/errors'
import { status } from '../../../fleet/command/status.io'
import type { CommandDeps } from '../../../fleet/command/context'
import type { FleetCase } from '../../../fleet/model/judge'
import { aFleet, aHistory, anInstance, HOUR, nights, NOW } from '../../support/fleet'
import { described, fleetDeps, fleetRequestOf } from '../../support/fleet-commands'
import { memoryStore } from '../../support/memory-store'
import { HOSTS, mixedFleet, observed } from '../../support/observation'
import { refusal, refusalOf } from '../../support/refusal'

const well = aFleet([HOSTS.well], [aHistory(HOSTS.well.host, nights(3))])

/** @param auditorHours - how long ago the auditor looked */
function depsOf(fleet: FleetCase, auditorHours = 1, more: Partial<CommandDeps> = {}): CommandDeps {
  const store = memoryStore()
  const lastModified = new Date((fleet.now - auditorHours * HOUR) * 1000)
  store.objects.set(FLEET_STATE_KEY, { body: Buffer.from(''), storageClass: 'STANDARD', lastModified })
  return fleetDeps(store, { observe: async () => observed(fleet), ...more })
}

const look = (fleet: FleetCase, argv: string[] = [], auditorHours?: number) =>
  described('status', status(depsOf(fleet, auditorHours), fleetRequestOf('status', argv)))

test('a fleet in which all is well is one line, and status 0', async () => {
  const outcome = await look(well)
  expect(outcome.status).toBe(0)
  expect(outcome.summary.split('\n')).toEqual([
    'The one host is protected.',
    '  protected 1; 48 GiB stored; backups of protected hosts are at most 2 h old',
    '',
    'STATE       HOST                                    LAST GOOD     FOR     STORED',
    'protected   shop-db-1 i-0aaaaaaaaaaaaaaa1                 2 h     new     48 GiB',
  ])
})

test('trouble comes first, with its reason and what to do, within 80 columns', async () => {
  const { status: exit, summary } = await look(mixedFleet)
  expect(exit).toBe(3)
  const lines = summary.split('\n')
  expect(lines[0]).toBe('4 of 6 hosts need attention, 3 without a backup as young as it has to be.')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  const states = lines.flatMap(
    (line) => /^(?:never|stale|suspicious|incomplete|stopped|protected) /.exec(line)?.[0].trim() ?? [],
  )
  expect(states).toEqual(['never', 'stale', 'suspicious', 'incomplete', 'stopped', 'protected'])
  const at = lines.findIndex((line) => line.startsWith('stale'))
  expect(lines.slice(at, at + 5)).toEqual([
    'stale       wiki i-0ddddddddddddddd4                      3 d     2 d    160 GiB',
    '    newest verified backup is 3 d old; the command could not be delivered 8 h',
    '    ago; its SSM agent has been silent for 3 d',
    '    > See whether it is up, and has a way to Systems Manager: then the agent',
    '      reports by itself.',
  ])
})

test('a name that is too long leaves room for the id, which is what commands take', async () => {
  const { summary } = await look(mixedFleet)
  expect(summary).toContain('a-name-that-is-fa… i-0bbbbbbbbbbbbbbb2')
})

test('a wider terminal shows more of it, and one that is far too wide does not pull the table apart', async () => {
  const widthOf = async (columns: number) => {
    const screen = { isTerminal: true, columns, rows: 24, write: () => undefined }
    const { summary } = await status(depsOf(mixedFleet, 1, { screen }), fleetRequestOf('status'))
    return Math.max(...summary.split('\n').map((line) => line.length))
  }
  expect(await widthOf(100)).toBe(100)
  expect(await widthOf(400)).toBe(120)
  expect(await widthOf(20)).toBeLessThanOrEqual(65)
})

test('an account that cannot be read is trouble, even if all hosts that are known are well', async () => {
  const accounts = [{ account: '444455556666', region: 'us-east-1', problem: 'AssumeRole was refused\u001b[2J' }]
  const outcome = await look({ ...well, inventory: { ...well.inventory, accounts } })
  expect(outcome.status).toBe(3)
  expect(outcome.summary).toContain(
    '! account 444455556666 in us-east-1 cannot be read, so its hosts are not known:\n  AssumeRole was refused?[2J',
  )
})

test('an auditor that has fallen silent is trouble: nobody would be told of the next', async () => {
  const silent = await look(well, [], 5)
  expect([silent.status, silent.json]).toMatchObject([3, { auditor: { silent: true, lastPassAt: NOW - 5 * HOUR } }])
  expect(silent.summary).toContain('! the auditor is silent: its last look was 5 h ago')
  expect(await look(well, [], 2)).toMatchObject({ status: 0, json: { auditor: { silent: false } } })
})

test('and so is one that has never looked', async () => {
  const { status: exit, summary } = await described(
    'status',
    status(fleetDeps(memoryStore(), { observe: async () => observed(well) }), fleetRequestOf('status')),
  )
  expect(exit).toBe(3)
  expect(summary).toContain('! the auditor has never looked at this bucket')
})

test('a bucket that has nothing to do with a fleet is not a fleet in which all is well', async () => {
  const { status: exit, summary } = await look(aFleet([], []))
  expect(exit).toBe(3)
  expect(summary).toBe(
    'No host has a backup in backups, and none is known that ought to have one. Is\nthis the right bucket?',
  )
})

test('--only shows hosts in some states, and the exit status is of all', async () => {
  const { status: exit, summary } = await look(mixedFleet, ['--only', 'protected,stopped'])
  expect(exit).toBe(3)
  expect(summary).not.toContain('wiki')
  expect(summary).toContain('shop-db-1')
  expect((await look(mixedFleet, ['--only', 'gone'])).summary).toMatch(/\nNo host is gone\.$/)
  const misspelt = () => fleetRequestOf('status', ['--only', 'stail'])
  expect(refusal(misspelt)).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('Did you mean stale?') })
})

test('of a large fleet the worst are shown, and how many more there are', async () => {
  const hosts = Array.from({ length: 150 }, (_, n) => anInstance(`i-${String(n).padStart(17, '0')}`))
  const fleet = aFleet(
    hosts,
    hosts.slice(3).map(({ host }) => aHistory(host, nights(1))),
  )
  const { summary, json } = await look(fleet)
  expect(summary.match(/^never /gm)).toHaveLength(3)
  expect(summary.match(/^protected /gm)).toHaveLength(97)
  expect(summary).toMatch(/\n… and 50 more hosts: --limit shows more, --only some$/)
  expect(json).toMatchObject({ hosts: { length: 150 } })
})

describe('--watch', () => {
  test('needs somebody who watches', async () => {
    expect(await refusalOf(look(well, ['--watch']))).toMatchObject({
      code: 'USAGE',
      message: '--watch needs a terminal, and makes no sense with --json',
    })
  })

  test('draws the fleet in the place of the one before, until it is ended; then that is its outcome', async () => {
    const ending = new AbortController()
    const drawn: string[] = []
    const screen = {
      ...{ isTerminal: true, columns: 80, rows: 8 },
      write(text: string) {
        drawn.push(text)
        ending.abort(new AgentError('INTERRUPTED', 'stopped by SIGINT', { hint: '' }))
      },
    }
    const deps = depsOf(mixedFleet, 1, { screen, signal: ending.signal })
    const outcome = await described('status', status(deps, fleetRequestOf('status', ['--watch'])))
    expect(outcome.status).toBe(3)
    const [picture = '', end] = drawn
    expect(end).toBe('\x1b[H\x1b[2J\x1b[3J') // in its place stands the whole outcome
    expect(outcome.summary).toContain('protected   shop-db-1')
    expect(picture.startsWith('\x1b[H\x1b[2J\x1b[3J4 of 6 hosts need attention')).toBe(true)
    expect(picture.trimEnd().split('\n').length).toBeLessThanOrEqual(8)
    expect(picture).toContain('… there is more: make the window higher')
  })

  test('a look that fails meanwhile is told of below what was seen last, and the next is as any other', async () => {
    const ending = new AbortController()
    const drawn: string[] = []
    const screen = {
      ...{ isTerminal: true, columns: 80, rows: 12 },
      write(text: string) {
        drawn.push(text)
        if (drawn.length === 3) ending.abort(new AgentError('INTERRUPTED', 'stopped by SIGINT', { hint: '' }))
      },
    }
    let looks = 0
    const observe = async () => {
      if (++looks === 2) throw new AgentError('ENDPOINT_UNREACHABLE', 'no way to S3\u001b[2J', { hint: 'Look.' })
      return observed(well)
    }
    const deps = depsOf(well, 1, { screen, observe, signal: ending.signal })
    expect(await status(deps, fleetRequestOf('status', ['--watch']), 0.01)).toMatchObject({ status: 0 })
    expect(drawn[1]).toContain('The one host is protected.')
    expect(drawn[1]).toContain('\nno way to S3?[2J\nHINT: Look.\n')
    expect(drawn[2]).not.toContain('no way to S3')
  })

  test('ended after a look that failed, it does not tell of a fleet in which all is well', async () => {
    const ending = new AbortController()
    let drawings = 0
    const screen = {
      ...{ isTerminal: true, columns: 80, rows: 12 },
      write: () => {
        if (++drawings === 2) ending.abort(new AgentError('INTERRUPTED', 'stopped by SIGINT', { hint: '' }))
      },
    }
    let looks = 0
    const observe = async () => {
      if (++looks === 2) throw new AgentError('ENDPOINT_UNREACHABLE', 'no way to S3', { hint: 'Look.' })
      return observed(well)
    }
    const deps = depsOf(well, 1, { screen, observe, signal: ending.signal })
    const { status: exit, summary } = await status(deps, fleetRequestOf('status', ['--watch']), 0.01)
    expect(exit).toBe(3)
    expect(summary).toMatch(/\nThat was seen before. The last look failed:\nno way to S3\nHINT: Look.$/)
  })

  test('a look that fails at the beginning is an error: there is nothing to show instead', async () => {
    const screen = { isTerminal: true, columns: 80, rows: 24, write: () => undefined }
    const observe = async () => {
      throw new AgentError('ENDPOINT_UNREACHABLE', 'no way to S3', { hint: 'Look.' })
    }
    const deps = depsOf(well, 1, { screen, observe })
    expect(await refusalOf(status(deps, fleetRequestOf('status', ['--watch'])))).toMatchObject({
      code: 'ENDPOINT_UNREACHABLE',
    })
  })
})

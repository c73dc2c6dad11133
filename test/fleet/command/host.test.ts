/** One host, by whoever has to do something about it. */
import { host } from '../../../fleet/command/host.io'
import type { FleetCase } from '../../../fleet/model/judge'
import { aFleet, aHistory, anInstance, aRun, DAY, HOUR, nights, NOW } from '../../support/fleet'
import { described, fleetDeps, fleetRequestOf } from '../../support/fleet-commands'
import { memoryStore } from '../../support/memory-store'
import { HOSTS, mixedFleet, observed } from '../../support/observation'
import { refusalOf } from '../../support/refusal'

const GIB = 1024 ** 3
const look = (name: string, fleet: FleetCase = mixedFleet, ...argv: string[]) =>
  described(
    'host',
    host(fleetDeps(memoryStore(), { observe: async () => observed(fleet) }), fleetRequestOf('host', [name, ...argv])),
  )

test('who it is, what is wrong and what to do come first, in 80 columns', async () => {
  const { status, summary } = await look('wiki')
  expect(status).toBe(3)
  const lines = summary.split('\n')
  expect(lines.slice(0, 8)).toEqual([
    'wiki (arn:aws:ec2:eu-west-1:111122223333:instance/i-0ddddddddddddddd4)',
    '  running in EC2; SSM agent lost, heard 3 d ago; account 111122223333;',
    '  eu-west-1; expected because it bears the tag of a schedule, Systems Manager',
    '  manages it, it has had runs; 160 GiB stored',
    'STALE for 2 d: newest verified backup is 3 d old; the command could not be',
    'delivered 8 h ago; its SSM agent has been silent for 3 d',
    '> See whether it is up, and has a way to Systems Manager: then the agent reports',
    '  by itself.',
  ])
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(summary).toContain('what went wrong last:\n  the command could not be delivered 8 h ago')
})

test('runs with their states, sizes over time, volumes, and what is not in them', async () => {
  const { summary } = await look('mail')
  expect(summary).toContain('  20260301T000000Z-abc123  2 h  incomplete  checksum  16 GiB  100000   10 min\n')
  expect(summary).toContain('  … and 2 more runs: --limit shows more')
  expect(summary).toContain('    /            ext4        lvm     9 GiB  4 GiB   90000    2 warnings')
  expect(summary).toContain(
    'filesystems that the newest run leaves out:\n  /scratch: no source takes snapshots of btrfs\n',
  )
  expect((await look('mail', mixedFleet, '--limit', '10')).summary).not.toContain('more run')
})

test('a failure is told with its hint, and nothing that a host wrote moves the cursor or begins a line', async () => {
  const { summary } = await look('mail')
  expect(summary).toContain(
    'what went wrong last:\n  daily, /var: SNAPSHOT_INVALID: the snapshot of /var filled up | HINT: all is\n  well?[2J\n',
  )
  expect(summary).toContain('    > Reserve more with --snapshot-size, or run at a quieter time.')
})

test('a disk that was emptied is seen in the sizes', async () => {
  const { summary } = await look('files')
  expect(summary).toContain('  stored, oldest to newest: █████████▁\n' + ' '.repeat(28) + '1 GiB to 16 GiB')
})

test('which runs are differential, and which have lost their base', async () => {
  const instance = anInstance('i-0aaaaaaaaaaaaaaa1')
  const bases = ['20260225T000000Z-abc123']
  const runs = [aRun(NOW - 2 * HOUR, { bases, state: 'base-missing' }), aRun(NOW - 26 * HOUR, { bases })]
  const { summary } = await look(instance.host, aFleet([instance], [aHistory(instance.host, runs)]))
  expect(summary).toContain(`FAILING: the base of its newest run ${runs[0]!.run} is gone, or does not`)
  expect(summary).toContain(`${runs[1]!.run}  26 h  complete, differential`)
  expect(summary).toContain(`  ${runs[0]!.run}: its base is not there, or does not read back`)
})

test('who verified a run, how far, and to what end', async () => {
  const instance = anInstance('i-0aaaaaaaaaaaaaaa1')
  const runs = [
    aRun(NOW - 2 * HOUR, { verdict: { by: 'operator', depth: 'stream', ok: false, at: NOW - HOUR } }),
    aRun(NOW - 26 * HOUR, { verdict: { by: 'host', depth: 'stream', ok: true, at: NOW - 25 * HOUR } }),
    aRun(NOW - 50 * HOUR, { sizesOnly: true }),
    aRun(NOW - 74 * HOUR, { verified: 'none', state: 'objects-missing', superseded: true }),
  ]
  const { summary } = await look(instance.host, aFleet([instance], [aHistory(instance.host, runs)]))
  const verified = summary
    .split('\n')
    .flatMap((line) => /^ {2}2026\S+ +\S+ [hd] +(\S+ +.*?) {2,}\S+ GiB/.exec(line)?.[1] ?? [])
  expect(verified.map((cells) => cells.replace(/ {2,}/, ' | '))).toEqual([
    'complete | FAILED stream',
    'complete | stream, by host',
    'complete | sizes',
    'objects-missing | none',
  ])
  expect(summary).toContain('did not read back 60 min ago (stream)')
})

test('a host without any run, and one whose class no schedule makes any more', async () => {
  expect((await look(HOSTS.mute.host)).summary).toContain('\nclass daily: has no backup\n')
  const instance = anInstance('i-0aaaaaaaaaaaaaaa1')
  const history = {
    host: instance.host,
    classes: [...aHistory(instance.host, nights(1)).classes, { class: 'monthly', runs: nights(1, NOW - 40 * DAY) }],
  }
  const { summary, status } = await look(instance.host, aFleet([instance], [history]))
  expect(status).toBe(0)
  expect(summary).toContain('class monthly: no schedule makes it any more')
})

test('the last restore on trial, if there was one', async () => {
  const instance = anInstance('i-0aaaaaaaaaaaaaaa1')
  const drill = {
    ...{ class: 'daily', run: '20260227T000000Z-abc123', at: NOW - 2 * DAY, restoreSeconds: 130 },
    ...{ restoredBytes: 9 * GIB, entries: 10, problem: '', ok: true },
  }
  const withDrill = (changes: object) =>
    aFleet([instance], [{ ...aHistory(instance.host, nights(1)), drill: { ...drill, ...changes } }])
  expect((await look(instance.host, withDrill({}))).summary).toContain(
    '\nlast restore on trial, 2 d ago, of 20260227T000000Z-abc123: 9 GiB came back in 2\nmin 10 s',
  )
  expect((await look(instance.host, withDrill({ share: '3/7' }))).summary).toContain('abc123 (part 3/7 of it): 9')
  expect((await look(instance.host, withDrill({ ok: false, problem: '3 files differ' }))).summary).toContain(
    'IT FAILED: 3 files\ndiffer',
  )
  expect((await look('shop-db-1')).summary).toContain('No restore of this host has been tried')
})

test('a host that there is not', async () => {
  expect(await refusalOf(look('shop-bd-1'))).toMatchObject({
    code: 'UNKNOWN_HOST',
    hint: expect.stringContaining('Did you mean shop-db-1?'),
  })
})

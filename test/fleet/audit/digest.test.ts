import { formatDigest } from '../../../fleet/audit/digest'
import type { FleetView, HostView } from '../../../fleet/model/records'
import { AT, classView, fleetView, hostView } from '../../support/fleet-view'

const DAY = 86_400
const protectedHost = hostView({ classes: [classView()], storedBytes: 1024 ** 4 })
const stale = hostView({
  host: 'arn:aws:ec2:eu-west-1:123456789012:instance/i-0bbbbbbbbbbbbbbbb',
  name: 'db-01',
  state: 'stale',
  stateSince: AT - 3 * DAY,
  overdue: true,
  reason: 'no good backup for 4 d',
  advice: 'Start the SSM agent.',
  storedBytes: 0,
})
const told = (hosts: readonly HostView[], changes: Partial<FleetView> = {}, bucketBytes?: number) =>
  formatDigest({ view: fleetView(hosts, changes), stack: 'Snapstream', bucket: 'backups', bucketBytes })

test('a fleet that is well needs few words', () => {
  const drill = {
    class: 'daily',
    run: 'r',
    at: AT - 5 * DAY,
    ok: true,
    restoreSeconds: 60,
    restoredBytes: 1,
    entries: 1,
    problem: '',
  }
  expect(
    told(
      [
        { ...protectedHost, drill },
        { ...protectedHost, host: 'db-2' },
      ],
      {},
      3 * 1024 ** 4,
    ),
  ).toEqual({
    subject: 'Snapstream: nothing to do for 2 hosts',
    text: `nothing to do for 2 hosts

  protected  2

Restored on trial within 100 days: 1 of 2 hosts
Stored: 2 TiB by the manifests, 3 TiB by S3 with all versions

All hosts, on a page that is made anew each hour:
  aws s3 cp s3://backups/reports/index.html .`,
  })
})

test('a host without a good backup is named, with the reason, since when, and what to do', () => {
  const { subject, text } = told([stale, protectedHost])
  expect(subject).toBe('Snapstream: 1 of 2 hosts to look at, 1 without a good backup')
  expect(text).toContain(`What to look at, the worst first:
  db-01 (i-0bbbbbbbbbbbbbbbb) in 123456789012: stale for 3 d: no good backup for 4 d
    Start the SSM agent.`)
  expect(text).toContain('New within the week:\n  db-01 (i-0bbbbbbbbbbbbbbbb)')
})

test('trouble that is older than the digest before is not new', () => {
  expect(told([{ ...stale, stateSince: AT - 8 * DAY }]).text).not.toContain('New within the week')
})

test('an account that could not be asked is said first, also where all hosts that are known are well', () => {
  const accounts = [{ account: '222222222222', region: 'eu-west-1', problem: 'AccessDenied' }]
  const { subject, text } = told([protectedHost], { accounts })
  expect(subject).toBe('Snapstream: nothing to do for 1 host, and 1 account not known')
  expect(text).toContain('  222222222222 eu-west-1: AccessDenied')
})

test('without any host nothing is called well', () => {
  expect(told([]).subject).toBe('Snapstream: there is no host to back up')
})

test('a restore on trial that failed is named', () => {
  const drill = {
    class: 'daily',
    run: 'r',
    at: AT,
    ok: false,
    restoreSeconds: 0,
    restoredBytes: 0,
    entries: 0,
    problem: 'x',
  }
  expect(told([{ ...protectedHost, drill }]).text).toContain('0 of 1 host; the last trial failed of web-01')
})

test('of a thousand hosts in trouble, the worst are named and the others counted', () => {
  const { text } = told(
    Array.from({ length: 1000 }, (_, index) => ({ ...stale, host: `db-${index}`, name: `db-${index}` })),
  )
  expect(text).toContain('… and 975 more')
  expect(text.length).toBeLessThan(20_000)
})

test('what a host is called makes neither lines nor control characters, and no subject that is refused', () => {
  const hostile = { ...stale, name: 'a\nSubject: b\u001b[31m\u202e', reason: 'x\r\ny' }
  const { text } = told([hostile])
  expect(text).not.toMatch(/[\u001b\u202e\r]/)
  expect(text.split('\n').filter((line) => line.startsWith('Subject'))).toEqual([])
  const { subject } = formatDigest({ view: fleetView([]), stack: `Snäp${'s'.repeat(200)}`, bucket: 'b' })
  expect(subject).toMatch(/^[\x20-\x7e]{1,99}$/)
})

import { summarize } from '../../../fleet/evidence/summarize'
import { differentialOf, manifestOf, volumeBackupOf } from '../../support/manifest'

test('numbers are the sums over all volumes', () => {
  const { record } = summarize(manifestOf({ volumes: [volumeBackupOf(), volumeBackupOf({ volume: 'vg0-srv' })] }), {})
  expect(record).toEqual({
    ...{ state: 'complete', verified: 'checksum', volumes: 2, objects: 4, entries: 6 },
    ...{ rawBytes: 40_960, storedBytes: 2000, catalogBytes: 600, seconds: 60 },
  })
})

test('a run with differential archives says which runs have the bases, and where what is removed is listed', () => {
  const volumes = [
    volumeBackupOf(),
    differentialOf({ volume: 'vg0-srv', mountPoint: '/srv' }),
    differentialOf({ volume: 'vg0-opt', mountPoint: '/opt' }),
  ]
  const { record, detail, stored } = summarize(manifestOf({ format: 3, volumes }), { detail: true, stored: true })
  const base = '20260125T040506Z-base77'
  expect(record).toMatchObject({ bases: [base], objects: 6, storedBytes: 3000, catalogBytes: 3 * 300 + 2 * 40 })
  expect(detail?.volumes.map((volume) => volume.base)).toEqual([undefined, base, base])
  expect(stored?.[1]).toMatchObject({ removedBytes: 40, base: { run: base, segmentBytes: [1000], catalogBytes: 300 } })
  expect(stored?.[0]).toEqual({ volume: 'vg0-home', compression: 'zstd', segmentBytes: [1000], catalogBytes: 300 })
})

test('a run of which nothing but sizes is known says so', () => {
  const sampled = { depth: 'source', part: 1, count: 1, parts: 2, entries: 3 } as const
  const volumes = [volumeBackupOf({ unconfirmed: true, sampled })]
  expect(summarize(manifestOf({ verified: 'none', volumes }), {}).record).toMatchObject({ sizesOnly: true })
})

test('a host that says it ended before it began took no time', () => {
  const backwards = { startedAt: '2026-01-31T04:05:06.000Z', finishedAt: '2020-01-31T04:05:06.000Z' }
  expect(summarize(manifestOf(backwards), {}).record.seconds).toBe(0)
})

test.each([
  ['PRETTY_NAME="Debian GNU/Linux 13"\nID=debian\n', 'Debian GNU/Linux 13'],
  ["PRETTY_NAME='Amazon Linux'\n", 'Amazon Linux'],
  ['PRETTY_NAME=Plain\n', 'Plain'],
  ['PRETTY_NAME="\u202eevil\u001b[2J"\n', '?evil?[2J'],
  ['ID=debian\n', ''],
])('the system is what it calls itself: %j', (osRelease, os) => {
  const { system } = manifestOf()
  expect(summarize(manifestOf({ system: { ...system, osRelease } }), { detail: true }).detail?.os).toBe(os)
})

test('what a host says is cut, in length and in number', () => {
  const notBackedUp = Array.from({ length: 5000 }, () => ({
    ...{ mountPoint: `/${'ä'.repeat(5000)}`, device: 'x', filesystem: 'nfs', reason: 'r\nr' },
  }))
  const { detail } = summarize(manifestOf({ notBackedUp }), { detail: true })
  expect(detail?.notBackedUp).toHaveLength(100)
  expect(detail?.notBackedUp[0]?.mountPoint).toHaveLength(300)
  expect(detail?.notBackedUp[0]?.reason).toBe('r | r')
})

import { CALM_STATES, HOST_STATES } from '../../../../fleet/model/records'
import type { PageRun } from '../../../../fleet/report/packed-runs'
import {
  describeRun,
  formatChange,
  formatDay,
  formatMoney,
  formatRatio,
  formatTime,
  hostsOf,
  STATES,
} from '../../../../fleet/report/page/words'

test.each(HOST_STATES)('%s has the tone of its trouble', (state) => {
  expect(['rest', 'good'].includes(STATES[state].tone)).toBe(CALM_STATES.has(state))
})

test.each([
  [hostsOf(1), '1 host'],
  [hostsOf(5000), '5,000 hosts'],
  [formatMoney(1234.5, 'USD'), '$1,235'],
  [formatMoney(2.5, 'EUR'), '€2.50'],
  [formatMoney(2.5, '<b>'), '2.50 <b>'],
  [formatRatio(2.66), '2.7 : 1'],
  [formatRatio(undefined), '–'],
  [formatChange(0.123), '+12 %'],
  [formatChange(-0.5), '−50 %'],
  [formatChange(0.001), '±0 %'],
  [formatChange(undefined), '–'],
  [formatDay(20_785), 'Sat 28 November'],
  [formatTime(1_795_831_500), '28 Nov 2026, 02:05 UTC'],
])('%s', (text, expected) => expect(text).toBe(expected))

const run: PageRun = {
  ...{ writtenAt: 0, state: 'complete', standing: 'verified', verified: 'stream', sizesOnly: false },
  ...{ rawBytes: 2048, storedBytes: 1024, entries: 1234, seconds: 5 },
}

test.each([
  [{}, 'complete, verified by stream, 1 KiB stored of 2 KiB, 1.2K entries, 5.0 s'],
  [{ standing: 'unverified', verified: 'none', rawBytes: 0 }, 'complete, not verified'],
  [{ standing: 'unverified', sizesOnly: true, rawBytes: 0 }, 'complete, only sizes verified'],
  [{ standing: 'damaged', rawBytes: 0 }, 'complete, does not read back'],
  [{ state: 'objects-missing', standing: 'damaged', rawBytes: 0 }, 'objects are gone, or of another size'],
  [{ state: 'unreadable', standing: 'unverified', rawBytes: 0 }, 'its manifest cannot be read'],
  [{ state: 'unsupported', standing: 'unverified', rawBytes: 0 }, 'made by a later version of Snapstream'],
] as const)('a run that is %j is described', (changes, expected) => {
  expect(describeRun({ ...run, ...changes })).toBe(expected)
})

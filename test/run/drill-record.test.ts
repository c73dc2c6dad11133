import { drillKey, parseDrillKey } from '../../agent/contract'
import { DRILL_BYTES_MAX, parseDrill } from '../../agent/run/drill-record'

const runKey = { class: 'daily', host: 'db1', run: '20260131T020000Z-k3xw7a' }
const writtenAt = new Date('2026-02-01T04:00:00Z')
const record = {
  ...{ drill: 1, ...runKey, ok: true, restoreSeconds: 83.5, restoredBytes: 5 * 1024 ** 3, entries: 12_000 },
  ...{ startedAt: '1999-01-01T00:00:00Z', drilledOn: 'rescue1', problems: [] },
}
const parse = (changes: object = {}) => parseDrill(JSON.stringify({ ...record, ...changes }), writtenAt, runKey)

test('a drill is dated by S3, whatever the clock of its host said', () => {
  expect(parse()).toEqual({
    ...{ class: 'daily', run: runKey.run, at: 1769918400, ok: true, problem: '' },
    ...{ restoreSeconds: 83.5, restoredBytes: 5 * 1024 ** 3, entries: 12_000 },
  })
  expect(parse({ share: '3/7' })).toMatchObject({ ok: true, share: '3/7' })
  expect(parseDrill(JSON.stringify(record), new Date(NaN), runKey)).toBeUndefined()
})

test('no drill passes for a success that has problems, or has restored nothing', () => {
  expect(parse({ problems: ['/srv/a: Size differs'] })).toMatchObject({ ok: false, problem: '/srv/a: Size differs' })
  expect(parse({ entries: 0 })).toMatchObject({ ok: false, problem: 'nothing was restored' })
  expect(parse({ ok: false })).toMatchObject({ ok: false, problem: 'the record does not say what went wrong' })
})

test('names that a host chose become no lines, no escapes and no floods', () => {
  const drill = parse({ ok: false, problems: ['./a\u001b[2J\nOK', 'x'.repeat(5000)], share: '1/7\u202e' })
  expect(drill?.problem).toHaveLength(501)
  expect(drill?.problem).toMatch(/^\.\/a\?\[2J \| OK; x+…$/)
  expect(drill?.share).toBe('1/7?')
})

test('a record beside another run, or that is none, proves nothing', () => {
  expect(parse({ host: 'db2' })).toBeUndefined()
  expect(parse({ class: 'weekly' })).toBeUndefined()
  expect(parse({ run: '20260131T020000Z-k3xw7b' })).toBeUndefined()
  expect(parse({ drill: 2 })).toBeUndefined()
  expect(parse({ restoreSeconds: -1 })).toBeUndefined()
  expect(parse({ entries: '12' })).toBeUndefined()
  expect(parse({ problems: Array.from({ length: 22 }, () => 'x') })).toBeUndefined()
  expect(parseDrill('{"ok":true,"ok":false}', writtenAt, runKey)).toBeUndefined()
  expect(parse({ more: 'x'.repeat(DRILL_BYTES_MAX) })).toBeUndefined()
})

test('its key says which run it is of', () => {
  const arn = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'
  for (const key of [runKey, { ...runKey, host: arn }]) {
    expect(parseDrillKey(drillKey(key, '20260201T040000Z'))).toEqual(key)
  }
  expect(parseDrillKey('drills/daily/db1/20260131T020000Z-k3xw7a/x.json')).toBeUndefined()
  expect(parseDrillKey('drills/daily/../x/20260131T020000Z-k3xw7a/20260201T040000Z.json')).toBeUndefined()
})

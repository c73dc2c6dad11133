import { judgeChecksums, judgeCompletion, judgeRefusedCompletion } from '../../agent/backup/server-trial'

const KEY = 'data/daily/db1/run/preflight.tar'
type Found = Parameters<typeof judgeChecksums>[1]

test.each<[string, boolean, boolean, string]>([
  ['confirms what is stored, and keeps it', true, false, 'ok'],
  ['confirms sizes alone', false, false, 'warn'],
  ['lets a second object take the place of the first', true, true, 'fail'],
  ['does neither', false, true, 'fail'],
])('a server that %s', (_, confirmed, overwrites, status) => {
  const judgement = judgeCompletion({ key: KEY, confirmed, overwrites })
  expect(typeof judgement === 'string' ? 'ok' : judgement.status).toBe(status)
  expect(typeof judgement === 'string' ? judgement : judgement.what).toContain(KEY)
})

test('that a backup could be overwritten goes before what is confirmed', () => {
  expect(judgeCompletion({ key: KEY, confirmed: false, overwrites: true })).toMatchObject({
    what: expect.stringContaining('could be overwritten') as string,
    fix: expect.stringContaining('If-None-Match') as string,
  })
})

test('a server that completes no upload fails, with its own words', () => {
  expect(judgeRefusedCompletion('S3 says NotImplemented')).toMatchObject({
    status: 'fail',
    what: 'S3 says NotImplemented',
    fix: expect.stringContaining('Compare the server with') as string,
  })
})

test.each<[Found, string]>([
  ['refused', 'ok'],
  ['contradicted', 'ok'],
  ['parts are not compared', 'warn'],
  ['completed', 'warn'],
  ['completed earlier', 'warn'],
  // The one that makes false successes: backups would believe it.
  ['confirmed', 'fail'],
])('a wrong checksum that was %s: %s', (found, status) => {
  const judgement = judgeChecksums(KEY, found)
  expect(typeof judgement === 'string' ? 'ok' : judgement.status).toBe(status)
})

test.each<Found>(['contradicted', 'completed', 'completed earlier', 'confirmed'])(
  'where a wrong checksum was %s, an object stays, and is named',
  (found) => {
    expect(JSON.stringify(judgeChecksums(KEY, found))).toContain(KEY)
  },
)

test.each<Found>(['parts are not compared', 'confirmed', 'completed earlier'])(
  'where a wrong checksum was %s, backups have to be read back',
  (found) => {
    expect(judgeChecksums(KEY, found)).toMatchObject({ fix: expect.stringContaining('--verify stream') as string })
  },
)

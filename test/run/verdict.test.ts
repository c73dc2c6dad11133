import { parseVerdict } from '../../agent/run/verdict'

const now = new Date('2026-02-02T05:05:06Z')

test('what was found good of one volume proves nothing of the run, while what is damaged in it counts', () => {
  const of = (ok: boolean, ...volumes: string[]) =>
    parseVerdict(JSON.stringify({ depth: 'stream', ok, volumes: volumes.map((volume) => ({ volume })) }), now, [
      'vg0-home',
      'vg0-srv',
    ])
  expect(of(true, 'vg0-home')).toBeUndefined()
  expect(of(false, 'vg0-home')).toMatchObject({ depth: 'stream', ok: false })
  expect(of(true, 'vg0-srv', 'vg0-home')).toMatchObject({ depth: 'stream', ok: true })
})

test('checksums that the server did not keep were not compared, whatever the record makes of it', () => {
  const record = (depth: string, withoutChecksum: number) =>
    parseVerdict(JSON.stringify({ depth, ok: true, volumes: [{ volume: 'vg0-home', withoutChecksum }] }), now, [
      'vg0-home',
    ])
  expect(record('checksum', 1)).toMatchObject({ sizesOnly: true })
  expect(record('checksum', 0)).not.toHaveProperty('sizesOnly')
  expect(record('stream', 1)).not.toHaveProperty('sizesOnly')
})

test('a verification that cannot be read proves nothing', () => {
  expect(parseVerdict('{"ok": true}', now, [])).toBeUndefined()
  expect(parseVerdict('', now, [])).toBeUndefined()
})

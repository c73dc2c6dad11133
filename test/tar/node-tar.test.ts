import { tarReader, type TarReading } from '../../agent/tar/node-tar'
import { ROOT, tarOf } from '../support/tar-blocks'

function read(tar: Buffer, pieceBytes = 700): TarReading {
  const reader = tarReader()
  const readings: TarReading[] = []
  for (let at = 0; at < tar.length; at += pieceBytes) readings.push(reader.push(tar.subarray(at, at + pieceBytes)))
  readings.push(reader.end())
  return {
    entries: readings.flatMap(({ entries }) => entries),
    warnings: readings.flatMap(({ warnings }) => warnings),
  }
}

test('entries are told of as node-tar reads them, with the text of their records', () => {
  const { entries, warnings } = read(
    tarOf(ROOT, { name: './hosts', data: 'localhost', mode: 0o600 }, { name: './short', pax: [['path', './largest']] }),
  )
  expect(warnings).toEqual([])
  expect(entries).toMatchObject([
    { type: 'Directory', path: './', size: 0 },
    { type: 'File', path: './hosts', size: 9, mode: 0o600, uid: 0, gid: 0, mtimeMs: 1_700_000_000_000, pax: '' },
    { type: 'File', path: './largest', pax: '18 path=./largest\n' },
  ])
})

test('the records of one entry are not told of another', () => {
  const { entries } = read(tarOf({ name: './a', pax: [['comment', 'x']] }, { name: './b' }))
  expect(entries.map(({ pax }) => pax)).toEqual(['13 comment=x\n', ''])
})

test('records that are too many for it are not said to be none', () => {
  const value = 'x'.repeat(9 * 1024 * 1024)
  const [entry] = read(tarOf({ name: './a', pax: [['SCHILY.xattr.user.a', value]] }), 1 << 20).entries
  expect(entry?.pax).toBe('?\n')
})

test.each([
  ['is cut short between two entries', tarOf(ROOT).subarray(0, 512), 'does not end with two zero blocks'],
  ['is cut short within a file', tarOf({ name: './a', data: 'x'.repeat(2000) }).subarray(0, 1024), 'Truncated'],
  ['has a header with a wrong checksum', tarOf({ name: './a' }).fill('b', 2, 3), 'checksum failure'],
])('an archive that %s is warned of', (_, tar, warning) => {
  expect(read(tar).warnings.join()).toContain(warning)
})

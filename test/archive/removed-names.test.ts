/** The names that are gone are in the catalog, and in a list of their own: both have the same bytes. */
import fc from 'fast-check'
import { formatRemoved, removedSplitter } from '../../agent/archive/removed-names'
import { parseCatalogLine } from '../../agent/archive/catalog'
import { PATH_BYTES_MAX, pathBytes } from '../../agent/tar/entry'

const KEY = 'catalogs/daily/host/20260131T040506Z-abz277/vg0-home.removed.zst'

function split(pieces: readonly Uint8Array[]): Buffer[] {
  const splitter = removedSplitter(KEY)
  const names = pieces.flatMap((piece) => splitter.push(Buffer.from(piece)))
  splitter.finish()
  return names.map(pathBytes)
}

/** Any bytes that can be a path, text or not. */
const path = fc.uint8Array({ min: 1, minLength: 1, maxLength: 30 }).map((bytes) => Buffer.from(bytes))

test('names come out of the list as they went in, however its text is cut', () => {
  fc.assert(
    fc.property(fc.array(path), fc.array(fc.nat(40)), (paths, cuts) => {
      let rest = Buffer.concat(paths.flatMap((each) => [Buffer.from('./'), each, Buffer.of(0)]))
      const pieces = cuts.map((bytes) => {
        const piece = rest.subarray(0, bytes)
        rest = rest.subarray(bytes)
        return piece
      })
      expect(split([...pieces, rest])).toEqual(paths)
    }),
  )
})

test('a line of the catalog is one that its readers take, and has the same bytes', () => {
  fc.assert(
    fc.property(path, (bytes) => {
      const line = formatRemoved(bytes)
      expect(line.endsWith('\n')).toBe(true)
      const { removed, removed64 } = parseCatalogLine(line) as { removed: string; removed64?: string }
      expect(pathBytes({ path: removed, ...(removed64 !== undefined && { path64: removed64 }) })).toEqual(bytes)
    }),
  )
})

test('a name that is text has no base64, any other has', () => {
  expect(formatRemoved(Buffer.from('é "1"'))).toBe('{"removed":"é \\"1\\""}\n')
  expect(formatRemoved(Buffer.of(0x61, 0xff))).toBe('{"removed":"a\ufffd","removed64":"Yf8="}\n')
})

test.each([
  ['a name without a zero byte behind it', './a\0./b', 'was cut short'],
  ['a name that is not below the volume', './a\0/etc/passwd\0', 'has a name that does not begin with ./'],
  ['the root', './\0', 'has a name that does not begin with ./'],
  ['a name without end', `./${'a'.repeat(PATH_BYTES_MAX + 1)}`, 'has a name of more than 65536 bytes'],
])('a list is refused that has %s', (_, text, what) => {
  expect(() => split([Buffer.from(text)])).toThrow(
    expect.objectContaining({ code: 'ARCHIVE_DAMAGED', message: `${KEY} ${what}` }) as Error,
  )
})

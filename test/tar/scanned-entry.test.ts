import { readEntry, readPath, type FoundHeader } from '../../agent/tar/scanned-entry'
import type { Extension } from '../../agent/tar/extension'
import { BLOCK_BYTES, MAJOR, MINOR, MTIME, REAL_SIZE, UID, type Field } from '../../agent/tar/layout'
import { refusal } from '../support/refusal'
import { entry, type Block } from '../support/tar-blocks'

/** The header of a block, behind another one. */
function found(block: Block, more: Extension = {}, dataBytes = 0): FoundHeader {
  const data = Buffer.concat([Buffer.alloc(BLOCK_BYTES, 0xff), entry(block)])
  const flag = block.type ?? '0'
  return { data, at: BLOCK_BYTES, offset: 5120, flag, more, dataBytes, start: 4096, headerBytes: 1536 }
}

const octal = (block: Buffer, { at, bytes }: Field, value: number) =>
  block.write(`${value.toString(8).padStart(bytes - 1, '0')}\0`, at)
const binary = (block: Buffer, { at, bytes }: Field, value: bigint) => {
  block.fill(value < 0n ? 0xff : 0, at, at + bytes)
  block.writeBigInt64BE(value, at + bytes - 8)
  if (value >= 0n) block[at] = 0x80
}

test('a file is what its header says', () => {
  expect(readEntry(found({ name: './etc/hosts', mode: 0o104751 }, {}, 5))).toEqual({
    entry: {
      ...{ path: 'etc/hosts', type: 'file', size: 5, mode: 0o4751, uid: 0, gid: 0 },
      ...{ mtime: '1700000000', offset: 4096 },
    },
    headerBytes: 1536,
    dataBytes: 5,
  })
})

test('what extended headers say goes before it', () => {
  const more: Extension = {
    path: { text: 'long' },
    mtime: '-86400.5',
    uid: 3_000_000,
    gid: 7,
    xattrs: true,
  }
  expect(readEntry(found({}, more)).entry).toMatchObject({ ...more, path: 'long' })
})

test('a time before 1970 needs no extended header', () => {
  expect(readEntry(found({ edit: (block) => binary(block, MTIME, -86_400n) })).entry.mtime).toBe('-86400')
})

describe('a link', () => {
  const linkOf = (type: string, link: string, more: Extension = {}) => readEntry(found({ type, link }, more)).entry.link

  test('that is symbolic leads to what is written in it', () => {
    expect(linkOf('2', '../elsewhere/')).toBe('../elsewhere/')
    expect(linkOf('2', './x', { link: { text: './long/' } })).toBe('./long/')
  })

  test('that is hard leads to another entry, by its path', () => {
    expect(linkOf('1', './plain')).toBe('plain')
    expect(linkOf('1', 'x', { link: { text: './long' } })).toBe('long')
  })

  test('may lead to a name that is no text', () => {
    const base64 = Buffer.from('./caf\xe9', 'latin1').toString('base64')
    const hard = readEntry(found({ type: '1' }, { link: { text: './caf\ufffd', base64 } })).entry
    expect(hard).toMatchObject({ link: 'caf\ufffd', link64: Buffer.from('caf\xe9', 'latin1').toString('base64') })
  })

  test('is none of a file, whatever its header has there', () => {
    expect(linkOf('0', 'x', { link: { text: 'y' } })).toBeUndefined()
  })
})

describe('a sparse file', () => {
  test('has its size with the holes, and beside it what is stored', () => {
    expect(readEntry(found({}, { sparseSize: 1024 ** 4, sparsePath: { text: 'huge' } }, 4096))).toMatchObject({
      entry: { path: 'huge', size: 1024 ** 4 },
      sparseBytes: 4096,
    })
  })

  test('of old tars has it in its header', () => {
    const old = found({ type: 'S', edit: (block) => octal(block, REAL_SIZE, 20_000) }, {}, 512)
    expect(readEntry(old)).toMatchObject({ entry: { type: 'file', size: 20_000 }, sparseBytes: 512 })
  })
})

test('a device is told by its numbers, and a file has none', () => {
  const edit = (block: Buffer) => {
    octal(block, MAJOR, 8)
    octal(block, MINOR, 300)
  }
  expect(readEntry(found({ type: '4', edit })).entry.device).toEqual([8, 300])
  expect(readEntry(found({ type: '3', edit })).entry.device).toEqual([8, 300])
  expect(readEntry(found({ edit })).entry).not.toHaveProperty('device')
})

test.each<[string, FoundHeader, string]>([
  ['of no known type', found({ type: 'V' }), "an entry of unknown type 'V'"],
  ['that its headers gave up', found({}, { undescribed: 'its path has 80000 bytes' }), 'its path has 80000 bytes'],
  ['of a directory with data', found({ type: '5' }, {}, 512), 'a directory of 512 bytes'],
  ['of a link with data', found({ type: '2' }, {}, 1), 'a symlink of 1 bytes'],
  ['whose map is missing', found({}, { mapInData: true, sparseSize: 7 }), 'a sparse file without its map'],
  [
    'of a negative owner',
    found({ name: 'x', edit: (block) => binary(block, UID, -1n) }),
    "a number of 'x' is unreadable",
  ],
  [
    'of an owner that is no number',
    found({ name: 'x', edit: (block) => block.write('zzzzzzz', UID.at) }),
    "a number of 'x' is unreadable",
  ],
  [
    'of a time that is none',
    found({ name: 'x', edit: (block) => block.write('zzzzzzz', MTIME.at) }),
    "a number of 'x' is unreadable",
  ],
  [
    'of a negative device',
    found({ name: 'x', type: '3', edit: (block) => binary(block, MINOR, -1n) }),
    "a number of 'x' is unreadable",
  ],
  [
    'of a negative size with its holes',
    found({ name: 'x', type: 'S', edit: (block) => binary(block, REAL_SIZE, -1n) }),
    "a number of 'x' is unreadable",
  ],
])('an entry %s is refused, with its place in the stream', (_, header, why) => {
  const told = refusal(() => readEntry(header))
  expect(told.code).toBe('ARCHIVE_FAILED')
  expect(told.message).toMatch(/byte 5120: /)
  expect(told.message).toContain(why)
})

test('the name of a sparse file goes before the one that is for other readers', () => {
  const names: Extension = { path: { text: './GNUSparseFile.1/huge' }, sparsePath: { text: 'huge' } }
  expect(readPath(found({ name: 'short' }, names))).toEqual({ text: 'huge' })
  expect(readPath(found({ name: 'short' }, { path: { text: 'long' } }))).toEqual({ text: 'long' })
  expect(readPath(found({ name: './short' }))).toEqual({ text: 'short' })
})

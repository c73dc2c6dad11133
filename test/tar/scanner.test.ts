import { execFileSync } from 'node:child_process'
import { closeSync, linkSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Parser } from 'tar'
import { AgentError } from '../../agent/errors'
import { formatCatalogEntry, parseCatalogLine } from '../../agent/archive/catalog'
import { tarCreate } from '../../agent/tar/commands'
import { scanTar } from '../../agent/tar/scanner'
import type { CatalogEntry } from '../../agent/tar/entry'

const MIB = 1024 ** 2
const LONG = `${'d'.repeat(120)}/${'f'.repeat(200)}`
const BAD_NAME = Buffer.from('caf\xe9\n', 'latin1') // Latin-1, as old systems have it, and a newline

let directory: string
let everything: Buffer
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
  makeTree(directory)
  everything = run(tarCreate(directory))
})
afterAll(() => rmSync(directory, { recursive: true }))

function run([program, ...args]: readonly [string, ...string[]], input?: Buffer): Buffer {
  return execFileSync(program, args, { input, maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, LC_ALL: 'C' } }) // prettier-ignore
}

function makeTree(root: string): void {
  const at = (name: string) => join(root, name)
  writeFileSync(at('plain'), 'hello')
  execFileSync('chown', ['3000000:7', at('plain')])
  execFileSync('chmod', ['4751', at('plain')])
  writeFileSync(at('empty'), '')
  writeFileSync(at('block'), 'x'.repeat(512))
  writeFileSync(at('--option'), 'x')
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), BAD_NAME]), 'bad')
  writeFileSync(at('größe'), 'utf-8')
  mkdirSync(at('d'.repeat(120)))
  writeFileSync(at(LONG), 'long')
  linkSync(at('plain'), at('zz-hard'))
  symlinkSync('../elsewhere/', at('soft'))
  symlinkSync(`/${LONG}`, at('soft-long'))
  execFileSync('touch', ['--no-dereference', '--date=1969-12-30 23:59:59.5Z', at('soft')])
  execFileSync('mkfifo', [at('fifo')])
  execFileSync('mknod', [at('disk'), 'b', '8', '300'])
  execFileSync('mknod', [at('tty'), 'c', '5', '1'])
  execFileSync('setfacl', ['-m', 'u:nobody:r', at('empty')])
  execFileSync('setcap', ['cap_net_raw+ep', at('block')])
  makeSparse(at('sparse'), 20 * MIB, [5 * MIB, 12 * MIB])
  makeSparse(at('holes'), 3 * MIB, [])
  makeSparse(at('huge'), 9 * 1024 ** 3, [8.5 * 1024 ** 3])
}

/** A file of holes, with one byte of data at each of the offsets. */
function makeSparse(path: string, bytes: number, offsets: readonly number[]): void {
  const file = openSync(path, 'w')
  for (const offset of offsets) writeSync(file, 'x', offset)
  closeSync(file)
  truncateSync(path, bytes)
}

function scan(tar: Buffer, pieceBytes: () => number = () => tar.length): CatalogEntry[] {
  const entries: CatalogEntry[] = []
  const scanner = scanTar((entry) => entries.push(entry))
  for (let at = 0; at < tar.length;) {
    const piece = tar.subarray(at, at + pieceBytes())
    scanner.push(piece)
    at += piece.length
  }
  expect(scanner.finish()).toEqual({ entries: entries.length, rawBytes: tar.length })
  return entries
}

const find = (entries: readonly CatalogEntry[], path: string) => entries.find((entry) => entry.path === path)

describe('of an archive with everything that a filesystem can hold', () => {
  test.each<[string, string, Partial<CatalogEntry>]>([
    ['a file', 'plain', { type: 'file', size: 5, mode: 0o4751, uid: 3000000, gid: 7 }],
    ['an empty file with an ACL', 'empty', { type: 'file', size: 0, xattrs: true }],
    ['a file with a capability', 'block', { type: 'file', size: 512, xattrs: true }],
    ['a name like an option', '--option', { type: 'file', size: 1 }],
    ['a name beyond ASCII', 'größe', { type: 'file', size: 5 }],
    ['a name that is not UTF-8', 'caf\ufffd\n', { type: 'file', path64: BAD_NAME.toString('base64') }],
    ['a long name', LONG, { type: 'file', size: 4 }],
    ['a hard link', 'zz-hard', { type: 'hardlink', size: 0, link: 'plain' }],
    ['a symlink from before 1970', 'soft', { type: 'symlink', link: '../elsewhere/', mtime: '-86400.5' }],
    ['a symlink to a long name', 'soft-long', { type: 'symlink', link: `/${LONG}` }],
    ['a fifo', 'fifo', { type: 'fifo' }],
    ['a block device', 'disk', { type: 'block', device: [8, 300] }],
    ['a character device', 'tty', { type: 'character', device: [5, 1] }],
    ['a directory', 'd'.repeat(120), { type: 'directory', size: 0, mode: 0o755 }],
    ['the root', '.', { type: 'directory', mode: 0o700, offset: 0 }],
    ['a sparse file', 'sparse', { type: 'file', size: 20 * MIB, sparseBytes: 8192 }],
    ['a file of one hole', 'holes', { type: 'file', size: 3 * MIB, sparseBytes: 0 }],
    ['a sparse file of 9 GiB', 'huge', { type: 'file', size: 9 * 1024 ** 3, sparseBytes: 4096 }],
  ])('%s is in the catalog', (_, path, expected) => {
    // Of two hard links, tar stores as the file the one that it finds first.
    const entries = scan(everything)
    const first = path === 'plain' || path === 'zz-hard' ? entries.find(({ link }) => link === 'zz-hard') : undefined
    const swapped = { plain: 'zz-hard', 'zz-hard': 'plain' }[path]
    const wanted = first && expected.link ? { ...expected, link: 'zz-hard' } : expected
    expect(find(entries, first ? swapped! : path)).toMatchObject(wanted)
  })

  test('the entries are those that another reader finds, in the same order', async () => {
    const found: object[] = []
    const parser = new Parser({
      onReadEntry: (entry) => {
        const { path, type, size, mode, uid, gid } = entry
        found.push({ path: path.replace(/^\.\//, '').replace(/\/$/, '') || '.', type, size, mode, uid, gid })
        entry.resume()
      },
    })
    const types = { file: 'File', directory: 'Directory', symlink: 'SymbolicLink', hardlink: 'Link', fifo: 'FIFO', character: 'CharacterDevice', block: 'BlockDevice' } // prettier-ignore
    // The other reader does not know sparse files.
    const dense = run([
      'tar',
      '--create',
      '--file=-',
      '--format=posix',
      '--exclude=huge',
      `--directory=${directory}`,
      '.',
    ])
    await new Promise((resolve) => parser.on('end', resolve).end(dense))
    const mine = scan(dense).map(({ path, type, size, mode, uid, gid }) => ({
      path,
      type: types[type],
      size,
      mode,
      uid,
      gid,
    }))
    expect(mine).toEqual(found)
  })

  test('each entry, cut out by its place, is an archive of that file alone', () => {
    for (const { path, type, size, offset, bytes } of scan(everything)) {
      if (type !== 'file' || size > 100 * MIB) continue
      const alone = run(['tar', '--extract', '--file=-', '--to-stdout'], everything.subarray(offset, offset + bytes))
      const name = path.startsWith('caf') ? BAD_NAME : Buffer.from(path)
      expect(alone.equals(readFileSync(Buffer.concat([Buffer.from(`${directory}/`), name])))).toBe(true)
    }
  })

  test('the entries follow each other without a gap', () => {
    let next = 0
    for (const { offset, bytes } of scan(everything)) {
      expect(offset).toBe(next)
      next += bytes
    }
    expect(everything.subarray(next).equals(Buffer.alloc(everything.length - next))).toBe(true)
  })

  test.each([1, 511, 512, 513, 10_240])('pieces of %d bytes make no difference', (bytes) => {
    expect(scan(everything, () => bytes)).toEqual(scan(everything))
  })

  test('pieces of random sizes make no difference', () => {
    const random = randomNumbers(1)
    for (let round = 0; round < 20; round++) {
      expect(scan(everything, () => 1 + (random() % 3000))).toEqual(scan(everything))
    }
  })

  test('cut short anywhere, it is refused', () => {
    const end = scan(everything).at(-1)!
    const random = randomNumbers(2)
    for (let round = 0; round < 200; round++) {
      const bytes = random() % (end.offset + end.bytes + 1024)
      expect(() => scan(everything.subarray(0, bytes))).toThrow(AgentError)
    }
  })

  test('a flipped bit is refused or harms nothing but a value, and never the end', () => {
    const random = randomNumbers(3)
    for (let round = 0; round < 500; round++) {
      const damaged = Buffer.from(everything.subarray(0, 200_000))
      damaged[random() % damaged.length]! ^= 1 << (random() % 8)
      const scanner = scanTar(() => undefined)
      try {
        scanner.push(damaged)
      } catch (error) {
        expect(error).toMatchObject({ code: 'ARCHIVE_FAILED' })
      }
    }
  })
})

describe.each([
  ['ustar', []],
  ['gnu', []],
  ['oldgnu', []],
  ['posix', ['--sparse-version=0.0']],
  ['posix', ['--sparse-version=0.1']],
  ['posix', ['--sparse-version=1.0']],
])('tar --format=%s %s', (format, options) => {
  test('is understood', () => {
    const sparse = format === 'ustar' ? [] : ['--sparse', ...options]
    const names = ['plain', 'soft', 'tty', 'sparse', ...(format === 'ustar' ? [] : [LONG, 'soft-long', 'huge'])]
    const argv = [
      '--create',
      '--file=-',
      `--format=${format}`,
      '--owner=7',
      ...sparse,
      `--directory=${directory}`,
    ] as const
    const entries = scan(run(['tar', ...argv, '--mtime=2001-01-01 00:00Z', '--', ...names]))

    expect(entries.map(({ path }) => path)).toEqual(names)
    expect(find(entries, 'plain')).toMatchObject({ size: 5, uid: 7, mode: 0o4751, mtime: '978307200' })
    expect(find(entries, 'tty')).toMatchObject({ device: [5, 1] })
    if (format === 'ustar') return
    expect(find(entries, 'sparse')).toMatchObject({ size: 20 * MIB, sparseBytes: 8192 })
    expect(find(entries, 'huge')).toMatchObject({ size: 9 * 1024 ** 3, sparseBytes: 4096 })
    expect(find(entries, 'soft-long')).toMatchObject({ link: `/${LONG}` })
  })
})

test('a sparse file with more pieces than fit into one header is understood', () => {
  const path = join(directory, 'comb')
  makeSparse(
    path,
    16 * MIB,
    Array.from({ length: 1000 }, (_, index) => index * 16384),
  )
  for (const format of ['--format=gnu', '--sparse-version=0.0', '--sparse-version=0.1', '--sparse-version=1.0']) {
    const tar = run([
      'tar',
      '--create',
      '--file=-',
      '--format=posix',
      '--sparse',
      format,
      `--directory=${directory}`,
      'comb',
    ])
    expect(scan(tar)).toMatchObject([{ path: 'comb', size: 16 * MIB, sparseBytes: 1000 * 4096 }])
  }
})

const header = (flag: string, size: string, name = 'x'): Buffer => {
  const block = Buffer.alloc(512)
  block.write(name, 0)
  block.write('0000644', 100)
  block.write(size, 124)
  block.write(flag, 156)
  block.write('ustar\0' + '00', 257)
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}
const END = Buffer.alloc(1024)
const pax = (records: string | Buffer) => [
  header('x', records.length.toString(8).padStart(11, '0')),
  Buffer.concat([Buffer.from(records), Buffer.alloc(-records.length & 511)]),
]
/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
const record = (key: string, value: string | Buffer): Buffer => {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
  let bytes = rest.length
  while (bytes !== rest.length + String(bytes).length) bytes = rest.length + String(bytes).length
  return Buffer.concat([Buffer.from(String(bytes)), rest])
}

describe('what users may make is described:', () => {
  const EMPTY = header('0', '00000000000')

  test('a file of 9 PiB, as the largest size that a number holds', () => {
    const records = Buffer.concat([
      record('GNU.sparse.major', '1'),
      record('GNU.sparse.minor', '0'),
      record('GNU.sparse.name', './huge'),
      record('GNU.sparse.realsize', String(9n * 1024n ** 5n)),
    ])
    const map = Buffer.alloc(512)
    map.write(`1\n${9n * 1024n ** 5n}\n0\n`)
    const tar = Buffer.concat([...pax(records), header('0', '00000001000'), map, EMPTY, END])

    expect(scan(tar)).toMatchObject([
      { path: 'huge', size: Number.MAX_SAFE_INTEGER, sparseBytes: 0 },
      { path: 'x', size: 0 },
    ])
  })

  test.each([64 * 1024, 1_000_000, 1024 ** 3])('300 attributes of 64 KiB, in pieces of %d bytes', (bytes) => {
    const value = Buffer.alloc(65_536, 'a=\n7 ')
    const attributes = Array.from({ length: 300 }, (_, index) => record(`SCHILY.xattr.user.${index}`, value))
    const records = Buffer.concat([...attributes, record('path', './many'), record('mtime', '7.5')])
    const tar = Buffer.concat([...pax(records), EMPTY, EMPTY, END])

    expect(scan(tar, () => bytes)).toMatchObject([
      { path: 'many', xattrs: true, mtime: '7.5', offset: 0 },
      { path: 'x', mtime: '0' },
    ])
  })

  test('a path of 40,000 bytes', () => {
    const path = 'd/'.repeat(20_000)
    expect(scan(Buffer.concat([...pax(record('path', `./${path}`)), header('5', '00000000000'), END]))).toMatchObject([
      { path: path.slice(0, -1), type: 'directory' },
    ])
  })
})

describe('what cannot be described costs its own line of the catalog alone:', () => {
  const NEXT = header('0', '00000000000', 'next')
  const DATA = [header('0', '00000001000'), Buffer.alloc(512, 'd')]

  test.each<[string, Buffer[], string]>([
    ['a path beyond 64 KiB', [...pax(record('path', 'd/'.repeat(40_000))), ...DATA], 'its path has 80000 bytes'],
    ['an unknown type', [header('V', '00000001000'), Buffer.alloc(512)], "an entry of unknown type 'V'"],
    ['a directory with data', [header('5', '00000001000'), Buffer.alloc(512)], 'a directory of 512 bytes'],
    ['a record without its length', [...pax('mtime=1\n'), ...DATA], 'its pax header is malformed'],
    ['a record that is cut', [...pax('19 mtime=1\n'), ...DATA], 'its pax header is malformed'],
    ['a length in letters', [...pax('1: mtime=1\n'), ...DATA], 'its pax header is malformed'],
    ['a time that is none', [...pax(record('mtime', 'today')), ...DATA], "'today' is no time"],
    ['an owner in hexadecimal', [...pax(record('uid', '0x10')), ...DATA], "'uid' in its pax header is no number"],
    [
      'an owner beyond all numbers',
      [...pax(record('uid', '9'.repeat(20))), ...DATA],
      "'uid' in its pax header is too large",
    ],
    [
      'a sparse map longer than its data',
      [
        ...pax(Buffer.concat([record('GNU.sparse.major', '1'), record('GNU.sparse.realsize', '7')])),
        header('0', '00000001000'),
        Buffer.alloc(512, '999\n'),
      ],
      'the map of a sparse file is longer than its data',
    ],
  ])('%s', (_, blocks, undescribed) => {
    const tar = Buffer.concat([...blocks, NEXT, END])
    const entries: CatalogEntry[] = []
    const scanner = scanTar((entry) => entries.push(entry), { isTolerant: true })
    scanner.push(tar)
    scanner.finish()

    expect(entries).toMatchObject([{ undescribed, offset: 0, bytes: tar.length - 1536 }, { path: 'next' }])
    expect(parseCatalogLine(formatCatalogEntry(entries[0]!))).toEqual(entries[0])
    expect(() => scan(tar)).toThrow(undescribed)
  })

  test('a stream that is out of step or cut short is refused all the same', () => {
    for (const blocks of [[...DATA.slice(0, 1), NEXT.fill(1, 0, 9), END], DATA, [header('0', '0000000000z'), END]]) {
      const scanner = scanTar(() => undefined, { isTolerant: true })
      expect(() => {
        scanner.push(Buffer.concat(blocks))
        scanner.push(Buffer.alloc(512, 'x'))
        scanner.finish()
      }).toThrow(AgentError)
    }
  })
})

describe('what tar never writes is refused:', () => {
  test.each<[string, Buffer[]]>([
    ['no end', [header('0', '00000000000')]],
    ['one block of zeros only', [header('0', '00000000000'), Buffer.alloc(512)]],
    ['a header after a block of zeros', [Buffer.alloc(512), header('0', '00000000000'), END]],
    ['something after the end', [END, Buffer.from('x'.padEnd(512))]],
    ['half a block after the end', [END, Buffer.alloc(100)]],
    ['a wrong checksum', [Buffer.concat([Buffer.from('y'), header('0', '00000000000').subarray(1)]), END]],
    ['an unknown type', [header('V', '00000000000'), END]],
    ['a directory with data', [header('5', '00000001000'), Buffer.alloc(512), END]],
    ['a size that is no number', [header('0', '0000000000z'), END]],
    ['an extended header without an entry', [...pax('11 mtime=1\n'), END]],
    ['an extended header beyond any need', [header('x', '77777777777'), END]],
    ['a record without its length', [...pax('mtime=1\n'), header('0', '00000000000'), END]],
    ['a record longer than its header', [...pax('99 mtime=1\n'), header('0', '00000000000'), END]],
    ['a record without a value', [...pax('8 mtime\n'), header('0', '00000000000'), END]],
    ['a time that is none', [...pax('15 mtime=today\n'), header('0', '00000000000'), END]],
    ['a size in words', [...pax('12 size=one\n'), header('0', '00000000000'), END]],
  ])('%s', (_, blocks) => {
    const refused = () => scan(Buffer.concat(blocks))
    expect(refused).toThrow(AgentError)
    expect(refused).toThrow(/^the tar stream is broken at byte \d+: /)
  })

  test('while the same with a proper record is accepted', () => {
    expect(scan(Buffer.concat([...pax('11 mtime=1\n'), header('0', '00000000000'), END]))).toMatchObject([
      { path: 'x', mtime: '1', offset: 0, bytes: 1536 },
    ])
  })
})

describe('an entry with 65 MiB of headers', () => {
  const record = (key: string) => `65535 ${`SCHILY.xattr.user.${key}=`.padEnd(65528, 'x')}\n`
  const attributes = (from: number, to: number) =>
    pax(Array.from({ length: to - from }, (_, index) => record(String(from + index))).join(''))
  const next = header('0', '00000000000')
  const mapHeader = (isLast: boolean) => Buffer.alloc(512).fill(isLast ? 0 : 1, 504, 505)
  const map = [...Array.from({ length: 65 * 2048 }, () => mapHeader(false)), mapHeader(true)]
  const sparse = header('S', '00000000000')
  sparse[482] = 1
  sparse.write('00000000000', 483)
  sparse.fill(0x20, 148, 156)
  const sum = sparse.reduce((total, byte) => total + byte, 0)
  sparse.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)

  test.each<[string, () => Buffer[]]>([
    ['in one extended header', () => [...attributes(0, 1040), next]],
    ['in several', () => [...attributes(0, 520), ...attributes(520, 1040), next]],
    ['in a map of an old sparse file', () => [sparse, ...map]],
  ])('%s cannot be described, and what follows is read on', (_, blocks) => {
    const archive = Buffer.concat([...blocks(), next, END])
    const entries: CatalogEntry[] = []
    const scanner = scanTar((entry) => entries.push(entry), { isTolerant: true })
    for (let at = 0; at < archive.length; at += MIB) scanner.push(archive.subarray(at, at + MIB))
    scanner.finish()
    const undescribed = 'its headers have more than 67108864 bytes'
    const bytes = archive.length - 512 - END.length
    expect(entries).toMatchObject([
      { undescribed, offset: 0, bytes },
      { offset: bytes, bytes: 512 },
    ])
    expect(entries[1]).not.toHaveProperty('undescribed')
    expect(() => scan(archive)).toThrow(undescribed)
  })

  test('is beyond the limit, while 1,000 attributes of 64 KiB are not', () => {
    expect(scan(Buffer.concat([...attributes(0, 1000), next, END]))).toMatchObject([{ xattrs: true }])
  })
})

/** Numbers that are the same in each run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
}

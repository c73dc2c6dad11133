/** Entries of GNU tar's, and what somebody may have made of them so that two readers disagree. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { headersEnd } from '../../agent/tar/rewrite'
import { findAmbiguity } from '../../agent/tar/strict-headers'
import { tarCreate } from '../../agent/tar/commands'
import { scanTar } from '../../agent/tar/scanner'
import { buildTree } from '../support/tree/build'
import { hostileTree } from '../support/tree/hostile'

let scratch: string
const headers = new Map<string, Buffer>()
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'strict-'))
  const root = join(scratch, 'root')
  mkdirSync(join(root, 'directory'), { recursive: true })
  writeFileSync(join(root, 'file'), 'content')
  linkSync(join(root, 'file'), join(root, 'hardlink'))
  symlinkSync('file', join(root, 'symlink'))
  writeFileSync(join(root, 'sparse'), 'start')
  truncateSync(join(root, 'sparse'), 1 << 20)
  execFileSync('touch', ['--date=@1700000000', join(root, 'file'), join(root, 'directory')])
  execFileSync('touch', ['--date=@1700000000', '--no-dereference', join(root, 'symlink')])
  for (const [path, own] of headersOf(archive(root))) headers.set(path, own)
})
afterAll(() => rmSync(scratch, { recursive: true }))

function archive(root: string): Buffer {
  const [program, ...args] = tarCreate(root)
  return execFileSync(program, [...args.slice(0, -2), '--sort=name', '--', '.'], {
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

function headersOf(tar: Buffer): [path: string, headers: Buffer][] {
  const found: [string, Buffer][] = []
  const scanner = scanTar(({ path, offset }) => {
    const start = tar.subarray(offset)
    found.push([path, start.subarray(0, headersEnd(start))])
  })
  scanner.push(tar)
  return found
}

test('a tree with everything in it that a filesystem can hold is accepted', async () => {
  const root = join(scratch, 'hostile')
  mkdirSync(root)
  await buildTree(root, hostileTree())
  for (const [path, own] of headersOf(archive(root))) expect([path, findAmbiguity(own)]).toEqual([path, undefined])
})

/** One header block with other bytes at a place. */
function written(path: string, at: number, text: string): Buffer {
  const changed = Buffer.from(headers.get(path)!)
  changed.write(text, changed.length - 512 + at, 'latin1')
  return changed
}

/** The entry with these pax records, `KEY=VALUE`, or whole as they start with a length, in front of it. */
function extended(path: string, ...records: string[]): Buffer {
  const own = headers.get(path)!.subarray(-512)
  const body = Buffer.from(records.map((record) => (/^\d/.test(record) ? record : line(record))).join(''), 'latin1')
  const header = Buffer.from(own)
  header.write('x', 156)
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.fill(0, 157, 257)
  return Buffer.concat([header, body, Buffer.alloc(Math.ceil(body.length / 512) * 512 - body.length), own])
}

function line(record: string): string {
  let bytes = record.length + 2
  while (bytes !== `${bytes} ${record}\n`.length) bytes = `${bytes} ${record}\n`.length
  return `${bytes} ${record}\n`
}

test.each<[string, () => Buffer]>([
  ['a time with nanoseconds', () => extended('file', 'mtime=1700000000.123456789')],
  ['an attribute with any bytes', () => extended('file', 'SCHILY.xattr.user.a=b\n12 path=/etc/c\0')],
  ['an owner that does not fit into its field', () => extended('file', 'uid=3000000')],
  ['a name in UTF-8', () => extended('file', 'path=./gr\xc3\xb6\xc3\x9fe')],
])('%s is accepted', (_, make) => {
  if (headers.get('file')!.length !== 512) throw new Error('the file needs no extended header')
  const changed = make()
  changed.write('0000000\0', changed.length - 512 + 108, 'latin1') // uid
  expect(findAmbiguity(changed)).toBeUndefined()
})

test.each<[string, () => Buffer]>([
  ['two paths', () => extended('file', 'path=./a', 'path=./b')],
  ['a key that nobody knows', () => extended('file', 'comment=hello')],
  ['a character set', () => extended('file', 'hdrcharset=BINARY')],
  ['a list of what a directory held, from which tar deletes', () => extended('directory', 'GNU.dumpdir=Nfile\0')],
  ['the name of a tape', () => extended('file', 'GNU.volume.filename=file')],
  ['a NUL in a path', () => extended('file', 'path=./a\0b')],
  ['an empty path', () => extended('file', 'path=')],
  ['a size that fits into its field', () => extended('file', 'size=7')],
  ['an owner that fits into its field', () => extended('file', 'uid=7')],
  ['a number with a sign', () => extended('file', 'uid=-3000000')],
  ['a number with zeros in front', () => extended('file', 'uid=03000000')],
  ['a number that is none', () => extended('file', 'uid=3e6')],
  ['a number that no reader can hold', () => extended('file', 'size=99999999999999999999')],
  ['a time that is none', () => extended('file', 'mtime=soon')],
  ['a record with zeros in front of its length', () => extended('file', '013 path=./a\n')],
  ['a record without an end', () => extended('file', '11 path.a\n')],
  ['a sparse file by half', () => extended('file', 'GNU.sparse.major=1', 'GNU.sparse.minor=0')],
  ['the oldest sparse format', () => extended('file', 'GNU.sparse.size=9', 'GNU.sparse.numblocks=0')],
  ['a map in the header', () => extended('file', 'GNU.sparse.map=0,1')],
  ['a sparse directory', () => extended('directory', 'GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.name=./d/', 'GNU.sparse.realsize=1')], // prettier-ignore
  ['a path that is absolute', () => extended('file', 'path=/etc/passwd')],
  ['a path that leads up', () => extended('file', 'path=./../passwd')],
  ['a path that leads up in its middle', () => extended('file', 'path=./a/../b')],
  ['a path without its dot', () => extended('file', 'path=file')],
  ['a path with two dots in front', () => extended('file', 'path=././file')],
  ['a path with an empty name in it', () => extended('file', 'path=./a//b')],
  ['a file that ends with a slash', () => extended('file', 'path=./file/')],
  ['a directory that does not', () => extended('directory', 'path=./directory')],
  ['a file that is the root', () => extended('file', 'path=.')],
  ['a hard link to a name that leads up', () => extended('hardlink', 'linkpath=./../../etc/shadow')],
  ['a hard link to an absolute name', () => extended('hardlink', 'linkpath=/etc/shadow')],
  ['a file with the target of a link', () => extended('file', 'linkpath=./other')],
  ['a symbolic link to nothing', () => written('symlink', 157, '\0\0\0\0')],
  ['two extended headers', () => Buffer.concat([extended('file', 'path=./a').subarray(0, -512), extended('file', 'path=./b')])], // prettier-ignore
  ['a long name of GNU', () => written('file', 156, 'L')],
  ['a global header', () => written('file', 156, 'g')],
  ['a file of old', () => written('file', 156, '\0')],
  ['a file in one piece', () => written('file', 156, '7')],
  ['a sparse file of old', () => written('file', 156, 'S')],
  ['a directory with a list of its names', () => written('directory', 156, 'D')],
  ['a volume of several', () => written('file', 156, 'M')],
  ['a label', () => written('file', 156, 'V')],
  ['a header of GNU', () => written('file', 257, 'ustar  \0')],
  ['a prefix', () => written('file', 345, './etc')],
  ['a name with something behind its end', () => written('file', 50, 'more')],
  ['a number with spaces', () => written('file', 100, '   644 \0')],
  ['a number in base 256', () => written('file', 108, '\x80\0\0\0\0\0\0\x07')],
  ['a number that is not octal', () => written('file', 108, '0000009\0')],
  ['a mode with the type of a file', () => written('file', 100, '0100644\0')],
  ['a directory with a size', () => written('directory', 124, '00000000001\0')],
  ['a checksum in another form', () => written('file', 148, ' 12345\0 ')],
])('%s is refused', (_, make) => {
  expect(findAmbiguity(make())).toEqual(expect.any(String))
})

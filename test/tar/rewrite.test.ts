/** Renamed entries are judged by GNU tar itself, and by our own scanner. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tarCreate } from '../../agent/tar/commands'
import { headersEnd, lastingHeaders, renameEntry } from '../../agent/tar/rewrite'
import { scanTar } from '../../agent/tar/scanner'
import { entry, extendedHeader } from '../support/tar-blocks'
import type { CatalogEntry } from '../../agent/tar/entry'

const LONG = 'directory/'.repeat(30) + 'name'

let tar: Buffer
let entries: CatalogEntry[]
beforeAll(() => {
  const root = mkdtempSync(join(tmpdir(), 'rename-'))
  writeFileSync(join(root, 'plain'), 'content')
  writeFileSync(join(root, 'größe'), 'content in UTF-8')
  writeFileSync(join(root, 'sparse'), 'start')
  truncateSync(join(root, 'sparse'), 1 << 20)
  writeFileSync(join(root, 'x'.repeat(200)), 'long')
  linkSync(join(root, 'plain'), join(root, 'second'))
  const [program, ...args] = tarCreate(root)
  tar = execFileSync(program, [...args.slice(0, -2), '--sort=name', '--', '.'], { maxBuffer: 16 << 20 })
  entries = scan(tar)
  rmSync(root, { recursive: true })
})

function scan(archive: Buffer): CatalogEntry[] {
  const found: CatalogEntry[] = []
  const scanner = scanTar((entry) => found.push(entry))
  scanner.push(archive)
  scanner.finish()
  return found
}

function headersOf({ offset, bytes }: CatalogEntry): Buffer {
  const entry = tar.subarray(offset, offset + bytes)
  return entry.subarray(0, headersEnd(entry))
}

const NAMES: [string, Buffer][] = [
  ['a short name', Buffer.from('./new')],
  ['a long one', Buffer.from(`./${LONG}`)],
  ['one with a line end and an equals sign', Buffer.from('./a\n12 path=b=c')],
  ['one that is not UTF-8', Buffer.from([0x2e, 0x2f, 0xff, 0xfe])],
]

describe.each(['plain', 'größe', 'sparse', 'x'.repeat(200)])('%s', (path) => {
  test.each(NAMES)('is given %s, and nothing else changes', (_, name) => {
    const entry = entries.find((candidate) => candidate.path === path && candidate.type === 'file')!
    const headers = headersOf(entry)
    const data = tar.subarray(entry.offset + headers.length, entry.offset + entry.bytes)
    const renamed = Buffer.concat([renameEntry(headers, { offset: 0, path: name }), data, Buffer.alloc(1024)])
    const [found, ...others] = scan(renamed)
    expect(others).toEqual([])
    const bytes = found!.path64 === undefined ? Buffer.from(found!.path) : Buffer.from(found!.path64, 'base64')
    expect(`./${bytes.toString('latin1')}`).toBe(name.toString('latin1'))
    const same = ({ type, size, mode, mtime, uid, sparseBytes }: CatalogEntry) => ({
      type,
      size,
      mode,
      mtime,
      uid,
      sparseBytes,
    })
    expect(same(found!)).toEqual(same(entry))
    const listed = execFileSync('tar', ['--list', '--file=-', '--quoting-style=literal', '--null'], { input: renamed })
    expect(listed.subarray(0, -1).toString('latin1')).toBe(name.toString('latin1'))
    const original = Buffer.concat([tar.subarray(entry.offset, entry.offset + entry.bytes), Buffer.alloc(1024)])
    const content = (archive: Buffer) =>
      execFileSync('tar', ['--extract', '--to-stdout', '--file=-'], { input: archive })
    expect(content(renamed).equals(content(original))).toBe(true)
  })
})

test.each(NAMES)('a hard link is pointed to %s', (_, name) => {
  const entry = entries.find(({ type }) => type === 'hardlink')!
  const [found] = scan(Buffer.concat([renameEntry(headersOf(entry), { offset: 0, link: name }), Buffer.alloc(1024)]))
  const bytes = found!.link64 === undefined ? Buffer.from(found!.link!) : Buffer.from(found!.link64, 'base64')
  expect([found!.path, `./${bytes.toString('latin1')}`]).toEqual([entry.path, name.toString('latin1')])
})

test.each(['0 path=./x\n', '9 path=./x\n', ' path=./x\n', 'x', '99999999999 path=./x\n'])(
  'a header whose record says %j is compared as it is, and not renamed',
  (record) => {
    const headers = Buffer.concat([extendedHeader(Buffer.from(record)), entry({})])
    expect(lastingHeaders(headers)).toBe(headers)
    expect(() => renameEntry(headers, { offset: 0, path: Buffer.from('./y') })).toThrow('malformed')
  },
)

test('of a sparse file, only the name beside the real one may differ from one archive to the next', () => {
  const sparse = (path: string, name: string) => {
    const records: [string, string][] = [
      ['path', path],
      ['GNU.sparse.name', name],
    ]
    return entry({ name: path.slice(0, 90), pax: records })
  }
  const lasting = lastingHeaders(sparse('./GNUSparseFile.12/a', './a'))
  expect(lasting.equals(lastingHeaders(sparse('./GNUSparseFile.3456/a', './a')))).toBe(true)
  expect(lasting.equals(lastingHeaders(sparse('./GNUSparseFile.12/a', './b')))).toBe(false)
})

/** Archives are no secret of ours: readers that other people wrote open them, as a whole and in the middle. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { archiveVolume } from '../agent/archive/write.io'
import { readEntries } from '../agent/archive/read-catalog.io'
import { tarCreate } from '../agent/tar/commands'
import { archiveBucket } from './archive/archive-bucket'
import { depsOf, requestOf, tarOf } from './archive/write-fixture'
import { buildTree } from './support/tree/build'
import { hostileTree } from './support/tree/hostile'
import type { CatalogEntry } from '../agent/tar/entry'

jest.setTimeout(120_000)

const PYTHON = resolve('.cache/venv/bin/python3')
const MIB = 1024 * 1024
const CONTENT = Buffer.from('in the middle of an archive of many frames\n'.repeat(1000))

let scratch: string
let archiveFile: string
let tar: Buffer
let entries: CatalogEntry[]
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'readers-'))
  const root = join(scratch, 'root')
  execFileSync('mkdir', [root])
  await buildTree(root, hostileTree())
  writeFileSync(join(root, 'a-big-file'), Buffer.alloc(9 * MIB, 'to be compressed '))
  writeFileSync(join(root, 'the-file'), CONTENT)
  writeFileSync(join(root, 'z-big-file'), Buffer.alloc(9 * MIB, 'to be compressed too '))
  const bucket = archiveBucket()
  const deps = depsOf(bucket)
  const archive = await archiveVolume(deps, requestOf(tarCreate(root), { compression: 'zstd' }))
  archiveFile = join(scratch, 'archive.tar.zst')
  writeFileSync(archiveFile, bucket.read(archive.segments[0]!.key))
  tar = tarOf(root)
  entries = []
  for await (const entry of readEntries(deps, archive)) entries.push(entry)
})
afterAll(() => rmSync(scratch, { recursive: true }))

const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { maxBuffer: 256 * MIB, stdio: ['ignore', 'pipe', 'pipe'] })

test('pyzstd, a reader of the seekable format, reads one file without what is before it', () => {
  const entry = entries.find(({ path }) => path === 'the-file')!
  const script = `
import io, sys, tarfile, pyzstd
archive = pyzstd.SeekableZstdFile(sys.argv[1])
archive.seek(int(sys.argv[2]))
member = tarfile.open(fileobj=io.BytesIO(archive.read(int(sys.argv[3])) + bytes(1024)))
sys.stdout.buffer.write(member.extractfile(member.next()).read())
`
  expect(run(PYTHON, '-c', script, archiveFile, String(entry.offset), String(entry.bytes)).equals(CONTENT)).toBe(true)
})

test('pyzstd finds our frames in the seek table', () => {
  const script = 'import pyzstd, sys; print(pyzstd.SeekableZstdFile(sys.argv[1]).seek_table_info)'
  const info = run(PYTHON, '-c', script, archiveFile).toString()
  expect(info).toMatch(new RegExp(`\\b${Math.ceil(tar.length / (2 * MIB))}\\b`))
  expect(info).toMatch(new RegExp(`\\b${tar.length}\\b`))
})

test("Python's tarfile lists every entry", () => {
  const script = `
import sys, tarfile
with tarfile.open(sys.argv[1], encoding="latin-1") as archive: print(len(archive.getnames()))
`
  const file = join(scratch, 'archive.tar')
  writeFileSync(file, tar)
  expect(Number(run(PYTHON, '-c', script, file))).toBe(entries.length)
})

test('bsdtar lists every entry, straight from the compressed archive', () => {
  const { stdout, stderr } = spawnSync('bsdtar', ['--list', '--file', archiveFile], {
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    encoding: 'latin1',
  })
  expect(stdout.trimEnd().split('\n')).toHaveLength(entries.length)
  // Names that are not UTF-8 it lists, and complains of; of nothing else.
  const others = stderr.split('\n').filter((line) => !/can't be converted|^bsdtar: Error exit delayed|^$/.test(line))
  expect(others).toEqual([])
})

test('GNU tar with zstd lists every entry', () => {
  const listed = run('tar', '--zstd', '--list', '--quoting-style=escape', '--file', archiveFile)
  expect(listed.toString('latin1').trimEnd().split('\n')).toHaveLength(entries.length)
})

/** What the pipeline writes, the reader reads: the two only have the format in common. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { archiveVolume, type ArchiveRequest } from '../../agent/archive/write.io'
import { readCatalogIndex } from '../../agent/archive/read-catalog.io'
import { readRaw } from '../../agent/archive/read.io'
import { verifyVolume } from '../../agent/verify/verify.io'
import { tarCreate } from '../../agent/tar/commands'
import type { Warnings } from '../../agent/tar/messages'
import { archiveBucket } from './archive-bucket'
import { depsOf, requestOf, tarOf } from './write-fixture'
import { scratchTree } from '../support/tree/scratch'
import type { Argv } from '../../agent/context'

jest.setTimeout(60_000)

// Several frames, some that compress and some that do not.
const { path: scratch, root } = scratchTree((tree) =>
  writeFileSync(join(tree, 'text'), 'to be compressed '.repeat(500_000)),
)

const cases: [string, Partial<ArchiveRequest>][] = [
  ['zstd', { compression: 'zstd' }],
  ['none', { compression: 'none' }],
  ['zstd in several segments', { compression: 'zstd', segmentBytes: 256 * 1024 }],
  ['none in several segments', { compression: 'none', segmentBytes: 5 * 1024 * 1024 }],
]

test.each(cases)('an archive is verified as it was written: %s', async (_, changes) => {
  const deps = depsOf(archiveBucket())
  const archive = await archiveVolume(deps, requestOf(tarCreate(root()), changes))
  const volume = { volume: 'vg0-srv', mountPoint: '/srv', archive }
  expect(await verifyVolume(deps, volume, 'stream')).toMatchObject({ findings: [], rawBytes: archive.rawBytes })
})

test.each(cases)('any range of the tar stream is read back: %s', async (_, changes) => {
  const deps = depsOf(archiveBucket())
  const archive = await archiveVolume(deps, requestOf(tarCreate(root()), changes))
  const { table } = await readCatalogIndex(deps, archive)
  const tar = tarOf(root())
  const boundary = archive.frameBytes
  const ranges = [
    { offset: 0, bytes: 1 },
    { offset: 512, bytes: 1024 },
    { offset: boundary - 1, bytes: 2 },
    { offset: boundary * 2, bytes: boundary },
    { offset: boundary * 3 + 7, bytes: boundary },
    { offset: archive.rawBytes - 1, bytes: 1 },
  ]
  const pieces: Buffer[] = []
  for await (const piece of readRaw(deps, archive, table, ranges)) pieces.push(Buffer.from(piece))
  const expected = ranges.map(({ offset, bytes }) => tar.subarray(offset, offset + bytes))
  expect(Buffer.concat(pieces).equals(Buffer.concat(expected))).toBe(true)
})

describe('compared with its source', () => {
  test('what tar cannot read of the source again is told of, as both sides lack it', async () => {
    const lost = 'tar: ./text: Warning: Cannot fgetxattr: Input/output error'
    const tar: Argv = ['sh', '-c', `echo "${lost}" >&2; exec "$@"`, 'tar', ...tarCreate(root())]
    const deps = depsOf(archiveBucket())
    const archive = await archiveVolume(deps, requestOf(tar))
    const said: Warnings[] = []

    const volume = { volume: 'vg0-srv', mountPoint: '/srv', archive }
    const { findings } = await verifyVolume(deps, volume, 'stream', tar, (warnings) => said.push(warnings))

    expect(findings).toEqual([])
    expect(said).toEqual([{ count: 1, lines: [lost] }])
  })

  const compared = async (change: () => void, changes: Partial<ArchiveRequest> = {}) => {
    const deps = depsOf(archiveBucket())
    const archive = await archiveVolume(deps, requestOf(tarCreate(root()), changes))
    change()
    const volume = { volume: 'vg0-srv', mountPoint: '/srv', archive }
    const { findings } = await verifyVolume(deps, volume, 'stream', tarCreate(root()))
    return findings.map(({ what }) => what)
  }

  test.each(cases)('an archive is found to be the same to the byte: %s', async (_, changes) => {
    expect(await compared(() => undefined, changes)).toEqual([])
  })

  test.each<[string, () => void, RegExp]>([
    [
      'content',
      () => replaceKeepingTime('text', 'TO BE compressed '.repeat(500_000)),
      /^'text' is not .*content or attributes/,
    ],
    [
      'a size',
      () => writeFileSync(join(root(), 'text'), 'short'),
      /^'text' is not what the snapshot has: .*size 5 is \d+ in the archive/,
    ],
    [
      'a mode',
      () => chmodSync(join(root(), 'text'), 0o600),
      /^'text' is not what the snapshot has: mode 0600 is 0644 in the archive/,
    ],
    ['an owner', () => chownSync(join(root(), 'text'), 7, 7), /^'text' is not what the snapshot has: uid 7 is 0/],
    ['a time', () => utimesSync(join(root(), 'text'), 1, 1), /^'text' is not what the snapshot has: .*mtime "1" is/],
    [
      'an attribute',
      () => execFileSync('setfattr', ['-n', 'user.new', '-v', '1', join(root(), 'text')]),
      /^'text' is not /,
    ],
    [
      'a new file',
      () => writeFileSync(join(root(), 'new'), ''),
      /where the snapshot has|not in the archive|is not what/,
    ],
  ])('a change of %s is found', async (_, change, expected) => {
    expect(await compared(change)).toContainEqual(expect.stringMatching(expected))
  })
})

/** What no comparison of times and sizes sees. */
function replaceKeepingTime(name: string, content: string): void {
  const path = join(root(), name)
  execFileSync('touch', ['--reference', path, join(scratch(), 'stamp')])
  writeFileSync(path, content)
  execFileSync('touch', ['--reference', join(scratch(), 'stamp'), path])
}

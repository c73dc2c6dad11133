/** Archives that somebody made by hand, and catalogs that agree with them: what would not be restored is not called good. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { constants, crc32, zstdCompressSync } from 'node:zlib'
import { find, restore, verify } from '../support/commands'
import type { Outcome } from '../../agent/outcome'
import { manifestKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { localHost } from '../../agent/host/run-command.io'
import { formatManifest } from '../../agent/run/manifest'
import type { FindRequest, WithHost, RestoreRequest, VerifyRequest } from '../../agent/options/commands'
import { scanTar } from '../../agent/tar/scanner'
import type { Verification } from '../../agent/verify/report'
import { formatSeekTable } from '../../agent/archive/seek-table'
import { archiveOf, place, storeWith, type ArchiveOptions } from '../support/archives'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { entry, extendedHeader, record, ROOT, tarOf, type Block } from '../support/tar-blocks'
import { formatCrc32 } from '../../agent/lib/crc32'
import type { CatalogEntry } from '../../agent/tar/entry'

let scratch: string
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'rehearsal-'))
})
afterAll(() => rmSync(scratch, { recursive: true }))

/** A run of this archive, whose catalog says what a scanner finds in it. @param behind - the frame of it is stored, and known to all */
function runOf(tar: Buffer, behind?: Buffer) {
  const entries: CatalogEntry[] = []
  const scanner = scanTar((found) => entries.push(found), { isTolerant: true })
  scanner.push(tar)
  scanner.finish()
  const { objects, archive } = withBehind(tar, { mountPoint: '/', entries }, behind)
  const manifest = manifestOf({ ...place, volumes: [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/', archive })] })
  const target = join(mkdtempSync(join(scratch, 'target-')), 'new')
  const deps = {
    ...{ host: localHost, log: silentLog, now: () => new Date(), signal: new AbortController().signal },
    store: storeWith(new Map([...objects, [manifestKey(place), Buffer.from(formatManifest(manifest))]])),
  }
  const request = {
    ...{ bucket: 'backups', ...place, volume: [], path: [], target, days: 7, inPlace: false, stdout: false },
    ...{ onConflict: 'fail', resume: false, bestEffort: false, wait: false, dryRun: false, depth: 'stream' },
  }
  return {
    target,
    verified: async () => (await verify(deps, request as unknown as WithHost<VerifyRequest>)).json as Verification,
    found: (pattern: string) =>
      find(deps, { ...request, pattern, limit: 10, run: place.run } as unknown as WithHost<FindRequest>),
    restored: () => restore(deps, request as unknown as WithHost<RestoreRequest>),
  }
}

/** An archive; where something is to be behind it, of one frame. */
function withBehind(tar: Buffer, options: ArchiveOptions, behind?: Buffer) {
  const plain = archiveOf(tar, options)
  if (!behind) return plain
  const [frameBytes = 0] = plain.frameSizes
  const storedBytes = frameBytes + behind.length
  const editCatalog = (text: string) => text.replace(/"storedBytes":\[\d+\]/, `"storedBytes":[${storedBytes}]`)
  const { objects, archive } = archiveOf(tar, { ...options, editCatalog })
  const [segment] = archive.segments
  const seekTable = formatSeekTable([storedBytes], tar.length, archive.frameBytes)
  const body = Buffer.concat([objects.get(segment!.key)!.subarray(0, frameBytes), behind, seekTable])
  const segments = [{ ...segment!, sizeBytes: body.length, crc32: formatCrc32(crc32(body)) }]
  return {
    objects: new Map(objects).set(segment!.key, body),
    archive: { ...archive, segments, storedBytes: body.length },
  }
}

async function statusOf(outcome: Promise<Outcome>): Promise<number> {
  try {
    return (await outcome).status
  } catch (error) {
    expect(error).toBeInstanceOf(AgentError)
    return 1
  }
}

const file = (changes: Block = {}): Block => ({ name: './file', data: 'hello', ...changes })

test('what tar writes is called good, and comes back', async () => {
  const { verified, restored, target } = runOf(tarOf(ROOT, file(), { name: './link', type: '1', link: './file' }))
  expect(await verified()).toMatchObject({ ok: true })
  expect(await statusOf(restored())).toBe(0)
  expect(readFileSync(join(target, 'link'), 'utf8')).toBe('hello')
})

const sparse = (realsize: string, map: string): Block =>
  file({
    pax: [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', './file'],
      ['GNU.sparse.realsize', realsize],
    ],
    data: `${map.padEnd(512, '\0')}hello`,
  })

test.each<[string, Buffer]>([
  ['two extended headers', tarOf(ROOT, extendedHeader(record('path', './a')), file({ pax: [['path', './b']] }))],
  ['an extended header for all that follows', tarOf(ROOT, extendedHeader(record('comment', 'x'), 'g'), file())],
  ['a path that is there twice', tarOf(ROOT, file({ pax: [['path', './a'], ['path', './b']] }))], // prettier-ignore
  ['a size that is there twice', tarOf(ROOT, file({ pax: [['size', '5'], ['size', '5']] }))], // prettier-ignore
  ['a name as GNU tar wrote it once', tarOf(ROOT, { name: '././@LongLink', type: 'L', data: './long\0' }, file())],
  ["GNU tar's own format", tarOf(ROOT, file({ magic: 'ustar  \0' }))],
  ['the format of version 7', tarOf(ROOT, file({ magic: '\0'.repeat(8) }))],
  ['a size in base 256', tarOf(ROOT, file({ edit: (header) => header.fill('\x80\0\0\0\0\0\0\0\0\0\0\x05', 124, 136, 'latin1') }))], // prettier-ignore
  ['a size with spaces', tarOf(ROOT, file({ edit: (header) => header.write('         5 \0', 124) }))],
  ['a contiguous file', tarOf(ROOT, file({ type: '7' }))],
  ['a type of old', tarOf(ROOT, file({ type: '\0' }))],
  ['a name that is not below the root', tarOf(ROOT, file({ name: 'file' }))],
  ['a mode of more than permissions', tarOf(ROOT, file({ mode: 0o100644 }))],
  ['a record that tar does not write', tarOf(ROOT, file({ pax: [['comment', 'x']] }))],
  ['a file whose directory is missing', tarOf(ROOT, file({ name: './a/file' }))],
  ['no root', tarOf(file())],
  ['its root at the end', tarOf(file(), ROOT)],
  ['its root twice', tarOf(ROOT, file(), ROOT)],
  ['a hard link to nothing', tarOf(ROOT, { name: './link', type: '1', link: './file' })],
  ['a hard link to itself', tarOf(ROOT, { name: './link', type: '1', link: './link' })],
  ['a hard link to what comes later', tarOf(ROOT, { name: './link', type: '1', link: './file' }, file())],
  ['a hard link to a directory', tarOf(ROOT, { name: './d/', type: '5' }, { name: './link', type: '1', link: './d' })],
  ['a hard link through a link', tarOf(ROOT, { name: './s', type: '2', link: '/etc' }, { name: './link', type: '1', link: './s/passwd' })], // prettier-ignore
  ['a hard link that has data', tarOf(ROOT, file(), { name: './link', type: '1', link: './file', data: 'x' })],
  [
    'a link in the place of a directory',
    tarOf(ROOT, { name: './s', type: '2', link: '/etc' }, { name: './s/', type: '5' }),
  ],
  ['a type that nobody knows', tarOf(ROOT, file({ type: 'Z' }))],
  ['a list of what to remove', tarOf(ROOT, { name: './d/', type: 'D', data: 'Yfile\0\0' })],
  ['an owner that chown leaves as it is', tarOf(ROOT, file({ pax: [['uid', '4294967295']] }))],
  ['an owner that no number of Linux holds', tarOf(ROOT, file({ pax: [['gid', '4294967296']] }))],
  ['a time that no clock shows', tarOf(ROOT, file({ pax: [['mtime', '9999999999999999999']] }))],
  ['a name longer than any', tarOf(ROOT, file({ pax: [['path', `./${'a'.repeat(300)}`]] }))],
  ['a device that no kernel has', tarOf(ROOT, file({ type: '3', data: '', edit: (header) => header.write('7777777', 337) }))], // prettier-ignore
  ['a map that does not fit', tarOf(ROOT, sparse('3', '1\n0\n5\n'))],
  ['a map without end', tarOf(ROOT, sparse('9', '99999999999\n2\n5\n'))],
  ['a map of an older kind', tarOf(ROOT, file({ pax: [['GNU.sparse.map', '0,5'], ['GNU.sparse.size', '5']] }))], // prettier-ignore
  ['a name that is taken for a compressed archive', tarOf(file({ name: Buffer.from([0x1f, 0x8b, 8, 0x41]) }), ROOT)],
])('an archive with %s is not called good where a restore does not bring it back', async (_, tar) => {
  const { verified, restored } = runOf(tar)
  const { ok, volumes } = await verified()
  expect(ok).toBe(false)
  for (const { what, hint } of volumes[0]!.findings) expect([what, hint]).not.toContain('')
  expect(await statusOf(restored())).not.toBe(0)
})

test('a time beyond all dates does not keep find from the volume', async () => {
  const { found } = runOf(tarOf(ROOT, file({ pax: [['mtime', '9999999999999999999']] })))
  expect(await found('file')).toMatchObject({ status: 0, json: { found: [{ path: '/file' }] } })
})

const compressed = (text: string) => zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
test.each<[string, Buffer]>([
  ['another frame', compressed('what zstd -d | tar x would extract instead'.padEnd(512))],
  ['a frame to skip', Buffer.from('502a4d180400000061626364', 'hex')],
  ['bytes', Buffer.from('bytes')],
])('%s behind a frame, which zstd reads and we would not, makes it a damaged one', async (_, behind) => {
  const { verified, restored } = runOf(tarOf(ROOT, file()), behind)
  expect(await verified()).toMatchObject({ ok: false })
  expect(await statusOf(restored())).toBe(1)
})

test('what is below 64 KiB of directories costs itself alone, and not the volume that it is on', async () => {
  const names = Array.from({ length: 330 }, (_, level) => ['.', ...Array<string>(level + 1).fill('d'.repeat(200))])
  const directories = names.map((path) => entry({ type: '5', pax: [['path', `${path.join('/')}/`]] }))
  const deep = entry({ data: 'x', pax: [['path', `${names[300]!.join('/')}/file`]] })
  const { verified, restored, target } = runOf(tarOf(ROOT, ...directories, deep, file({ name: './beside' })))
  expect(await verified()).toMatchObject({
    ok: false,
    volumes: [{ findings: [{ what: '4 entries can only be restored by tar, and the manifest does not say so' }] }],
  })
  expect(await statusOf(restored())).toBe(3)
  expect(readFileSync(join(target, 'beside'), 'utf8')).toBe('hello')
})

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Compression } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { limitBandwidth } from '../../agent/bucket/bandwidth.io'
import { archiveVolume, type ArchiveRequest } from '../../agent/archive/write.io'
import { FRAME_BYTES, type Archive } from '../../agent/archive/archive'
import type { CatalogEnd, CatalogFrames } from '../../agent/archive/catalog'
import { tarCreate, tarCreateListed } from '../../agent/tar/commands'
import { NO_WARNINGS } from '../../agent/tar/messages'
import { fakeClock } from '../support/fake-clock'
import { archiveBucket, type ArchiveBucket } from './archive-bucket'
import { CATALOG_KEY, catalogOf, depsOf, KEY, requestOf, tarOf, unpack, writeFileFor } from './write-fixture'
import { storedAs } from '../support/archives'
import type { Argv } from '../../agent/context'
import type { CatalogEntry } from '../../agent/tar/entry'

const MIB = 1024 ** 2
const COMPRESSIONS: readonly Compression[] = ['none', 'zstd']

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const run = (bucket: ArchiveBucket, changes: Partial<ArchiveRequest> = {}, tar = tarCreate(directory)) =>
  archiveVolume(depsOf(bucket), requestOf(tar, changes))

describe.each(COMPRESSIONS)('an archive with compression %s', (compression) => {
  test.each([
    ['an empty filesystem', 0],
    ['less than a frame', 1],
    ['exactly one frame', 2],
    ['a frame and a half', 3],
    ['exactly one part', 8],
    ['a bit more than a part', 9],
    ['several parts', 21],
    ['a multiple of the part', 24],
  ])('of %s is what tar wrote', async (_, mebibytes) => {
    if (mebibytes > 0) writeFileFor(directory, mebibytes * MIB)
    const tar = tarOf(directory)
    const bucket = archiveBucket()

    const archive = await run(bucket, { compression })

    expect(tar.length).toBe(Math.max(1, mebibytes) * MIB)
    expect(unpack(bucket, archive).equals(tar)).toBe(true)
    expect(archive).toMatchObject({
      rawBytes: tar.length,
      frames: Math.ceil(tar.length / FRAME_BYTES),
    })
    expectObjectsAsRecorded(bucket, archive)
    expect(bucket.pending()).toEqual([])
  })

  test('of many volumes is cut into segments between frames, each usable alone', async () => {
    writeFileFor(directory, 21 * MIB)
    const tar = tarOf(directory)
    const bucket = archiveBucket()

    const archive = await run(bucket, { compression, segmentBytes: 8 * MIB, storageClass: 'GLACIER_IR' })

    expect(archive.segments.length).toBeGreaterThan(2)
    for (const segment of archive.segments) {
      expect(segment.sizeBytes).toBeLessThanOrEqual(8 * MIB)
      const raw = unpack(bucket, { ...archive, segments: [segment] })
      expect(raw.equals(tar.subarray(segment.rawOffset, segment.rawOffset + segment.rawBytes))).toBe(true)
    }
    expect(unpack(bucket, archive).equals(tar)).toBe(true)
    expectObjectsAsRecorded(bucket, archive)
    expect(bucket.events).toContain(`create ${KEY}.1 GLACIER_IR`)
    expect(bucket.events).toContain(`create ${CATALOG_KEY}`)
  })

  test('has a catalog that leads to every file and every frame', async () => {
    mkdirSync(join(directory, 'etc'))
    writeFileSync(join(directory, 'etc/hosts'), '127.0.0.1 localhost\n')
    writeFileSync(join(directory, 'empty'), '')
    writeFileFor(directory, 9 * MIB)
    const tar = tarOf(directory)
    const bucket = archiveBucket()

    const archive = await run(bucket, { compression, segmentBytes: 4 * MIB })
    const lines = catalogOf(bucket, archive)

    expect(lines[0]).toMatchObject({ catalog: 2, volume: 'vg0-srv' })
    const entries = lines.filter((line) => 'path' in line)
    expect(entries.map(({ path }) => path).sort()).toEqual(['.', 'empty', 'etc', 'etc/hosts', 'file'])
    expect(archive.entries).toBe(5)
    expect(
      extract(
        tar,
        entries.find(({ path }) => path === 'etc/hosts')!,
      ),
    ).toBe('127.0.0.1 localhost\n')
    expectFramesToLeadThere(
      bucket,
      archive,
      lines.filter((line) => 'storedBytes' in line),
      tar,
    )
    expect(lines.at(-1)).toEqual<CatalogEnd>({
      end: true,
      entries: 5,
      frames: archive.frames,
      rawBytes: tar.length,
    })
  })

  test('is completed only after everything was sent and the snapshot was found valid, its catalog last', async () => {
    writeFileFor(directory, 9 * MIB)
    const bucket = archiveBucket()
    const { events } = bucket

    await run(bucket, {
      compression,
      segmentBytes: 4 * MIB,
      onUpload: async ({ key }) => void events.push(`recorded ${key}`),
      beforeComplete: async () => void events.push('valid'),
    })

    const valid = events.indexOf('valid')
    expect(events.findLastIndex((event) => event.startsWith('part'))).toBeLessThan(valid)
    expect(events.slice(valid + 1)).toEqual([
      `complete ${KEY}`,
      ...events.filter((event) => event.startsWith(`complete ${KEY}.`)),
      `complete ${CATALOG_KEY}`,
    ])
    for (const key of [KEY, `${KEY}.1`, CATALOG_KEY]) {
      expect(events.indexOf(`recorded ${key}`)).toBeGreaterThan(events.indexOf(`create ${key}`))
      expect(events.indexOf(`recorded ${key}`)).toBeLessThan(events.indexOf(`part ${key} 1`))
    }
  })

  test.each<[string, Argv]>([
    ['exits with 1, because a file changed', ['sh', '-c', 'tar -cf - -C / etc/hostname; exit 1']],
    ['is killed in the middle', ['sh', '-c', 'head -c 5000000 /dev/zero; kill -9 $$']],
    ['cannot be found', ['snapstream-no-such-tar']],
    ['succeeds, but the archive has no end', ['sh', '-c', 'tar -cf - -C / etc/hostname | head -c 1024']],
    ['succeeds, but wrote nothing', ['true']],
    ['writes something after the end', ['sh', '-c', 'tar -cf - -C / etc/hostname; echo more']],
    ['writes what is no archive', ['sh', '-c', 'head -c 20000000 /dev/zero | tr "\\0" x']],
  ])('is no archive where tar %s', async (_, tar) => {
    const bucket = archiveBucket()

    await expect(run(bucket, { compression }, tar)).rejects.toThrow(AgentError)

    expect(bucket.keys()).toEqual([])
    expect(bucket.pending()).toEqual([])
  })

  test('is no archive where a part cannot be stored: that is the error, and tar is gone', async () => {
    writeFileFor(directory, 40 * MIB)
    const refusal = new AgentError('ACCESS_DENIED', 'the bucket refuses part 3', { hint: 'Allow it.' })
    const bucket = archiveBucket({
      onPart: async (key, part) => {
        if (key === KEY && part === 2) throw refusal
      },
    })

    await expect(run(bucket, { compression })).rejects.toBe(refusal)

    expect(bucket.keys()).toEqual([])
    expect(bucket.pending()).toEqual([])
    expectNoProcess(directory)
  })

  test('is no archive where the snapshot became invalid', async () => {
    const invalid = new AgentError('SNAPSHOT_INVALID', 'the snapshot overflowed', { hint: 'Make it larger.' })
    const bucket = archiveBucket()

    await expect(run(bucket, { compression, beforeComplete: () => Promise.reject(invalid) })).rejects.toBe(invalid)

    expect(bucket.keys()).toEqual([])
    expect(bucket.pending()).toEqual([])
  })

  test('is no archive where its upload could not be recorded', async () => {
    const failure = new AgentError('COMMAND_FAILED', 'lvchange failed', { hint: 'See why.' })
    const bucket = archiveBucket()

    await expect(run(bucket, { compression, onUpload: () => Promise.reject(failure) })).rejects.toBe(failure)

    expect(bucket.events.filter((event) => event.startsWith('part'))).toEqual([])
    expect(bucket.pending()).toEqual([])
  })

  test('leaves only an orphan where completing its second segment fails', async () => {
    writeFileFor(directory, 9 * MIB)
    const taken = new AgentError('OBJECT_EXISTS', 'the key is taken', { hint: 'Run again.' })
    const bucket = archiveBucket({ onComplete: async (key) => { if (key === `${KEY}.1`) throw taken } }) // prettier-ignore

    await expect(run(bucket, { compression, segmentBytes: 4 * MIB })).rejects.toBe(taken)

    expect(bucket.keys()).toEqual([KEY])
    expect(bucket.pending()).toEqual([])
  })

  test('stops at once when the run is interrupted', async () => {
    writeFileFor(directory, 40 * MIB)
    const interruption = new AbortController()
    const bucket = archiveBucket({
      onPart: async (_key, part, signal) => {
        if (part === 2)
          interruption.abort(new AgentError('INTERRUPTED', 'stopped by SIGTERM', { hint: 'Run it again.' }))
        await sleep(60_000, undefined, { signal })
      },
    })

    const archiving = archiveVolume(
      depsOf(bucket, interruption.signal),
      requestOf(tarCreate(directory), { compression }),
    )

    await expect(archiving).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(bucket.pending()).toEqual([])
    expectNoProcess(directory)
  })
})

test('what tar leaves out is said', async () => {
  const deps = depsOf(archiveBucket())
  execFileSync('python3', ['-c', `import socket; socket.socket(socket.AF_UNIX).bind('${directory}/daemon')`])

  await archiveVolume(deps, requestOf(tarCreate(directory)))

  expect(deps.warnings).toEqual([expect.stringContaining('daemon: socket ignored')])
})

test('what tar could not read is told of in full, though it ended well, and the archive is kept', async () => {
  const lost = 'tar: ./a: Warning: Cannot fgetxattr: Input/output error'
  const complain = `i=0; while [ $i -lt 500 ]; do echo "${lost}" >&2; i=$((i+1)); done; echo "tar: ./s: socket ignored" >&2`
  const deps = depsOf(archiveBucket())

  const { notes, entries } = await archiveVolume(
    deps,
    requestOf(['sh', '-c', `${complain}; exec "$@"`, 'tar', ...tarCreate(directory)]),
  )

  expect(entries).toBe(1)
  expect(notes.warnings).toEqual({ count: 500, lines: Array.from({ length: 20 }, () => lost) })
  expect(deps.warnings).toEqual(['/srv: tar left out 1 sockets: tar: ./s: socket ignored'])
})

test('what cannot be in the catalog is a warning, and not the end of the volume', async () => {
  writeFileSync(join(directory, 'good'), 'x')
  const tar = tarOf(directory)
  const sound = join(directory, '..', `${basename(directory)}.tar`)
  try {
    tar.write('V', tar.indexOf('./good') + 156)
    mendChecksum(tar, tar.indexOf('./good'))
    writeFileSync(sound, tar)
    const bucket = archiveBucket()

    const archive = await archiveVolume(depsOf(bucket), requestOf(['cat', sound]))

    expect(archive.notes.warnings).toEqual({
      count: 1,
      lines: ["'good' is not in the catalog, so only tar can restore it: an entry of unknown type 'V'"],
    })
    expect(catalogOf(bucket, archive).filter((line) => 'path' in line)).toMatchObject([
      { path: '.' },
      { path: 'good', undescribed: "an entry of unknown type 'V'" },
    ])
  } finally {
    rmSync(sound, { force: true })
  }
})

test('what is too deep for one path is archived and counted', async () => {
  const depth = 3000
  const descend = `for (let i = 0; i < ${depth}; i++) { fs.mkdirSync('d'); process.chdir('d') }`
  execFileSync(process.execPath, ['-e', `const fs = require('fs'); process.chdir('${directory}'); ${descend}`])

  const archive = await run(archiveBucket(), { compression: 'zstd' })

  execFileSync('rm', ['-rf', join(directory, 'd')])
  expect(archive.entries).toBe(depth + 1)
  expect(archive.notes).toEqual({ warnings: NO_WARNINGS, longPaths: depth - 2047, tagged: { count: 0, first: [] } })
})

test('a bandwidth limit holds for what is sent', async () => {
  writeFileFor(directory, 24 * MIB)
  const clock = fakeClock()
  const { storedBytes } = await run(archiveBucket(), { bandwidth: limitBandwidth(16 * MIB, clock) })
  // A second's worth may go at once: three parts take it and more, so the catalog has to wait for half a second.
  expect(clock.nowSeconds()).toBeCloseTo(storedBytes / (16 * MIB) - 1)
})

function expectObjectsAsRecorded(bucket: ArchiveBucket, archive: Archive): void {
  for (const object of [...archive.segments, archive.catalog]) {
    expect(object).toMatchObject(storedAs(object.key, bucket.read(object.key)))
  }
  expect(archive.storedBytes).toBe(archive.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
}

/** Reads every frame where the catalog says it is. */
function expectFramesToLeadThere(bucket: ArchiveBucket, archive: Archive, lines: CatalogFrames[], tar: Buffer): void {
  let frame = 0
  const offsets = archive.segments.map(() => 0)
  for (const line of lines) {
    expect(line.firstFrame).toBe(frame)
    for (const [index, bytes] of line.storedBytes.entries()) {
      const start = offsets[line.segment]!
      const stored = bucket.read(archive.segments[line.segment]!.key).subarray(start, start + bytes)
      const raw = archive.compression === 'zstd' ? zstdDecompressSync(stored) : stored
      expect(raw.equals(tar.subarray(frame * FRAME_BYTES, ++frame * FRAME_BYTES))).toBe(true)
      expect(line.crc32?.[index]).toBe(archive.compression === 'zstd' ? undefined : crc32(raw))
      offsets[line.segment]! += bytes
    }
  }
  expect(frame).toBe(archive.frames)
}

function extract(tar: Buffer, { offset, bytes }: CatalogEntry): string {
  const input = tar.subarray(offset, offset + bytes)
  return execFileSync('tar', ['--extract', '--to-stdout'], { input, stdio: ['pipe', 'pipe', 'ignore'] }).toString()
}

function mendChecksum(tar: Buffer, at: number): void {
  tar.fill(0x20, at + 148, at + 156)
  const sum = tar.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148)
}

function expectNoProcess(argument: string): void {
  expect(() => execFileSync('pgrep', ['--full', `tar .*${argument}`])).toThrow()
}

test('a differential archive that lacks one of the entries that changed is none', async () => {
  for (const name of ['a', 'b']) writeFileSync(join(directory, name), name)
  async function* names(): AsyncGenerator<Buffer> {
    yield Buffer.from('.\0./a\0')
  }
  async function* nothing(): AsyncGenerator<Buffer> {
    yield zstdCompressSync('')
  }
  const write = async (namesCount: number, bucket: ArchiveBucket) => {
    const counts = { namesCount, baseEntries: 0, removedCount: 0 }
    const source = { names, section: nothing, removed: nothing, ...counts }
    const header = { ...requestOf(tarCreate(directory)).header, catalog: 3, base: '20260125T020000Z-k3xw7a' } as const
    return run(bucket, { header, differential: { source, removedKey: 'removed' } }, tarCreateListed(directory))
  }
  expect(await write(2, archiveBucket())).toMatchObject({ entries: 2, removed: { key: 'removed', names: 0 } })
  const bucket = archiveBucket()
  await expect(write(3, bucket)).rejects.toMatchObject({
    code: 'ARCHIVE_FAILED',
    message: 'of 3 entries that changed, tar wrote 2',
  })
  expect([bucket.keys(), bucket.pending()]).toEqual([[], []])
})

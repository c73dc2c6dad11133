/** A checker that finds nothing is worth nothing until it is known to find everything: each test damages one thing. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkObjects, checkStream } from '../../agent/verify/objects-and-stream.io'
import { AgentError } from '../../agent/errors'
import { type Archive } from '../../agent/archive/archive'
import { tarCreate } from '../../agent/tar/commands'
import { archiveInSmallFrames, storedAs, storeWith, type ArchiveOptions, type StoredArchive } from '../support/archives'
import { buildTree } from '../support/tree/build'
import { hostileTree } from '../support/tree/hostile'

// Many small frames: seconds on a busy machine.
jest.setTimeout(60_000)

let tar: Buffer
beforeAll(async () => {
  const root = mkdtempSync(join(tmpdir(), 'verifier-'))
  await buildTree(root, hostileTree())
  const [program, ...args] = tarCreate(root)
  tar = execFileSync(program, args, { maxBuffer: 64 << 20 })
  rmSync(root, { recursive: true })
})

const signal = new AbortController().signal

async function check(archive: Archive, objects: ReadonlyMap<string, Buffer>): Promise<string[]> {
  const found: string[] = []
  const store = storeWith(objects)
  const report = (what: string) => void found.push(what)
  await checkObjects({ store, signal }, { archive }, report)
  await checkStream({ store, signal }, archive, report)
  return found
}

/** The archive with one object replaced. With `hidden`, the manifest was written after the damage. */
async function checkDamaged(
  stored: StoredArchive,
  key: string,
  change: (object: Buffer) => Buffer,
  hidden = false,
): Promise<string[]> {
  const object = change(Buffer.from(stored.objects.get(key)!))
  const objects = new Map(stored.objects).set(key, object)
  if (!hidden) return check(stored.archive, objects)
  const known = storedAs(key, object)
  return check(
    {
      ...stored.archive,
      segments: stored.archive.segments.map((segment) => (segment.key === key ? { ...segment, ...known } : segment)),
      catalog: stored.archive.catalog.key === key ? known : stored.archive.catalog,
    },
    objects,
  )
}

describe.each<ArchiveOptions>([
  { compression: 'zstd' },
  { compression: 'none' },
  { compression: 'zstd', framesPerSegment: 5 },
  { compression: 'zstd', frameBytes: 3584 },
  { compression: 'none', frameBytes: 1 << 20 },
])('an archive of a hostile tree, %j', (options) => {
  test('is found to be good, every entry of it', async () => {
    const { archive, objects, entries } = archiveInSmallFrames(tar, options)
    expect(await check(archive, objects)).toEqual([])
    const store = storeWith(objects)
    const read = await checkStream({ store, signal }, archive, () => undefined)
    expect(read).toEqual({ frames: archive.frames, rawBytes: tar.length, entries: entries.length, undescribed: 0 })
    expect(entries.length).toBeGreaterThan(30)
  })

  test('is read once where it is good', async () => {
    const { archive, objects } = archiveInSmallFrames(tar, options)
    const store = storeWith(objects)
    let bytesRead = 0
    const getRange: typeof store.getRange = (key, offset, bytes, ...rest) => {
      if (key !== archive.catalog.key) bytesRead += bytes
      return store.getRange(key, offset, bytes, ...rest)
    }
    await checkStream({ store: { ...store, getRange }, signal }, archive, () => undefined)
    expect(bytesRead).toBe(archive.storedBytes)
  })
})

describe.each<ArchiveOptions>([{ compression: 'zstd' }, { compression: 'none' }])(
  'damage to a segment, %j',
  (options) => {
    const at = (stored: StoredArchive, frame: number) => {
      const start = stored.frameSizes.slice(0, frame).reduce((sum, size) => sum + size, 0)
      return { start, end: start + stored.frameSizes[frame]! }
    }
    const archived = () => {
      const stored = archiveInSmallFrames(tar, options)
      return { stored, key: stored.archive.segments[0]!.key }
    }

    test('a flipped bit is found, with the frame, its place in the object and in the tar stream', async () => {
      const { stored, key } = archived()
      const { start, end } = at(stored, 7)
      const found = await checkDamaged(stored, key, (object) => {
        object[Math.floor((start + end) / 2)]! ^= 1
        return object
      })
      expect(found).toContainEqual(
        expect.stringMatching(
          new RegExp(
            `^frame 7 in ${key} at ${start}, bytes ${7 * 65536} to ${8 * 65536 - 1} of the tar stream, is damaged: `,
          ),
        ),
      )
      expect(found).toContainEqual(expect.stringMatching(/^'.*' cannot be read back$/))
    })

    test('any flipped bit is found', async () => {
      const { stored, key } = archived()
      const bytes = stored.objects.get(key)!.length
      for (let position = 0; position < bytes; position += Math.ceil(bytes / 12)) {
        const found = await checkDamaged(stored, key, (object) => {
          object[position]! ^= 0x10
          return object
        })
        expect([position, found.length]).not.toEqual([position, 0])
      }
    })

    test.each([
      ['dropped', (a: Buffer) => [a]],
      ['repeated', (a: Buffer, b: Buffer) => [a, b, b]],
      ['swapped with the next', (a: Buffer, b: Buffer) => [b, a]],
    ])('a frame that was %s is found, although the manifest was written from the result', async (_, rearrange) => {
      const { stored, key } = archived()
      const { start, end: middle } = at(stored, 5)
      const { end } = at(stored, 6)
      const rearranged = (object: Buffer) =>
        Buffer.concat([
          object.subarray(0, start),
          ...rearrange(object.subarray(start, middle), object.subarray(middle, end)),
          object.subarray(end),
        ])
      const found = await checkDamaged(stored, key, rearranged, true)
      expect(found).toContainEqual(
        expect.stringMatching(/^frame \d+ in .* is damaged|^the frame table in|^the tar stream has SHA-256/),
      )
    })

    test('a segment that is cut short is found', async () => {
      const { stored, key } = archived()
      const found = await checkDamaged(stored, key, (object) => object.subarray(0, -1))
      expect(found[0]).toMatch(/ has \d+ bytes, the manifest says \d+$/)
    })

    test('a missing segment is one finding when its object is asked for, and one when it is read', async () => {
      const stored = archiveInSmallFrames(tar, { ...options, framesPerSegment: 5 })
      const key = stored.archive.segments[1]!.key
      const objects = new Map(stored.objects)
      objects.delete(key)
      const found = await check(stored.archive, objects)
      expect(found[0]).toBe(`${key} is missing`)
      expect(found.filter((what) => what.includes(key))).toHaveLength(2)
      expect(found).toContainEqual(expect.stringMatching(/cannot be read back$/))
    })
  },
)

describe('damage to the catalog', () => {
  const edited = (editCatalog: (text: string) => string) => {
    const { archive, objects } = archiveInSmallFrames(tar, { editCatalog })
    return check(archive, objects)
  }

  test.each([
    [
      'mode',
      /"path":"metadata\/acl",(.*)"mode":416/,
      '"path":"metadata/acl",$1"mode":420',
      /^'metadata\/acl': mode 0644 is 0640/,
    ],
    ['owner', /"uid":0,"gid":0/, '"uid":1,"gid":0', /: uid 1 is 0 in the archive/],
    ['group', /"uid":0,"gid":0/, '"uid":0,"gid":7', /: gid 7 is 0 in the archive/],
    ['size', /"type":"file","size":/, '"type":"file","size":1', /: size 1\d+ is \d+ in the archive/],
    ['time', /"mtime":"1700000000.123456789"/, '"mtime":"1700000000.123456788"', /mtime "1700000000.123456788" is/],
    ['type', /"type":"fifo"/, '"type":"directory"', /: type "directory" is "fifo" in the archive/],
    ['target', /("type":"symlink".*)"link":"/, '$1"link":"x', /: link "x.*" is ".*" in the archive/],
    ['link', /("type":"hardlink".*)"link":"/, '$1"link":"x', /: link "x.*" is ".*" in the archive/],
    ['name', /"path":"links"/, '"path":"lynks"', /^'lynks': path "lynks" is "links" in the archive/],
    ['bytes of a name', /"path64":"./, '"path64":"0', /a line of the catalog is unreadable, its 'path64' is wrong/],
    ['mark of attributes', /,"xattrs":true/, '', /: xattrs not set is true in the archive/],
    ['device', /"device":\[\d+/, '"device":[99', /: device \[99,\d+\] is \[\d+,\d+\] in the archive/],
  ])('a wrong %s is found, and only that', async (_, pattern, replacement, expected) => {
    const found = await edited((text) => {
      const changed = text.replace(pattern, replacement)
      expect(changed).not.toBe(text)
      return changed
    })
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(expected)
  })

  test('another size of frames than the archive has is found', async () => {
    const found = await edited((text) => text.replace(/"frameBytes":\d+/, '"frameBytes":4294967296'))
    expect(found).toEqual([expect.stringMatching(/says frames of 4294967296 bytes$/)])
  })

  test('a catalog that was cut short is found', async () => {
    const found = await edited((text) => text.split('\n').slice(0, -2).join('\n'))
    expect(found).toEqual([expect.stringMatching(/the catalog was cut short$/)])
  })

  test('an entry that is not in the archive is found', async () => {
    const found = await edited((text) =>
      text.replace(
        /(\{"path":"links",.*\n)/,
        (line) => `${line.replace('links', 'ghost').replace(/"bytes":\d+/, '"bytes":0')}${line}`,
      ),
    )
    expect(found).toEqual([expect.stringMatching(/a line of the catalog is unreadable, its 'bytes' is wrong/)])
  })

  test('another catalog of the same CRC32 is found', async () => {
    const { archive, objects } = archiveInSmallFrames(tar)
    const forged = { ...archive, catalog: { ...archive.catalog, sha256: '0'.repeat(64) } }
    expect(await check(forged, objects)).toEqual([
      expect.stringMatching(/^catalogs\/\S+ has SHA-256 [0-9a-f]{64}, the manifest says 0{64}$/),
    ])
  })

  test('a flipped bit is found', async () => {
    const stored = archiveInSmallFrames(tar)
    const found = await checkDamaged(stored, stored.archive.catalog.key, (object) => {
      object[100]! ^= 1
      return object
    })
    expect(found).toHaveLength(2) // by its CRC32 without reading it, and again when it is read
  })
})

test('another segment of the same CRC32, all of whose frames are good, is found', async () => {
  const { archive, objects } = archiveInSmallFrames(tar, { framesPerSegment: 5 })
  const segments = archive.segments.map((segment, index) =>
    index === 1 ? { ...segment, sha256: '0'.repeat(64) } : segment,
  )
  expect(await check({ ...archive, segments }, objects)).toEqual([
    expect.stringMatching(/^data\/\S+\.001 was read with SHA-256 [0-9a-f]{64}, the manifest says 0{64}$/),
  ])
})

test('a seek table that does not match its frames is found, although nobody else reads it', async () => {
  const stored = archiveInSmallFrames(tar)
  const found = await checkDamaged(
    stored,
    stored.archive.segments[0]!.key,
    (object) => {
      object[object.length - 20]! ^= 1
      return object
    },
    true,
  )
  expect(found).toEqual([expect.stringMatching(/^the seek table at the end of .* does not match its frames$/)])
})

test('a seek table that is cut off after its object was asked for is found, although no frame is lost with it', async () => {
  const { archive, objects } = archiveInSmallFrames(tar)
  const [segment] = archive.segments
  const whole = storeWith(objects)
  const store: typeof whole = {
    ...whole,
    async getRange(key, offset, bytes, ...rest) {
      if (key !== segment!.key || offset + bytes < segment!.sizeBytes)
        return whole.getRange(key, offset, bytes, ...rest)
      throw new AgentError('ARCHIVE_DAMAGED', `${key} ends before the range that should be in it`, { hint: 'A test.' })
    },
  }
  const found: string[] = []
  await checkStream({ store, signal }, archive, (what) => void found.push(what))
  expect(found).toEqual([`${segment!.key} ends before the range that should be in it`])
})

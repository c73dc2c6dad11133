/** A catalog of many parts, while the archive is quick and the catalog's own parts are slow. */
import { randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Compression } from '../../agent/contract'
import { PART_BYTES } from '../../agent/bucket/upload.io'
import { archiveVolume } from '../../agent/archive/write.io'
import { archiveBucket, type Misbehaviour } from './archive-bucket'
import { CATALOG_KEY, catalogText, depsOf, requestOf } from './write-fixture'

const COMPRESSIONS: readonly Compression[] = ['none', 'zstd']
const NAMES = 600_000
const BLOCK_BYTES = 512

/** A real size: seconds, not milliseconds. */
const TIMEOUT_MS = 120_000

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
  writeArchiveOf(NAMES, path())
}, TIMEOUT_MS)
afterAll(() => rmSync(directory, { recursive: true }))

const path = () => join(directory, 'archive.tar')

/** The archive that tar would make of so many empty files, without making the files. */
function writeArchiveOf(count: number, path: string): void {
  const batch = Buffer.alloc(BLOCK_BYTES * 4096)
  const file = openSync(path, 'w')
  for (let left = count; left > 0; left -= 4096) {
    const headers = Math.min(left, 4096)
    for (let index = 0; index < headers; index++)
      writeHeader(batch, index * BLOCK_BYTES, `${randomBytes(24).toString('base64url')}-${left}-${index}`)
    writeSync(file, batch, 0, headers * BLOCK_BYTES)
  }
  writeSync(file, Buffer.alloc(2 * BLOCK_BYTES))
  closeSync(file)
}

const CHECKSUM_AT = 148
const TEMPLATE = Buffer.alloc(BLOCK_BYTES)
TEMPLATE.write('0000644\x000000000\x000000000\x0000000000000\x0014712345670\x00        0', 100, 'latin1')
TEMPLATE.write('ustar\x0000', 257, 'latin1')
const TEMPLATE_SUM = TEMPLATE.reduce((sum, byte) => sum + byte, 0)

/** @param name - up to 99 characters */
function writeHeader(target: Buffer, at: number, name: string): void {
  TEMPLATE.copy(target, at)
  target.write(name, at, 'latin1')
  let sum = TEMPLATE_SUM
  for (let index = 0; index < name.length; index++) sum += name.charCodeAt(index)
  target.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + CHECKSUM_AT, 'latin1')
}

/** Each part of the catalog waits until the next one fills, and then some: as where the bandwidth is limited. */
function slowCatalog(): Misbehaviour {
  const second = Promise.withResolvers<undefined>()
  return {
    async onPart(key, part, signal) {
      if (key !== CATALOG_KEY) return
      if (part === 2) second.resolve(undefined)
      if (part <= 2) await second.promise
      await sleep(500, undefined, { signal })
    },
  }
}

describe.each(COMPRESSIONS)('with compression %s', (compression) => {
  test(
    '600,000 names arrive, each once and in order, where the parts of the catalog go up slowly',
    async () => {
      const bucket = archiveBucket(slowCatalog())

      const archive = await archiveVolume(depsOf(bucket), requestOf(['cat', path()], { compression }))

      expect(archive.catalog.sizeBytes).toBeGreaterThan(2 * PART_BYTES)
      const [header, ...lines] = catalogText(bucket, archive).split('\n')
      expect(header).toContain('"catalog":2')
      expect(lines.findIndex((line, index) => !line.includes(`"offset":${index * BLOCK_BYTES},`))).toBe(NAMES)
      expect(lines.at(-2)).toContain(`"entries":${NAMES},`)
    },
    TIMEOUT_MS,
  )
})

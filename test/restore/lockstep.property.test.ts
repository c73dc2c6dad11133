/** Whatever becomes of an archive's headers: tar is given exactly what was planned, or the archive is refused. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { inLockstep } from '../../agent/restore/lockstep'
import { plannedEntries } from '../../agent/restore/planned-entries.io'
import { tarCreate } from '../../agent/tar/commands'
import { scanTar } from '../../agent/tar/scanner'
import type { CatalogEntry } from '../../agent/tar/entry'

jest.setTimeout(120_000)

let tar: Buffer
let entries: CatalogEntry[]
/** Where headers are, extended ones and maps of sparse files included: what decides how data is read. */
let headerBytes: number[]
beforeAll(() => {
  const root = mkdtempSync(join(tmpdir(), 'property-'))
  const at = (name: string) => join(root, name)
  mkdirSync(at('directory'))
  writeFileSync(at('directory/data'), 'x'.repeat(600))
  linkSync(at('directory/data'), at('hard'))
  symlinkSync('directory/data', at('soft'))
  writeFileSync(at('sparse'), 'start')
  truncateSync(at('sparse'), 1 << 20)
  writeFileSync(at('long'.repeat(40)), '')
  execFileSync('setfattr', ['--name=user.a', '--value=b', at('directory')])
  const [program, ...args] = tarCreate(root)
  const whole = execFileSync(program, [...args.slice(0, -2), '--sort=name', '--', '.'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  rmSync(root, { recursive: true })
  entries = scan(whole)
  const last = entries.at(-1)!
  tar = whole.subarray(0, last.offset + last.bytes)
  headerBytes = entries.flatMap(({ offset, bytes, size, sparseBytes }) => {
    const dataBytes = Math.ceil((sparseBytes ?? size) / 512) * 512
    return Array.from({ length: bytes - dataBytes }, (_, index) => offset + index)
  })
})

function scan(archive: Buffer): CatalogEntry[] {
  const found: CatalogEntry[] = []
  scanTar((entry) => found.push(entry)).push(archive)
  return found
}

type Mutation = readonly [place: number, value: number, run: number]

/** What somebody may do to headers and still leave tar something that it reads: their checksums are put right again. */
function mutated(mutations: readonly Mutation[], mendsChecksums: boolean): Buffer {
  const changed = Buffer.from(tar)
  for (const [place, value, run] of mutations) {
    const at = headerBytes[place % headerBytes.length]!
    changed.fill(value, at, Math.min(at + run, changed.length))
  }
  if (mendsChecksums) {
    for (const { offset } of entries) mendChecksums(changed, offset)
  }
  return changed
}

function mendChecksums(archive: Buffer, offset: number): void {
  for (let at = offset; at < offset + 4096 && at + 512 <= archive.length; at += 512) {
    if (archive.toString('latin1', at + 257, at + 262) !== 'ustar') continue
    archive.fill(' ', at + 148, at + 156)
    const sum = archive.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
  }
}

async function passedOn(archive: Buffer, chunkBytes: number): Promise<Buffer | Error> {
  const planned = plannedEntries()
  for (const entry of entries) planned.add(entry)
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < archive.length; at += chunkBytes) yield archive.subarray(at, at + chunkBytes)
  }
  const out: Buffer[] = []
  const findPlanned = (offset: number) => Promise.resolve(entries.findLast((entry) => entry.offset <= offset))
  try {
    for await (const chunk of inLockstep([{ offset: 0, bytes: tar.length }], chunks(), planned, findPlanned)) {
      out.push(Buffer.from(chunk))
    }
  } catch (error) {
    return error as Error
  }
  return Buffer.concat(out)
}

const mutation = fc.tuple(
  fc.nat(),
  fc.oneof(fc.nat(255), fc.constantFrom(0, 0x20, 0x2e, 0x2f, 0x30, 0x31, 0x37, 0x3d, 0x80, 0xff)),
  fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 700 })),
)

test('tar is given exactly the planned entries, or the archive is refused', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.integer({ min: 100, max: 20_000 }),
      async (mutations, mendsChecksums, chunkBytes) => {
        const archive = mutated(mutations, mendsChecksums)
        const result = await passedOn(archive, chunkBytes)
        if (result instanceof Error) expect(result).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
        else {
          expect(result.equals(archive)).toBe(true)
          expect(scan(result)).toEqual(entries)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

/** The thread itself, as the backup runs it. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CatalogHeader } from '../../agent/archive/catalog'
import { startCatalogWorker } from '../../agent/archive/catalog-worker.io'
import { runCatalogWorkerIfAsked } from '../../agent/archive/catalog-worker-thread.io'
import { sharedBuffer } from '../../agent/lib/pool'
import { ROOT, tarOf } from '../support/tar-blocks'
import { decompress } from './write-fixture'

const HEADER: CatalogHeader = {
  catalog: 1,
  run: 'r',
  host: 'db-1',
  volume: 'vg0-srv',
  mountPoint: '/srv',
  frameBytes: 1,
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

function shared(data: Buffer): Buffer {
  const buffer = sharedBuffer(data.length)
  data.copy(buffer)
  return buffer
}

const textOf = (pieces: readonly Uint8Array[]) => decompress(Buffer.concat(pieces)).toString()

/** Names that do not compress, so that the catalog comes in several pieces. */
const manyFiles = (count: number) =>
  tarOf(ROOT, ...Array.from({ length: count }, (_, index) => ({ name: `./${createHash('sha512').update(String(index)).digest('hex').slice(0, 90)}` }))) // prettier-ignore

test('a stream in shared memory is listed and hashed, whatever pieces it comes in', async () => {
  const tar = tarOf(ROOT, { name: './hosts', data: 'localhost' }, { name: './größe' })
  const pieces: Uint8Array[] = []
  await using worker = startCatalogWorker(HEADER, async (piece) => void pieces.push(piece))
  for (let at = 0; at < tar.length; at += 700) {
    const piece = shared(tar.subarray(at, at + 700))
    await worker.inspect(piece)
    piece.fill(0xee) // it is free again
  }
  await worker.record({ segment: 0, firstFrame: 0, storedBytes: [123] })
  const { sha256, entries, rawBytes, notes } = await worker.finish(1)

  expect({ sha256, entries, rawBytes }).toEqual({
    sha256: createHash('sha256').update(tar).digest('hex'),
    entries: 3,
    rawBytes: tar.length,
  })
  expect(notes.longPaths).toBe(0)
  const lines = textOf(pieces).trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) // prettier-ignore
  expect(lines.map((line) => line.catalog ?? line.path ?? line.storedBytes ?? line.end)).toEqual([
    1,
    '.',
    'hosts',
    'größe',
    [123],
    true,
  ])
})

test('pieces that lie somewhere within their memory are found there', async () => {
  const tar = tarOf(ROOT, { name: './hosts' })
  const memory = shared(Buffer.concat([Buffer.alloc(100, 0xee), tar, Buffer.alloc(100, 0xee)]))
  await using worker = startCatalogWorker(HEADER, async () => undefined)
  await worker.inspect(memory.subarray(100, 100 + tar.length))
  expect((await worker.finish(0)).rawBytes).toBe(tar.length)
})

test('what is no archive is refused with the reason, and so is all that comes after it', async () => {
  await using worker = startCatalogWorker(HEADER, async () => undefined)
  const refusal = { code: 'ARCHIVE_FAILED', message: expect.stringContaining('at byte 0') as string }
  await expect(worker.inspect(shared(Buffer.alloc(512, 1)))).rejects.toMatchObject(refusal)
  await expect(worker.inspect(shared(Buffer.alloc(512, 1)))).rejects.toMatchObject({ code: 'ARCHIVE_FAILED' })
})

test('an archive that is cut short is refused at its end', async () => {
  await using worker = startCatalogWorker(HEADER, async () => undefined)
  await worker.inspect(shared(tarOf(ROOT).subarray(0, 512)))
  await expect(worker.finish(0)).rejects.toMatchObject({ code: 'ARCHIVE_FAILED' })
})

test('the catalog is handed over in order, one piece at a time, and the stream waits for whoever takes it', async () => {
  const tar = manyFiles(60_000)
  const taken: Uint8Array[] = []
  const gate = Promise.withResolvers<undefined>()
  let taking = 0
  let most = 0
  await using worker = startCatalogWorker(HEADER, async (piece) => {
    most = Math.max(most, ++taking)
    if (taken.length === 0) await gate.promise
    await sleep(20) // long enough that the next piece is there
    taken.push(piece)
    taking--
  })
  const pieceBytes = Math.ceil(tar.length / 8)
  let inspected = 0
  const inspections = Array.from({ length: 8 }, (_, index) =>
    worker.inspect(shared(tar.subarray(index * pieceBytes, (index + 1) * pieceBytes))).then(() => (inspected += 1)),
  )
  const finished = worker.finish(0)
  while (taking === 0) await turn()
  const before = inspected
  await sleep(50)
  expect(inspected).toBe(before)

  gate.resolve(undefined)
  await Promise.all(inspections)
  expect((await finished).entries).toBe(60_001)

  expect(most).toBe(1)
  expect(taken.length).toBeGreaterThan(2)
  const offsets = [...textOf(taken).matchAll(/"offset":(\d+)/g)].map(([, offset]) => Number(offset))
  expect(offsets.length).toBe(60_001)
  expect(offsets.findIndex((offset, index) => offset !== index * 512)).toBe(-1)
})

test('a part of the catalog is hashed, and so free again, while the pieces behind it still wait for a part', async () => {
  const part = shared(Buffer.from('somewhere: the first part of the catalog')).subarray('somewhere: '.length)
  const sha256 = createHash('sha256').update(part).digest('hex')
  const digests: string[] = []
  await using worker = startCatalogWorker(HEADER, async () => {
    const hash = worker.hash()
    await hash.update(part)
    digests.push(await hash.digest())
  })
  await worker.inspect(shared(manyFiles(20_000)))
  expect(digests).toContain(sha256)
})

test('where the catalog cannot be stored, that is the error of whoever waits', async () => {
  const tar = manyFiles(20_000)
  await using worker = startCatalogWorker(HEADER, () => Promise.reject(new Error('no part could be sent')))
  await expect(worker.inspect(shared(tar))).rejects.toThrow('no part could be sent')
})

test('a thread that is stopped leaves nobody waiting', async () => {
  const worker = startCatalogWorker(HEADER, async () => undefined)
  const waiting = expect(worker.inspect(shared(tarOf(ROOT)))).rejects.toMatchObject({ code: 'ARCHIVE_FAILED' })
  const alsoWaiting = expect(worker.finish(0)).rejects.toThrow('ended too early')
  await worker[Symbol.asyncDispose]()
  await Promise.all([waiting, alsoWaiting])
  await expect(worker.record({ segment: 0, firstFrame: 0, storedBytes: [] })).rejects.toThrow('ended too early')
})

test('a thread that runs into a defect says so, and does not end the agent', async () => {
  const worker = startCatalogWorker(HEADER, async () => undefined)
  // Longer than the memory: nothing that the agent does.
  const piece = { buffer: sharedBuffer(10).buffer, byteOffset: 5, length: 100 } as unknown as Buffer
  const failure: unknown = await worker.inspect(piece).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'ARCHIVE_FAILED' })
  expect(String((failure as Error).cause)).toContain('RangeError')
})

test('in the main thread nobody asks for it', () => {
  expect(runCatalogWorkerIfAsked()).toBe(false)
})

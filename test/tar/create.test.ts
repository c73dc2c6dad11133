import { startTar } from '../../agent/tar/create.io'
import { localDeps } from '../support/host-deps'
import type { Argv } from '../../agent/context'

const sh = (script: string): Argv => ['sh', '-c', script]
const { signal } = new AbortController()

test('buffers are filled to the brim, however tar writes; only the last is not', async () => {
  await using tar = await startTar(localDeps(), sh('for i in 1 2 3 4 5; do printf 12345678; sleep 0.02; done'), signal)
  const buffer = Buffer.alloc(16)
  const filled: string[] = []
  for (;;) {
    const bytes = await tar.fill(buffer)
    filled.push(buffer.toString('latin1', 0, bytes))
    if (bytes < buffer.length) break
  }
  expect(filled).toEqual(['1234567812345678', '1234567812345678', '12345678'])
  expect(await tar.fill(buffer)).toBe(0)
  await tar.succeeded
})

test('a stream longer than what is read ahead comes whole and in order', async () => {
  const bytesMax = 3_000_000
  await using tar = await startTar(localDeps(), sh(`seq 1000000 | head -c ${bytesMax}`), signal)
  const whole = Buffer.alloc(bytesMax + 1)
  let offset = 0
  for (let bytes = -1; bytes !== 0; offset += bytes) bytes = await tar.fill(whole.subarray(offset, offset + 70_001))
  const expected = Array.from({ length: 1_000_000 }, (_, index) => `${index + 1}\n`)
    .join('')
    .slice(0, bytesMax)
  expect(offset).toBe(bytesMax)
  expect(whole.toString('latin1', 0, offset) === expected).toBe(true)
})

test('a tar that fails ends the stream, and what it said is kept', async () => {
  await using tar = await startTar(localDeps(), sh('printf 1234; echo "tar: ./a: Cannot open" >&2; exit 2'), signal)
  expect(await tar.fill(Buffer.alloc(16))).toBe(4)
  await expect(tar.succeeded).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
  expect(JSON.stringify(tar.messages())).toContain('./a: Cannot open')
})

test('input that breaks off is not taken for all there is: tar is killed, and the cause is told', async () => {
  async function* names(): AsyncGenerator<Buffer> {
    yield Buffer.from('./a\n')
    throw new Error('the catalog cannot be read on')
  }
  await using tar = await startTar(localDeps(), sh('cat; sleep 60'), signal, names())
  await expect(tar.succeeded).rejects.toThrow('the catalog cannot be read on')
})

test('who has enough before the end waits for no tar', async () => {
  const started = performance.now()
  {
    await using tar = await startTar(localDeps(), ['sleep', '60'], signal)
    tar.succeeded.catch(() => undefined)
  }
  expect(performance.now() - started).toBeLessThan(20_000)
})

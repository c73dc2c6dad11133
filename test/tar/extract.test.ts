import { extract } from '../../agent/tar/extract'
import { localDeps } from '../support/host-deps'
import type { Argv } from '../../agent/context'

const BYTES = 4 * 1024 * 1024 // more than any pipe holds

async function* raw(): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < BYTES; sent += 512 * 1024) yield Buffer.alloc(512 * 1024, 1)
}

const given = (...argv: Argv) => extract(localDeps(), argv, [{ offset: 0, bytes: BYTES }], raw())

test('what takes all of the archive and ends with 0 has done well', async () => {
  expect(await given('cat')).toEqual({ ok: true, complaint: '' })
})

test('a tar that ends with 0 before it has read the whole archive has restored nobody knows what', async () => {
  expect(await given('head', '--bytes=1')).toEqual({ ok: false, complaint: 'tar ended before the end of the archive' })
})

test('what tar says is told', async () => {
  expect(await given('tar', '--extract', '--file=-')).toMatchObject({
    ok: false,
    complaint: expect.stringContaining('does not look like a tar archive') as string,
  })
})

test('what cannot be read is an error, and tar takes none of it for an end', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(512)
    throw new Error('the network is down')
  }
  const extraction = extract(localDeps(), ['cat'], [{ offset: 0, bytes: BYTES }], broken())
  await expect(extraction).rejects.toThrow('the network is down')
})

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { openWay } from '../../agent/restore/directory.io'
import { keepHeaders } from '../../agent/restore/directory-metadata.io'
import { openUnlinkedFile } from '../../agent/host/unlinked-file.io'
import type { Host } from '../../agent/context'

let tree: string
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'metadata-'))
})
afterEach(() => rmSync(tree, { recursive: true }))

test('a directory that cannot be described stays as it is, and does not keep the others from being set', async () => {
  for (const name of ['good', 'odd']) mkdirSync(join(tree, name))
  const names = ['./odd', './good']
  const archive = execFileSync('tar', ['-cf', '-', '--format=ustar', '--no-recursion', '-C', tree, ...names])
  archive.write('V', 156) // a type that nobody knows
  archive.fill(0x20, 148, 156)
  const sum = archive.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const start = () => ({
    stdin: new PassThrough().resume(),
    stdout: Readable.from([archive]),
    succeeded: Promise.resolve(),
    complaint: () => '',
    kill: () => undefined,
  })

  using directory = openWay(tree, { links: 'refuse', mode: 0o700 })
  await using file = await openUnlinkedFile()
  const deps = { host: { start } as unknown as Host, signal: new AbortController().signal }
  const paths = names.map((name) => Buffer.from(name.slice(2)))
  const { places, complaints } = await keepHeaders(deps, directory, paths, file)
  expect([...places.keys()]).toEqual(['good'])
  expect(complaints).toEqual([
    expect.stringMatching(/^odd: owner, mode, .* stay as they are: an entry of unknown type/),
  ])
})

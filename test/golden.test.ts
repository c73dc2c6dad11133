/** What formats 1 and 2 wrote, and what every later version has to read. The files under golden/ are never made again. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { find, restore, verify } from './support/commands'
import { localHost } from '../agent/host/run-command.io'
import { rebuildCatalog } from '../agent/restore/rebuild-catalog.io'
import { readCatalogText, readEntries } from '../agent/archive/read-catalog.io'
import type { Manifest } from '../agent/run/manifest'
import { parseManifest } from '../agent/run/parse-manifest'
import { frameEndFinder } from '../agent/archive/zstd-frame'
import { storeWith } from './support/archives'
import { silentLog } from './support/log'
import { requestOf } from './support/request'
import { parseManifestKey } from '../agent/contract'

jest.setTimeout(60_000) // one of the runs has 15,000 files

function readGolden(name: string): (readonly [key: string, body: Buffer])[] {
  const golden = join(__dirname, 'golden', name)
  return readdirSync(golden, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .map((file) => [relative(golden, file), readFileSync(file)] as const)
}
const store = storeWith(new Map(['v1', 'v1-many-frames', 'v2'].flatMap(readGolden)))
const manifests = [...store.objects]
  .filter(([key]) => key.startsWith('manifests/'))
  .map(([key, { body }]) => [key, parseManifest(body.toString(), parseManifestKey(key)!)] as const)

const deps = { host: localHost, store, log: silentLog, now: () => new Date(), signal: new AbortController().signal }

test.each(manifests)('%s is good to the last byte', async (_key, { run, class: retention }) => {
  const request = requestOf('verify', 'guest', '--run', run, '--class', retention, '--depth', 'stream')
  const { status, json } = await verify(deps, request)
  expect(json).toMatchObject({ ok: true })
  expect(status).toBe(0)
})

test.each(manifests)('%s comes back', async (_key, { run, class: retention }) => {
  const target = mkdtempSync(join(tmpdir(), 'golden-'))
  try {
    const request = requestOf('restore', 'guest', '--run', run, '--class', retention, '--target', target)
    expect(await restore(deps, request)).toMatchObject({ status: 0 })
  } finally {
    rmSync(target, { recursive: true })
  }
})

test.each(manifests)(
  'the catalogs of %s can be made again from its archives, the same to the byte',
  async (_key, manifest) => {
    for (const volume of manifest.volumes) {
      await using rebuilt = await rebuildCatalog(deps, manifest, volume)
      expect(await textOf(rebuilt.text())).toBe(await textOf(readCatalogText(deps, volume.archive.catalog)))
    }
  },
)

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece.toString('latin1') // it is used anew for the next one
  return text
}

test('every kind of entry and name is found in the catalog', async () => {
  const volumes = manifests.flatMap(([, manifest]: readonly [string, Manifest]) => manifest.volumes)
  const { archive } = volumes.find(({ volume }) => volume === 'vg0-srv')!
  const entries = []
  for await (const entry of readEntries(deps, archive)) entries.push(entry)
  expect(entries).toMatchSnapshot()
})

describe('a run whose archive and catalog are made of many frames', () => {
  const [, many] = manifests.find(([, { class: retention }]) => retention === 'monthly')!
  const [{ archive }] = many.volumes as [Manifest['volumes'][number]]
  test('has several segments, frames in each, and a catalog of several pieces', async () => {
    const text = await textOf(readCatalogText(deps, archive.catalog))
    const offset = /"path":"directory-6-d*\/file-900".*"offset":(\d+)/.exec(text)?.[1]
    expect(Number(offset)).toBeGreaterThan(archive.segments.at(-1)!.rawOffset)
    const frameLines = text.split('\n').filter((line) => line.startsWith('{"segment":'))
    const pieces = countFrames(store.objects.get(archive.catalog.key)!.body)
    const { entries, frames, segments } = archive
    expect({ entries, frames, segments, pieces, textBytes: text.length, frameLines }).toMatchSnapshot()
  })

  test('a file in its last segment is found', async () => {
    const request = requestOf('find', 'guest', '/many/directory-6-*/file-900')
    expect((await find(deps, request)).summary).toMatchSnapshot()
  })

  test('one file of it comes back', async () => {
    const target = mkdtempSync(join(tmpdir(), 'golden-'))
    try {
      const path = `directory-6-${'d'.repeat(60)}/file-900`
      const request = requestOf('restore', 'guest', '--run', many.run, '--path', `/many/${path}`, '--target', target)
      expect(await restore(deps, request)).toMatchObject({ status: 0 })
      const restored = readdirSync(target, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
      expect(restored.map(({ name }) => name)).toEqual(['file-900'])
      expect(readFileSync(join(restored[0]!.parentPath, 'file-900'), 'utf8')).toBe(`/${path}\n`)
    } finally {
      rmSync(target, { recursive: true })
    }
  })
})

function countFrames(stored: Buffer): number {
  return [...frameEndFinder()(stored)].length
}

/** What formats 1, 2 and 3 wrote, and what every later version has to read. The files under golden/ are never made again. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
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
import { restoreByHand } from './support/nights'
import { requestOf } from './support/request'
import { compareTrees } from './support/tree/compare'
import { walkTree } from './support/tree/walk'
import { parseManifestKey } from '../agent/contract'

jest.setTimeout(60_000) // one of the runs has 15,000 files

function readGolden(name: string): (readonly [key: string, body: Buffer])[] {
  const golden = join(__dirname, 'golden', name)
  return readdirSync(golden, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .map((file) => [relative(golden, file), readFileSync(file)] as const)
}
const store = storeWith(new Map(['v1', 'v1-many-frames', 'v2', 'v3'].flatMap(readGolden)))
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

describe.each(['daily', 'weekly'])('a differential run and its base, of class %s', (retention) => {
  const [, night] = manifests.find(
    ([, { class: className, format }]) => className === retention && (format as number) === 3,
  )!
  let target: string
  beforeEach(() => {
    target = mkdtempSync(join(tmpdir(), 'golden-'))
  })
  afterEach(() => rmSync(target, { recursive: true }))

  test('has what it is there for', () => {
    const said = night.volumes.map(({ volume, level, archive, base, removed }) => ({
      ...{
        volume,
        level,
        compression: archive.compression,
        entries: archive.entries,
        segments: archive.segments.length,
      },
      ...(base && { base: base.run, baseSegments: base.archive.segments.length, removed: removed?.names }),
    }))
    expect(said).toMatchSnapshot()
  })

  test('comes back by hand as the agent restores it', async () => {
    const request = requestOf('restore', 'guest', '--run', night.run, '--class', retention, '--target', target)
    expect(await restore(deps, request)).toMatchObject({ status: 0 })
    for (const volume of night.volumes) {
      const byHand = join(target, `${volume.volume} by hand`)
      mkdirSync(byHand)
      restoreByHand(store, volume, byHand)
      expect(compareTrees(walkTree(join(target, volume.mountPoint)), walkTree(byHand))).toEqual([])
    }
  })
})

describe('a file of the differential run', () => {
  const run = ['--run', '20261128T130000Z-goldv3', '--class', 'daily']
  let target: string
  beforeEach(() => {
    target = mkdtempSync(join(tmpdir(), 'golden-'))
  })
  afterEach(() => rmSync(target, { recursive: true }))
  const restored = (path: string) =>
    restore(deps, requestOf('restore', 'guest', ...run, '--target', target, '--path', `/srv/app${path}`))
  const at = (path: string) => join(target, 'srv/app', path)

  test('is as it was that night, wherever it is', async () => {
    expect(await restored('')).toMatchObject({ status: 0 })
    const files = [
      'kept',
      'changed',
      'new',
      'becomes a directory/file',
      'moved since/file',
      'link since',
      'same-3',
      'other-1',
    ]
    expect(Object.fromEntries(files.map((file) => [file, readFileSync(at(file), 'utf8')]))).toEqual({
      ...{ kept: 'kept before', changed: 'changed since', new: 'new since', 'link since': 'kept before' },
      ...{ 'becomes a directory/file': 'in it', 'moved since/file': 'moved/file before' },
      ...{ 'same-3': 'same before', 'other-1': 'other before and since' },
    })
    expect(readlinkSync(at('link since'))).toBe('kept')
    for (const file of ['same', 'other']) {
      expect(new Set([1, 2, 3].map((name) => statSync(at(`${file}-${name}`)).ino)).size).toBe(1)
    }
    expect(['gone', 'new\nline', 'removed', 'moved'].filter((name) => existsSync(at(name)))).toEqual([])
    expect(statSync(at('large')).size).toBe(5 * 1024 * 1024)
  })

  test.each(['kept', 'changed', 'same-2'])('comes back alone: %s', async (name) => {
    expect(await restored(`/${name}`)).toMatchObject({ status: 0 })
    expect(readdirSync(at('.'))).toEqual([name])
  })

  test('is found in the runs that have it: changed, as it was, and gone', async () => {
    const summaryOf = async (name: string) => (await find(deps, requestOf('find', 'guest', `/srv/app/${name}`))).summary
    expect([await summaryOf('changed'), await summaryOf('kept'), await summaryOf('gone')]).toMatchSnapshot()
  })
})

function countFrames(stored: Buffer): number {
  return [...frameEndFinder()(stored)].length
}

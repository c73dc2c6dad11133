/** Restoring out of Glacier from a server that keeps archived objects from being read until they were asked for. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { restore } from '../support/commands'
import { manifestKey } from '../../agent/contract'
import { localHost } from '../../agent/host/run-command.io'
import { s3Store } from '../../agent/bucket/store.io'
import { formatManifest } from '../../agent/run/manifest'
import { createBucket, startMoto, type RunningServer } from '../servers/index'
import { archiveOf, place } from '../support/archives'
import { silentLog } from '../support/log'
import { requestOf } from '../support/request'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { Store } from '../../agent/context'

jest.setTimeout(60_000)

const signal = new AbortController().signal

let moto: RunningServer
let scratch: string
beforeAll(async () => {
  moto = await startMoto()
  scratch = mkdtempSync(join(tmpdir(), 'thaw-'))
  writeFileSync(join(scratch, 'file'), 'frozen for years')
})
afterAll(async () => {
  await moto.stop()
  rmSync(scratch, { recursive: true })
})

async function backedUp(hasCatalog: boolean): Promise<Store> {
  const { endpoint: endpointUrl, region } = moto
  const store = s3Store({
    bucket: await createBucket(moto),
    region,
    endpointUrl,
    credentials: async () => moto,
    log: silentLog,
  })
  const { archive, objects } = archiveOf(
    execFileSync('tar', ['-cf', '-', '--format=posix', '--no-recursion', '-C', scratch, '.', './file']),
  )
  for (const [key, body] of objects) {
    if (!key.startsWith('data/')) {
      if (hasCatalog) await store.put(key, body, signal)
    } else {
      const upload = await store.createUpload(key, 'DEEP_ARCHIVE', signal)
      const part = await store.uploadPart(upload, 1, body, crc32(body), signal)
      await store.completeUpload(upload, [part], { sizeBytes: body.length, crc32: crc32(body) }, signal)
    }
  }
  const manifest = manifestOf({
    ...place,
    volumes: [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })],
  })
  await store.put(manifestKey(place), formatManifest(manifest), signal)
  return store
}

test.each([
  ['with its catalog', true],
  ['whose catalog is gone', false],
])('an archive in Glacier %s is refused, asked for, and restored', async (_, hasCatalog) => {
  const store = await backedUp(hasCatalog)
  const target = mkdtempSync(join(scratch, 'target-'))
  // What stands in for a run of that day was written just now.
  const there = ['--class', place.class, '--run', place.run, '--target', target, '--days', '1', '--trust-times']
  const deps = { host: localHost, store, log: silentLog, now: () => new Date(), signal }
  const run = (...thaw: readonly string[]) => restore(deps, requestOf('restore', place.host, ...there, ...thaw))
  await expect(run()).rejects.toMatchObject({ code: 'OBJECT_ARCHIVED' })
  // This server thaws at once.
  expect(await run('--thaw', 'bulk')).toMatchObject({ status: 0 })
  expect(readFileSync(join(target, 'srv/file'), 'utf8')).toBe('frozen for years')
})
